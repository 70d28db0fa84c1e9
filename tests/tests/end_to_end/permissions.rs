//! Each permission of the access provider's role, taken away in turn: a clear reason, and a clean rollback.

use crosspipe_e2e::StackError;
use serde_json::{Value, json};

use crate::scene::Scene;

const POLICY: &str = "AccessProvider";
/// The build project of these stacks.
const PROJECT: &str = "permissions";

/// Not asked for by the local AWS, or not by the function itself.
const NOT_ENFORCED_HERE: [&str; 4] = [
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "codeconnections:PassConnection",
    "codestar-connections:PassConnection",
];

/// Only Delete needs these.
const FOR_DELETE: [&str; 2] = ["s3:DeleteBucketPolicy", "iam:DeleteRolePolicy"];

#[test]
fn missing_permissions_are_named() {
    let scene = Scene::deployed();
    let role = scene.role_name("AccessProviderRole");
    let name = json!({"RoleName": role, "PolicyName": POLICY});
    let whole = scene.world.tools.call("iam", "get_role_policy", name).unwrap()["PolicyDocument"].clone();
    scene.make_build_project(PROJECT, &scene.world.service_role_arn);
    let mut tried = 0;
    for action in actions(&whole).iter().filter(|action| !NOT_ENFORCED_HERE.contains(&action.as_str())) {
        scene.change_role(&role, POLICY, |policy| remove(policy, action));
        let before = scene.live();
        if FOR_DELETE.contains(&action.as_str()) {
            denied_on_delete(&scene, action, || {
                scene.change_role(&role, POLICY, |policy| *policy = whole.clone())
            });
        } else {
            denied_on_create(&scene, action);
            scene.assert_unchanged(&before);
        }
        scene.change_role(&role, POLICY, |policy| *policy = whole.clone());
        tried += 1;
    }
    assert_eq!(tried, 22, "a new permission is tried, too");
    // That on build projects is in a policy of its own, which an installation without such projects does not have.
    let name = json!({"RoleName": role, "PolicyName": "BuildProjects"});
    let of_projects =
        scene.world.tools.call("iam", "get_role_policy", name).unwrap()["PolicyDocument"].clone();
    scene.change_role(&role, "BuildProjects", |policy| remove(policy, "codebuild:UpdateProject"));
    let before = scene.live();
    denied_on_create(&scene, "codebuild:UpdateProject");
    scene.assert_unchanged(&before);
    scene.change_role(&role, "BuildProjects", |policy| *policy = of_projects);
    scene.world.remove_tools().unwrap_or_else(|error| panic!("{error}"));
}

fn denied_on_create(scene: &Scene, action: &str) {
    let Err(StackError::Failed(failure)) = create(scene) else { panic!("created without {action}") };
    assert_eq!(failure.status, "ROLLBACK_COMPLETE", "without {action}: {failure}");
    let reasons: Vec<&str> =
        ["Key", "Bucket", "Role", "Project", "Patch"].iter().filter_map(|id| failure.reason(id)).collect();
    assert!(
        reasons.iter().any(|reason| reason.contains(action) && reason.contains("Next:")),
        "without {action}: {reasons:?}"
    );
    scene.delete("all");
}

fn denied_on_delete(scene: &Scene, action: &str, restore: impl FnOnce()) {
    let tools = &scene.world.tools;
    if action == "s3:DeleteBucketPolicy" {
        // Only a policy in which nothing is left is deleted.
        tools.call("s3", "delete_bucket_policy", json!({"Bucket": scene.world.bucket})).unwrap();
    }
    create(scene).unwrap_or_else(|error| panic!("{error}"));
    let Err(StackError::Failed(failure)) = tools.delete_stack("all") else {
        panic!("deleted without {action}")
    };
    assert_eq!(failure.status, "DELETE_FAILED", "{failure}");
    assert!(failure.to_string().contains(action), "{failure}");
    restore();
    scene.delete("all");
}

/// All custom resources, in one stack, each on what the first stack has patched already.
fn create(scene: &Scene) -> Result<(), StackError> {
    let world = &scene.world;
    let resource = |kind: &str, mut properties: Value, after: &[&str]| {
        properties["ServiceToken"] = json!(scene.outputs["AccessProviderArn"]);
        json!({"Type": format!("Custom::{kind}"), "Properties": properties, "DependsOn": after})
    };
    let action = json!({"Stage": "Canary", "AfterStage": "Staging", "Action": {
        "Name": "Deploy", "RoleArn": world.target_role_arn(),
        "ActionTypeId": {"Category": "Deploy", "Owner": "AWS", "Provider": "CodeDeploy", "Version": "1"},
        "Configuration": {"ApplicationName": "a", "DeploymentGroupName": "g"}, "InputArtifacts": [{"Name": "BuildOutput"}],
    }});
    let template = json!({"Resources": {
        "Key": resource("ArtifactKeyGrant", scene.key_grant(&["555555555555"]), &[]),
        "Bucket": resource("ArtifactBucketGrant", scene.bucket_grant(&["555555555555"]), &["Key"]),
        "Role": resource("ServiceRoleGrant", json!({"RoleName": world.service_role, "TargetRoleArns": world.target_role_arn()}), &["Bucket"]),
        "Project": resource("BuildProjectKey", json!({"ProjectNames": PROJECT, "KeyArn": world.key_arn}), &["Role"]),
        "Patch": resource("PipelinePatch", json!({"PipelineName": world.pipeline, "Actions": [action], "StartExecution": "true"}), &["Project"]),
    }});
    world.tools.deploy_stack("all", &template.to_string(), &[], &[]).map(drop)
}

pub(crate) fn actions(policy: &Value) -> Vec<String> {
    let statements = policy["Statement"].as_array().unwrap();
    let actions = statements.iter().flat_map(|statement| one_or_many(&statement["Action"]));
    actions.collect()
}

pub(crate) fn remove(policy: &mut Value, action: &str) {
    for statement in policy["Statement"].as_array_mut().unwrap() {
        let mut left = one_or_many(&statement["Action"]);
        left.retain(|other| other != action);
        // A statement needs an action.
        statement["Action"] = if left.is_empty() { json!("sts:GetSessionToken") } else { json!(left) };
    }
}

fn one_or_many(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    value.as_array().map_or_else(|| vec![text(value)], |list| list.iter().map(text).collect())
}
