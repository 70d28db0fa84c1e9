//! Bad input: a reason that names field, fault and next step, and nothing changed.

use serde_json::{Value, json};

use crate::scene::Scene;

fn check(scene: &Scene, kind: &str, properties: Value, parts: &[&str]) {
    let reason = scene.refused(kind, properties);
    for part in parts.iter().chain(&["Next:"]) {
        assert!(reason.contains(part), "{kind}: `{part}` is not in: {reason}");
    }
}

#[test]
fn key_grant() {
    let scene = Scene::deployed();
    let (world, service_role) = (&scene.world, &scene.world.service_role_arn);
    let grant = |key: &str, accounts: Value| json!({"KeyArn": key, "ServiceRoleArn": service_role, "TargetAccounts": accounts});
    let key_grant = |properties: Value, parts: &[&str]| check(&scene, "ArtifactKeyGrant", properties, parts);
    let (key, b) = (world.key_arn.as_str(), json!([world.target.id()]));
    key_grant(grant(key.rsplit('/').next().unwrap(), b.clone()), &["`KeyArn`", "bare key id"]);
    key_grant(grant("alias/orders-artifacts", b.clone()), &["`KeyArn`", "alias"]);
    key_grant(
        grant(&key.replace(world.tools.id(), world.target.id()), b.clone()),
        &["`KeyArn`", world.target.id()],
    );
    key_grant(grant(&key.replace("eu-west-1", "us-east-1"), b.clone()), &["`KeyArn`", "us-east-1"]);
    key_grant(grant(key, json!(["12345678901"])), &["`TargetAccounts`", "11 digits"]);
    key_grant(grant(key, json!("")), &["`TargetAccounts`", "names nobody"]);
    let mut misspelt = grant(key, b.clone());
    misspelt["TargetAcounts"] = json!("1");
    key_grant(misspelt, &["TargetAcounts", "TargetAccounts"]);
    let missing = key.replace(key.rsplit('/').next().unwrap(), "00000000-0000-0000-0000-000000000000");
    check(&scene, "ArtifactKeyGrant", grant(&missing, b), &["kms:"]);
    check(&scene, "ArtifactKeyGrnt", json!({}), &["Custom::ArtifactKeyGrnt", "Custom::ArtifactKeyGrant"]);
    scene.remove();
}

#[test]
fn bucket_grant() {
    let scene = Scene::deployed();
    let grant = |bucket: &str| json!({"BucketName": bucket, "TargetAccounts": [scene.world.target.id()]});
    check(&scene, "ArtifactBucketGrant", grant("arn:aws:s3:::x"), &["`BucketName`", "bare name"]);
    let foreign = format!("foreign-{}", scene.world.target.id());
    let location = json!({"LocationConstraint": scene.world.target.region()});
    scene
        .world
        .target
        .call("s3", "create_bucket", json!({"Bucket": foreign, "CreateBucketConfiguration": location}))
        .unwrap();
    check(&scene, "ArtifactBucketGrant", grant(&foreign), &[&foreign, "s3:GetBucketTagging"]);
    check(
        &scene,
        "ArtifactBucketGrant",
        json!({"BucketName": scene.world.bucket, "TargetAccounts": "1", "DenyInsecureTransport": "maybe"}),
        &["`DenyInsecureTransport`"],
    );
    scene.remove();
}
