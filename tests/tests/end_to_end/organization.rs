//! Access by organization: nothing lists accounts, and an account that joins works with no change in the tools account.

use crosspipe_e2e::world::{PIPELINE_STACK, World};
use crosspipe_e2e::{Account, LocalAws, functions};
use serde_json::{Value, json};

use crate::alerts::Listening;
use crate::scene::{REGION, Scene};

pub(crate) const ORGANIZATION: &str = "o-a1b2c3d4e5";
pub(crate) const TARGET_ROLE: &str = "CrosspipeTargetRole";

pub(crate) fn join(account: &Account<'_>, organization: &str) {
    let paths = json!([format!("{organization}/r-ab12/ou-ab12-11111111/")]);
    let request = json!({"account": account.id(), "id": organization, "paths": paths});
    LocalAws::shared().control("organization", &request).unwrap();
}

/// All three templates by organization; the StackSet has reached the target account.
fn deployed() -> Scene {
    let world = World::build(LocalAws::shared(), REGION).unwrap();
    for account in [&world.tools, &world.target] {
        join(account, ORGANIZATION);
    }
    let before = world.live().unwrap();
    let mut parameters = world.target_parameters();
    parameters.remove("InstanceRoleNames");
    world.deploy_targets(&parameters, &[&world.target]).unwrap();
    let packaged = world.package_tools(&functions::build().unwrap()).unwrap();
    let mut parameters = world.tools_parameters();
    parameters.remove("AllowedAccounts");
    parameters.insert("AllowedOrganizationId", ORGANIZATION.to_owned());
    // The account of the new action's role; PipelinePatch names roles one by one.
    parameters.insert("AllowedRoleArns", format!("arn:aws:iam::*:role/{TARGET_ROLE}"));
    let mut outputs = world.install(&packaged, &parameters).unwrap_or_else(|error| panic!("{error}"));
    let mut parameters = world.pipeline_parameters();
    parameters.retain(|name, _| !["TargetAccountIds", "TargetRoleArns"].contains(name));
    parameters.insert("OrganizationId", ORGANIZATION.to_owned());
    let opened = world.open_pipeline(PIPELINE_STACK, &parameters);
    outputs.extend(opened.unwrap_or_else(|error| panic!("{error}")));
    Scene { world, before, outputs }
}

/// A session of a role of the account that anybody there may make for themselves.
fn session<'aws>(account: &Account<'aws>, path: &str, name: &str) -> Account<'aws> {
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{}:root", account.id())}, "Action": "sts:AssumeRole",
    }]});
    let request = json!({"RoleName": name, "Path": path, "AssumeRolePolicyDocument": trust.to_string()});
    account.call("iam", "create_role", request).unwrap();
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:GetObject", "kms:Decrypt"], "Resource": "*"}]});
    let request = json!({"RoleName": name, "PolicyName": "all", "PolicyDocument": policy.to_string()});
    account.call("iam", "put_role_policy", request).unwrap();
    account.assume(&format!("arn:aws:iam::{}:role{path}{name}", account.id())).unwrap()
}

fn reads_artifact(world: &World<'_>, session: &Account<'_>) -> bool {
    let request = json!({"Bucket": world.bucket, "Key": world.artifact});
    match session.call("s3", "get_object", request) {
        Ok(_) => true,
        Err(error) if error.code.starts_with("AccessDenied") => false,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn new_account_works_at_once() {
    let scene = deployed();
    let world = &scene.world;
    let opened = scene.live();
    for document in [&opened.key_policy, &opened.bucket_policy] {
        let text = document.to_string();
        assert!(text.contains(ORGANIZATION) && !text.contains(world.target.id()), "{text}");
    }

    let [new, stranger] =
        LocalAws::shared().new_accounts().map(|id| world.tools.aws().account(id).in_region(REGION));
    join(&new, ORGANIZATION);
    world.reach_targets(&[&new]).unwrap();
    let service_role = world.tools.assume(&world.service_role_arn).unwrap();
    let role = format!("arn:aws:iam::{}:role/{TARGET_ROLE}", new.id());
    assert!(
        reads_artifact(world, &service_role.assume(&role).unwrap()),
        "the new account's target role reads"
    );
    scene.assert_unchanged(&opened);

    // Others of the organization, and the same name outside it.
    assert!(!reads_artifact(world, &session(&new, "/", "CrosspipeTargetRole2")));
    assert!(!reads_artifact(world, &session(&new, "/CrosspipeTargetRole/", "Other")));
    join(&stranger, "o-zzzzzzzzzz");
    assert!(!reads_artifact(world, &session(&stranger, "/", TARGET_ROLE)));
    let trusting = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": world.service_role_arn}, "Action": "sts:AssumeRole"}]});
    let request = json!({"RoleName": TARGET_ROLE, "PolicyDocument": trusting.to_string()});
    stranger.call("iam", "update_assume_role_policy", request).unwrap();
    let role = format!("arn:aws:iam::{}:role/{TARGET_ROLE}", stranger.id());
    assert_eq!(service_role.assume(&role).unwrap_err().code, "AccessDenied");
}

/// The reporter reads the target account's roles, which it may by the organization alone.
#[test]
fn reporter_looks_into_members() {
    let listening = Listening::to(deployed());
    let target = &listening.scene.world.target;
    let own = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": target.id()}, "Action": "sts:AssumeRole"}]});
    let request = json!({"RoleName": TARGET_ROLE, "PolicyDocument": own.to_string()});
    target.call("iam", "update_assume_role_policy", request).unwrap();
    listening.run_pipeline();
    let report: Value = listening.report().expect("a report");
    assert_eq!(report["rootCause"]["rule"], "IA002", "{report}");
    // Its roles were read: whether an account is a member of the organization is not known to the reporter, so rules
    // that need to know say nothing.
    assert!(report["deployment"]["notRead"].is_null(), "{report}");
}
