//! What people do to their accounts.

use crosspipe_e2e::Account;
use crosspipe_e2e::world::World;
use serde_json::{Value, json};

const TARGET_ROLE: &str = "CrosspipeTargetRole";

pub(super) fn bucket_policy_omits_target(world: &World<'_>) {
    change_bucket_policy(world, |statements| statements.retain(|it| !names(it, world.target.id())));
}

pub(super) fn deny_other_accounts(world: &World<'_>) {
    change_bucket_policy(world, |statements| {
        statements.push(json!({
            "Sid": "OurAccountOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
            "Resource": format!("arn:aws:s3:::{}/*", world.bucket),
            "Condition": {"StringNotEquals": {"aws:PrincipalAccount": world.tools.id()}},
        }));
    });
}

pub(super) fn key_policy_omits_target(world: &World<'_>) {
    let mut policy = world.live().unwrap().key_policy;
    policy["Statement"].as_array_mut().unwrap().retain(|it| !names(it, world.target.id()));
    let request = json!({"KeyId": world.key_arn, "PolicyName": "default", "Policy": policy.to_string()});
    world.tools.call("kms", "put_key_policy", request).unwrap();
}

pub(super) fn key_disabled(world: &World<'_>) {
    world.tools.call("kms", "disable_key", json!({"KeyId": world.key_arn})).unwrap();
}

pub(super) fn key_by_id(world: &World<'_>) {
    let mut pipeline = world.live().unwrap().pipeline;
    pipeline["artifactStore"]["encryptionKey"]["id"] = json!(world.key_arn.rsplit('/').next());
    let request = json!({"pipeline": pipeline});
    world.tools.call_raw("codepipeline", "CodePipeline_20150709.UpdatePipeline", request).unwrap();
}

pub(super) fn service_role_may_not_assume(world: &World<'_>) {
    revoke(&world.tools, &world.service_role, "sts:AssumeRole");
}

pub(super) fn trust_omits_service_role(world: &World<'_>) {
    let own = format!("arn:aws:iam::{}:root", world.target.id());
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Operators", "Effect": "Allow", "Principal": {"AWS": own}, "Action": "sts:AssumeRole"}
    ]});
    let request = json!({"RoleName": TARGET_ROLE, "PolicyDocument": trust.to_string()});
    world.target.call("iam", "update_assume_role_policy", request).unwrap();
}

pub(crate) fn target_role_without_key(world: &World<'_>) {
    revoke(&world.target, TARGET_ROLE, "kms:");
}

pub(super) fn target_role_without_bucket(world: &World<'_>) {
    revoke(&world.target, TARGET_ROLE, "s3:");
}

pub(super) fn target_role_without_codedeploy(world: &World<'_>) {
    revoke(&world.target, TARGET_ROLE, "codedeploy:");
}

/// The agent downloads the revision as the instance's own role.
pub(super) fn instances_without_artifacts(world: &World<'_>) {
    let group = json!({
        "account": world.target.id(), "region": world.target.region(), "application": "orders",
        "group": "orders-production", "role": world.instance_role_arn(), "instances": ["i-0a1b2c3d4e5f60718"],
    });
    world.target.aws().control("instances", &group).unwrap();
    let role = json!({"RoleName": world.instance_role});
    let attached = world.target.call("iam", "list_attached_role_policies", role).unwrap();
    for policy in attached["AttachedPolicies"].as_array().unwrap() {
        // That of the fixture has nothing to do with artifacts.
        if policy["PolicyName"] != "patching" {
            let request = json!({"RoleName": world.instance_role, "PolicyArn": policy["PolicyArn"]});
            world.target.call("iam", "detach_role_policy", request).unwrap();
        }
    }
}

fn names(statement: &Value, account: &str) -> bool {
    statement["Principal"].to_string().contains(account)
}

fn change_bucket_policy(world: &World<'_>, change: impl FnOnce(&mut Vec<Value>)) {
    let mut policy = world.live().unwrap().bucket_policy;
    change(policy["Statement"].as_array_mut().unwrap());
    let request = json!({"Bucket": world.bucket, "Policy": policy.to_string()});
    world.tools.call("s3", "put_bucket_policy", request).unwrap();
}

/// Takes a role's statements on these actions from all of its policies.
fn revoke(account: &Account<'_>, role: &str, actions: &str) {
    let attached = account.call("iam", "list_attached_role_policies", json!({"RoleName": role})).unwrap();
    for policy in attached["AttachedPolicies"].as_array().unwrap() {
        let arn = &policy["PolicyArn"];
        let version = account.call("iam", "get_policy", json!({"PolicyArn": arn})).unwrap();
        let version = &version["Policy"]["DefaultVersionId"];
        let named = json!({"PolicyArn": arn, "VersionId": version});
        let mut document =
            account.call("iam", "get_policy_version", named).unwrap()["PolicyVersion"]["Document"].take();
        let Some(statements) = document["Statement"].as_array_mut() else { continue };
        let before = statements.len();
        statements.retain(|statement| !statement["Action"].to_string().contains(actions));
        if statements.is_empty() {
            let request = json!({"RoleName": role, "PolicyArn": arn});
            account.call("iam", "detach_role_policy", request).unwrap();
        } else if statements.len() < before {
            let request =
                json!({"PolicyArn": arn, "PolicyDocument": document.to_string(), "SetAsDefault": true});
            account.call("iam", "create_policy_version", request).unwrap();
        }
    }
    let listed = account.call("iam", "list_role_policies", json!({"RoleName": role})).unwrap();
    for policy in listed["PolicyNames"].as_array().unwrap() {
        let named = json!({"RoleName": role, "PolicyName": policy});
        let mut document =
            account.call("iam", "get_role_policy", named.clone()).unwrap()["PolicyDocument"].take();
        // One statement may stand without its list.
        let Some(statements) = document["Statement"].as_array_mut() else { continue };
        let before = statements.len();
        statements.retain(|statement| !statement["Action"].to_string().contains(actions));
        if statements.is_empty() {
            account.call("iam", "delete_role_policy", named).unwrap();
        } else if statements.len() < before {
            let request =
                json!({"RoleName": role, "PolicyName": policy, "PolicyDocument": document.to_string()});
            account.call("iam", "put_role_policy", request).unwrap();
        }
    }
}
