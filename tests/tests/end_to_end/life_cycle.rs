//! Create, Update and Delete of custom resources beside others of their kind.

use serde_json::{Value, json};

use crate::scene::Scene;

#[test]
fn two_stacks_share_key_and_bucket() {
    let scene = Scene::deployed();
    let one = scene.live();
    scene.create("key-two", "ArtifactKeyGrant", scene.key_grant(&["555555555555"])).unwrap();
    scene.create("bucket-two", "ArtifactBucketGrant", scene.bucket_grant(&["555555555555"])).unwrap();
    scene.create("key-three", "ArtifactKeyGrant", scene.key_grant(&["666666666666"])).unwrap();
    let three = scene.live();
    assert!(
        three.key_policy.to_string().contains("555555555555")
            && three.key_policy.to_string().contains("666666666666")
    );
    // In another order than they came.
    scene.delete("key-two");
    let left = scene.live().key_policy.to_string();
    assert!(!left.contains("555555555555") && left.contains("666666666666"));
    scene.delete("bucket-two");
    scene.delete("key-three");
    scene.assert_unchanged(&one);
    scene.remove();
}

#[test]
fn update_changes_statement_in_place() {
    let scene = Scene::deployed();
    let before = scene.live();
    scene.create("grant", "ArtifactBucketGrant", scene.bucket_grant(&["555555555555"])).unwrap();
    scene.create("later", "ArtifactBucketGrant", scene.bucket_grant(&["777777777777"])).unwrap();
    let sids = |policy: &Value| {
        let statements = policy["Statement"].as_array().unwrap();
        statements.iter().map(|statement| statement["Sid"].clone()).collect::<Vec<_>>()
    };
    let created = scene.live().bucket_policy;
    scene
        .update("grant", "ArtifactBucketGrant", scene.bucket_grant(&["555555555555", "666666666666"]))
        .unwrap();
    let updated = scene.live().bucket_policy;
    assert_eq!(sids(&updated), sids(&created));
    assert!(updated.to_string().contains("666666666666"));
    // An update that fails leaves the grant as it was.
    let failure = scene.update("grant", "ArtifactBucketGrant", scene.bucket_grant(&["1"])).unwrap_err();
    assert!(failure.to_string().contains("`TargetAccounts`"), "{failure}");
    assert_eq!(scene.live().bucket_policy, updated);
    scene.delete("grant");
    scene.delete("later");
    scene.assert_unchanged(&before);
    scene.remove();
}

#[test]
fn moved_grant_leaves_nothing_behind() {
    let scene = Scene::deployed();
    let tools = &scene.world.tools;
    let other = format!("other-{}", tools.id());
    let location = json!({"LocationConstraint": tools.region()});
    tools
        .call("s3", "create_bucket", json!({"Bucket": other, "CreateBucketConfiguration": location}))
        .unwrap();
    let other_policy = || tools.call("s3", "get_bucket_policy", json!({"Bucket": other}));
    let before = scene.live();
    scene.create("grant", "ArtifactBucketGrant", scene.bucket_grant(&["555555555555"])).unwrap();
    let granted = scene.live();

    // The role allows the stack's own bucket only: the move fails and is rolled back.
    let moved = json!({"BucketName": other, "TargetAccounts": ["555555555555"]});
    let failure = scene.update("grant", "ArtifactBucketGrant", moved.clone()).unwrap_err();
    assert!(failure.to_string().contains("s3:GetBucketLocation"), "{failure}");
    scene.assert_unchanged(&granted);

    scene.change_role(&scene.role_name("AccessProviderRole"), "AccessProvider", |policy| {
        let statement = json!({
            "Effect": "Allow", "Resource": format!("arn:aws:s3:::{other}"),
            "Action": [
                "s3:GetBucketLocation", "s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy",
                "s3:GetBucketTagging", "s3:GetEncryptionConfiguration",
            ],
        });
        policy["Statement"].as_array_mut().unwrap().push(statement);
    });
    scene.update("grant", "ArtifactBucketGrant", moved).unwrap();
    scene.assert_unchanged(&before);
    assert!(other_policy().unwrap().to_string().contains("555555555555"));
    // It had no policy before.
    scene.delete("grant");
    assert_eq!(other_policy().unwrap_err().code, "NoSuchBucketPolicy");
    scene.remove();
}

#[test]
fn foreign_stack_is_named_in_notice() {
    let scene = Scene::deployed();
    let tools = &scene.world.tools;
    let owner = json!({"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": tools.id()}, "Action": "kms:*", "Resource": "*"}]
    }}}}, "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Key", "Arn"]}}}});
    let key =
        tools.deploy_stack("owner-of-the-key", &owner.to_string(), &[], &[]).unwrap().remove("Arn").unwrap();
    scene.change_role(&scene.role_name("AccessProviderRole"), "AccessProvider", |policy| {
        let statement = json!({"Effect": "Allow", "Action": ["kms:GetKeyPolicy", "kms:PutKeyPolicy", "kms:ListResourceTags"], "Resource": key});
        policy["Statement"].as_array_mut().unwrap().push(statement);
    });
    let mut properties = scene.key_grant(&["555555555555"]);
    properties["KeyArn"] = json!(key);
    let mut template: Value = serde_json::from_str(&scene.template("ArtifactKeyGrant", properties)).unwrap();
    template["Outputs"] = json!({"Notice": {"Value": {"Fn::GetAtt": ["Resource", "Notice"]}}});
    let outputs = tools.deploy_stack("grant", &template.to_string(), &[], &[]).unwrap();
    let notice = &outputs["Notice"];
    assert!(notice.contains("owner-of-the-key") && notice.contains("next update"), "{notice}");
    scene.delete("grant");
    scene.delete("owner-of-the-key");
    scene.remove();
}

#[test]
fn delete_of_what_is_gone_succeeds() {
    let scene = Scene::deployed();
    let (tools, world) = (&scene.world.tools, &scene.world);
    tools.call("codepipeline", "delete_pipeline", json!({"name": world.pipeline})).unwrap();
    let objects = tools.call("s3", "list_object_versions", json!({"Bucket": world.bucket})).unwrap();
    for version in objects["Versions"].as_array().unwrap() {
        let request =
            json!({"Bucket": world.bucket, "Key": version["Key"], "VersionId": version["VersionId"]});
        tools.call("s3", "delete_object", request).unwrap();
    }
    tools.call("s3", "delete_bucket", json!({"Bucket": world.bucket})).unwrap();
    scene.world.remove_tools().unwrap_or_else(|error| panic!("{error}"));
}
