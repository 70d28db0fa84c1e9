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
    // Keys of other Regions are granted, where the role may.
    key_grant(grant(&key.replace("eu-west-1", "us-east-1"), b.clone()), &["AccessDenied", "us-east-1"]);
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
    check(&scene, "ArtifactBucketGrant", grant(&foreign), &[&foreign, "s3:GetBucketLocation"]);
    check(
        &scene,
        "ArtifactBucketGrant",
        json!({"BucketName": scene.world.bucket, "TargetAccounts": "1", "DenyInsecureTransport": "maybe"}),
        &["`DenyInsecureTransport`"],
    );
    scene.remove();
}

/// A policy that was public before public access was blocked can't be saved again, whoever adds to it.
#[test]
fn public_bucket_policy() {
    let scene = Scene::deployed();
    let (tools, bucket) = (&scene.world.tools, &scene.world.bucket);
    tools.call("s3", "delete_public_access_block", json!({"Bucket": bucket})).unwrap();
    let without_site = scene.live().bucket_policy;
    let mut policy = without_site.clone();
    let public = json!({"Sid": "Site", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{bucket}/site/*")});
    policy["Statement"].as_array_mut().unwrap().push(public);
    tools.call("s3", "put_bucket_policy", json!({"Bucket": bucket, "Policy": policy.to_string()})).unwrap();
    let blocked = json!({"Bucket": bucket, "PublicAccessBlockConfiguration": {"BlockPublicPolicy": true}});
    tools.call("s3", "put_public_access_block", blocked).unwrap();
    let grant = json!({"BucketName": bucket, "TargetAccounts": ["555555555555"]});
    check(&scene, "ArtifactBucketGrant", grant, &["Block Public Access", bucket, "everybody"]);
    tools.call("s3", "delete_public_access_block", json!({"Bucket": bucket})).unwrap();
    tools
        .call("s3", "put_bucket_policy", json!({"Bucket": bucket, "Policy": without_site.to_string()}))
        .unwrap();
    scene.remove();
}

#[test]
fn pipeline_patch() {
    let scene = Scene::deployed();
    let world = &scene.world;
    let declaration = |name: &str, role: &str| {
        json!({
            "Name": name, "RoleArn": role, "InputArtifacts": [{"Name": "BuildOutput"}],
            "ActionTypeId": {"Category": "Deploy", "Owner": "AWS", "Provider": "CloudFormation", "Version": "1"},
            "Configuration": {"ActionMode": "CREATE_UPDATE", "StackName": "s", "RoleArn": format!("arn:aws:iam::{}:role/Stack", world.tools.id())},
        })
    };
    let target = world.target_role_arn();
    let patch = |pipeline: &str, stage: &str, name: &str| {
        json!({
            "PipelineName": pipeline, "Actions": [{"Stage": stage, "Action": declaration(name, &target)}],
        })
    };
    check(&scene, "PipelinePatch", patch("missing", "Staging", "New"), &["codepipeline:"]);
    check(&scene, "PipelinePatch", patch("arn:aws:codepipeline:x", "Staging", "New"), &["`PipelineName`"]);
    let existing = scene.before.pipeline["stages"][3]["actions"][0]["name"].as_str().unwrap().to_owned();
    let stage = scene.before.pipeline["stages"][3]["name"].as_str().unwrap().to_owned();
    check(
        &scene,
        "PipelinePatch",
        patch(&world.pipeline, &stage, &existing),
        &["`Actions[0]", "already has an action"],
    );
    // CodePipeline would accept it, and the action would fail: a stack role can't be passed across accounts.
    check(&scene, "PipelinePatch", patch(&world.pipeline, "Staging", "New"), &["[PL008]", "stack role"]);
    check(&scene, "PipelinePatch", json!({"PipelineName": world.pipeline}), &["nothing to patch"]);
    let roles = |stage: &str, action: &str, role: &str| {
        json!({
            "PipelineName": world.pipeline, "ActionRoles": [{"Stage": stage, "Action": action, "RoleArn": role}],
        })
    };
    check(&scene, "PipelinePatch", roles("Staging", "Nobody", &target), &["`ActionRoles[0]", "Nobody"]);
    check(
        &scene,
        "PipelinePatch",
        roles("Staging", "Deploy", "CrosspipeTargetRole"),
        &["`ActionRoles[0].RoleArn`", "not an ARN"],
    );
    let alias = json!({"PipelineName": world.pipeline, "EncryptionKeyArn": "alias/orders-artifacts"});
    check(&scene, "PipelinePatch", alias, &["`EncryptionKeyArn`", "alias"]);
    scene.remove();
}

#[test]
fn service_role_grant() {
    let scene = Scene::deployed();
    let grant = |role: &str, arns: Value| json!({"RoleName": role, "TargetRoleArns": arns});
    let role = scene.world.service_role.as_str();
    check(
        &scene,
        "ServiceRoleGrant",
        grant(&scene.world.service_role_arn, json!("x")),
        &["`RoleName`", "bare name"],
    );
    check(&scene, "ServiceRoleGrant", grant(role, json!([])), &["`TargetRoleArns`", "names no role"]);
    check(
        &scene,
        "ServiceRoleGrant",
        grant(role, json!("arn:aws:iam::222222222222:role/*")),
        &["`TargetRoleArns`", "wildcard"],
    );
    let many: Vec<String> = (0..200).map(|n| format!("arn:aws:iam::222222222222:role/{n:060}")).collect();
    check(&scene, "ServiceRoleGrant", grant(role, json!(many)), &["10240"]);
    scene.remove();
}

/// What AWS would refuse because of what is there already.
#[test]
fn quotas_and_dead_principals() {
    let scene = Scene::deployed();
    let (tools, world) = (&scene.world.tools, &scene.world);
    // Roles of an account that may be let in: what is outside is refused before its size is looked at.
    let roles = |count: usize| {
        let roles = (0..count).map(|n| format!("arn:aws:iam::{}:role/{n:03}", world.target.id()));
        json!(roles.collect::<Vec<_>>())
    };
    let mut grant = scene.bucket_grant(&[]);
    grant["TargetRoleArns"] = roles(400);
    check(&scene, "ArtifactBucketGrant", grant, &["20480", "OrganizationId"]);
    let mut grant = scene.key_grant(&[]);
    grant["TargetRoleArns"] = roles(900);
    check(&scene, "ArtifactKeyGrant", grant, &["32768", "OrganizationId"]);

    // A role that another team's statement names is deleted: AWS shows its unique id from then on.
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": tools.id()}, "Action": "sts:AssumeRole"}]});
    let role = json!({"RoleName": "gone-soon", "AssumeRolePolicyDocument": trust.to_string()});
    let arn = tools.call("iam", "create_role", role).unwrap()["Role"]["Arn"].clone();
    let before = scene.live();
    let mut policy = before.bucket_policy.clone();
    let statement = json!({"Sid": "OtherTeam", "Effect": "Allow", "Principal": {"AWS": arn}, "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{}/*", world.bucket)});
    policy["Statement"].as_array_mut().unwrap().push(statement);
    let put = |policy: &Value| {
        tools.call("s3", "put_bucket_policy", json!({"Bucket": world.bucket, "Policy": policy.to_string()}))
    };
    put(&policy).unwrap();
    tools.call("iam", "delete_role", json!({"RoleName": "gone-soon"})).unwrap();
    check(&scene, "ArtifactBucketGrant", scene.bucket_grant(&["555555555555"]), &["`OtherTeam`", "AROA"]);
    put(&before.bucket_policy).unwrap();

    // A target role that does not exist yet: waited for a while, then said so.
    let missing = json!({"BucketName": world.bucket, "TargetRoleArns": format!("arn:aws:iam::{}:role/Missing", world.target.id())});
    check(&scene, "ArtifactBucketGrant", missing, &["does not exist", "target-account.yaml"]);
    scene.remove();
}
