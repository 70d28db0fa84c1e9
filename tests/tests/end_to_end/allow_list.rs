//! Whom the installation may let in limits every custom resource, and uploads are denied to nobody by surprise.

use crosspipe_e2e::LocalAws;
use serde_json::{Value, json};

use crate::scene::Scene;

fn calls(scene: &Scene, services: &[&str]) -> usize {
    let count = |service: &&str| {
        let request = json!({"account": scene.world.tools.id(), "service": service});
        let calls = LocalAws::shared().control("calls", &request).unwrap();
        let calls = calls["calls"].as_array().unwrap();
        calls.iter().filter(|call| call["caller"].to_string().contains("AccessProvider")).count()
    };
    services.iter().map(count).sum()
}

#[test]
fn outsiders_are_refused_unread() {
    let scene = Scene::deployed_with(|world, parameters| {
        parameters.insert("AllowedAccounts", format!("{},555555555555", world.target.id()));
        parameters.insert("AllowedRoleArns", "arn:aws:iam::*:role/Crosspipe*".to_owned());
    });
    let world = &scene.world;
    let own_role = format!("arn:aws:iam::{}:role/CrosspipeOwn", world.tools.id());
    let organization = json!({"BucketName": world.bucket, "OrganizationId": "o-a1b2c3d4e5", "TargetRoleNamePattern": "Deploy"});
    let outside_role = "arn:aws:iam::666666666666:role/Other";
    let before = calls(&scene, &["kms", "s3", "iam", "codepipeline"]);
    for (kind, properties, field, parameter) in [
        ("ArtifactKeyGrant", scene.key_grant(&["666666666666"]), "`TargetAccounts`", "`AllowedAccounts`"),
        (
            "ArtifactBucketGrant",
            scene.bucket_grant(&["666666666666"]),
            "`TargetAccounts`",
            "`AllowedAccounts`",
        ),
        ("ArtifactBucketGrant", organization, "`OrganizationId`", "`AllowedOrganizationId`"),
        (
            "ServiceRoleGrant",
            json!({"RoleName": world.service_role, "TargetRoleArns": outside_role}),
            "`TargetRoleArns`",
            "`AllowedRoleArns`",
        ),
        (
            "PipelinePatch",
            json!({"PipelineName": world.pipeline, "ActionRoles": [{"Stage": "Staging", "Action": "Deploy", "RoleArn": own_role}]}),
            "`ActionRoles[0].RoleArn`",
            "`AllowedRoleArns`",
        ),
    ] {
        let reason = scene.refused(kind, properties);
        assert!(
            [field, parameter, "nothing was read or changed"].iter().all(|part| reason.contains(part)),
            "{reason}"
        );
    }
    assert_eq!(calls(&scene, &["kms", "s3", "iam", "codepipeline"]), before, "nothing was read");

    // An update to an outsider is refused and rolled back, too.
    scene.create("grant", "ArtifactBucketGrant", scene.bucket_grant(&["555555555555"])).unwrap();
    let granted = scene.live();
    let failure =
        scene.update("grant", "ArtifactBucketGrant", scene.bucket_grant(&["666666666666"])).unwrap_err();
    assert!(failure.to_string().contains("`AllowedAccounts`"), "{failure}");
    scene.assert_unchanged(&granted);
    scene.delete("grant");
    scene.remove();
}

#[test]
fn denied_uploads_are_announced() {
    let scene = Scene::deployed();
    let (tools, bucket) = (&scene.world.tools, &scene.world.bucket);
    let mut policy = scene.before.bucket_policy.clone();
    let logs = json!({"Sid": "LogDelivery", "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject", "Resource": format!("arn:aws:s3:::{bucket}/logs/*")});
    policy["Statement"].as_array_mut().unwrap().push(logs);
    tools.call("s3", "put_bucket_policy", json!({"Bucket": bucket, "Policy": policy.to_string()})).unwrap();
    let notice = |stack: &str| {
        let grant = scene.bucket_grant(&["555555555555"]);
        let mut template: Value =
            serde_json::from_str(&scene.template("ArtifactBucketGrant", grant)).unwrap();
        template["Outputs"] = json!({"Notice": {"Value": {"Fn::GetAtt": ["Resource", "Notice"]}}});
        tools.deploy_stack(stack, &template.to_string(), &[], &[]).unwrap().remove("Notice").unwrap()
    };
    let said = notice("denies");
    assert!(said.contains("`LogDelivery`") && said.contains("logging.s3.amazonaws.com"), "{said}");
    let deny = |policy: &Value| {
        let statements = policy["Statement"].as_array().unwrap().iter();
        statements
            .filter(|it| it["Effect"] == "Deny" && it.to_string().contains("aws:kms:dsse"))
            .cloned()
            .collect::<Vec<_>>()
    };
    assert!(deny(&scene.live().bucket_policy).iter().all(|it| it["Condition"].get("Null").is_none()));
    scene.delete("denies");

    // Under a customer managed key by default, what comes without the header is encrypted all the same.
    let rule = json!({"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": scene.world.key_arn}});
    let encryption = json!({"Bucket": bucket, "ServerSideEncryptionConfiguration": {"Rules": [rule]}});
    tools.call("s3", "put_bucket_encryption", encryption).unwrap();
    assert_eq!(notice("spares"), "none");
    let spared = deny(&scene.live().bucket_policy);
    assert!(
        spared.iter().any(|it| it["Condition"]["Null"]["s3:x-amz-server-side-encryption"] == "false"),
        "{spared:?}"
    );
    scene.delete("spares");
}
