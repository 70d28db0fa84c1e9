//! AWS on a bad day: throttling, conflicts, propagation, lost answers.

use crosspipe_e2e::{CallError, LocalAws};
use serde_json::json;

use crate::scene::Scene;

fn fault(scene: &Scene, service: &str, operation: &str, times: u32, code: &str, message: &str, status: u16) {
    let error = CallError { code: code.into(), message: message.into(), status };
    LocalAws::shared().fault(scene.world.tools.id(), service, operation, times, &error).unwrap();
}

#[test]
fn throttling_and_conflicts_pass() {
    let scene = Scene::deployed();
    let before = scene.live();
    fault(&scene, "kms", "GetKeyPolicy", 2, "ThrottlingException", "Rate exceeded", 400);
    fault(&scene, "dynamodb", "UpdateItem", 2, "ThrottlingException", "Rate exceeded", 400);
    scene.create("key", "ArtifactKeyGrant", scene.key_grant(&["555555555555"])).unwrap();
    fault(
        &scene,
        "s3",
        "PutBucketPolicy",
        2,
        "OperationAborted",
        "A conflicting conditional operation is currently in progress",
        409,
    );
    scene.create("bucket", "ArtifactBucketGrant", scene.bucket_grant(&["555555555555"])).unwrap();
    scene.delete("bucket");
    scene.delete("key");
    scene.assert_unchanged(&before);
    scene.remove();
}

#[test]
fn lost_put_answer_is_verified() {
    let scene = Scene::deployed();
    let before = scene.live();
    let lost = json!({"account": scene.world.tools.id(), "service": "kms", "operation": "PutKeyPolicy", "code": "KMSInternalException", "message": "lost", "status": 500, "times": 1, "after": true});
    LocalAws::shared().control("fault", &lost).unwrap();
    scene.create("key", "ArtifactKeyGrant", scene.key_grant(&["555555555555"])).unwrap();
    scene.delete("key");
    scene.assert_unchanged(&before);
    scene.remove();
}

/// UpdatePipeline checks that the service role can assume the action's role, which takes IAM a while to know.
#[test]
fn propagation_is_waited_for() {
    let scene = Scene::deployed();
    let before = scene.live();
    let world = &scene.world;
    let refusal = format!(
        "{} is not authorized to perform AssumeRole on role {}",
        world.service_role_arn,
        world.target_role_arn()
    );
    fault(&scene, "codepipeline", "UpdatePipeline", 2, "InvalidStructureException", &refusal, 400);
    let action = json!({"Stage": "Staging", "Action": {
        "Name": "Second", "RunOrder": "2", "RoleArn": world.target_role_arn(),
        "ActionTypeId": {"Category": "Deploy", "Owner": "AWS", "Provider": "CodeDeploy", "Version": "1"},
        "Configuration": {"ApplicationName": "a", "DeploymentGroupName": "g"}, "InputArtifacts": [{"Name": "BuildOutput"}],
    }});
    scene
        .create("patch", "PipelinePatch", json!({"PipelineName": world.pipeline, "Actions": [action]}))
        .unwrap();
    scene.delete("patch");
    scene.assert_unchanged(&before);
    scene.remove();
}

/// What does not pass by itself is said before the function's time is up, with both sides to look at.
#[test]
fn missing_trust_names_both_sides() {
    let scene = Scene::deployed();
    let before = scene.live();
    let world = &scene.world;
    let function = json!({"FunctionName": scene.outputs["AccessProviderArn"], "Timeout": 25});
    world.tools.call("lambda", "update_function_configuration", function).unwrap();
    let untrusting = format!("arn:aws:iam::{}:role/{}", world.target.id(), world.instance_role);
    let roles = json!([{"Stage": "Staging", "Action": "Deploy", "RoleArn": untrusting}]);
    let reason =
        scene.refused("PipelinePatch", json!({"PipelineName": world.pipeline, "ActionRoles": roles}));
    for part in [
        "is not authorized to perform AssumeRole",
        "Custom::ServiceRoleGrant",
        "target-account.yaml",
        "IA001, IA002",
    ] {
        assert!(reason.contains(part), "`{part}` is not in: {reason}");
    }
    scene.assert_unchanged(&before);
    scene.remove();
}

/// What a role was just allowed is in force only a moment after it was made: its first calls are denied.
#[test]
fn first_calls_of_a_fresh_role_pass() {
    let scene = Scene::deployed_with(|world, _| {
        for (service, operation, code) in [
            ("cloudformation", "DescribeStackResource", "AccessDenied"),
            ("dynamodb", "UpdateItem", "AccessDeniedException"),
            ("kms", "GetKeyPolicy", "AccessDeniedException"),
            ("s3", "PutBucketPolicy", "AccessDenied"),
            ("iam", "ListRolePolicies", "AccessDenied"),
            ("codepipeline", "GetPipeline", "AccessDeniedException"),
        ] {
            let error = CallError { code: code.into(), message: "not authorized yet".into(), status: 400 };
            LocalAws::shared().fault(world.tools.id(), service, operation, 2, &error).unwrap();
        }
    });
    scene.remove();
}
