//! Another writer edits between two attempts of ours: each attempt reads anew, so the edit survives.

use std::thread;
use std::time::{Duration, Instant};

use crosspipe_e2e::{CallError, LocalAws};
use serde_json::{Value, json};

use crate::scene::Scene;

/// How often AWS refuses the write before it lets it through.
const REFUSALS: u32 = 3;

fn refuse(scene: &Scene, service: &str, operation: &str, code: &str, message: &str) {
    let error = CallError { code: code.into(), message: message.into(), status: 400 };
    LocalAws::shared().fault(scene.world.tools.id(), service, operation, REFUSALS, &error).unwrap();
}

fn calls(scene: &Scene, service: &str, operation: &str) -> usize {
    let request = json!({"account": scene.world.tools.id(), "service": service, "operation": operation});
    LocalAws::shared().control("calls", &request).unwrap()["calls"].as_array().unwrap().len()
}

/// Creates the resource, and calls `edit` as soon as its first attempt to write was refused.
fn create_and_edit(
    scene: &Scene,
    operation: (&str, &str),
    kind: &str,
    properties: Value,
    edit: impl FnOnce(),
) {
    let before = calls(scene, operation.0, operation.1);
    thread::scope(|threads| {
        let creation = threads.spawn(|| scene.create("stale", kind, properties));
        let start = Instant::now();
        while calls(scene, operation.0, operation.1) == before {
            assert!(start.elapsed() < Duration::from_secs(60), "no attempt to write");
            thread::sleep(Duration::from_millis(20));
        }
        edit();
        creation.join().unwrap().unwrap_or_else(|error| panic!("{error}"));
    });
}

#[test]
fn pipeline_edit_survives() {
    let scene = Scene::deployed();
    let world = &scene.world;
    let role = world.target_role_arn();
    let refusal =
        format!("{} is not authorized to perform AssumeRole on role {role}", world.service_role_arn);
    refuse(&scene, "codepipeline", "UpdatePipeline", "InvalidStructureException", &refusal);
    let roles = json!([{"Stage": "Staging", "Action": "Deploy", "RoleArn": role}]);
    let properties = json!({"PipelineName": world.pipeline, "ActionRoles": roles});
    // Straight into the store of the local AWS, past the fault: as a colleague's UpdatePipeline in between.
    create_and_edit(&scene, ("codepipeline", "UpdatePipeline"), "PipelinePatch", properties, || {
        let mut pipeline = scene.live().pipeline;
        pipeline["stages"][0]["actions"][0]["namespace"] = json!("EditedMeanwhile");
        let update = json!({"pipeline": pipeline});
        let start = Instant::now();
        while let Err(error) = world.tools.call("codepipeline", "update_pipeline", update.clone()) {
            assert!(
                error.code == "InvalidStructureException" && start.elapsed() < Duration::from_secs(20),
                "{error}"
            );
        }
    });
    let patched = scene.live().pipeline;
    assert_eq!(
        patched["stages"][0]["actions"][0]["namespace"], "EditedMeanwhile",
        "the colleague's edit is lost"
    );
    assert!(patched.to_string().contains(&role));
    scene.delete("stale");
    assert_eq!(scene.live().pipeline["stages"][0]["actions"][0]["namespace"], "EditedMeanwhile");
}

/// CodePipeline has no condition on an update; it counts versions, which tells that another one came between.
#[test]
fn pipeline_edit_between_read_and_write_survives() {
    let scene = Scene::deployed();
    let world = &scene.world;
    let mut edited = scene.live().pipeline;
    edited["stages"][0]["actions"][0]["namespace"] = json!("EditedMeanwhile");
    let edit = json!({"account": world.tools.id(), "region": world.tools.region(), "pipeline": edited});
    LocalAws::shared().control("edit", &edit).unwrap();
    let roles = json!([{"Stage": "Staging", "Action": "Deploy", "RoleArn": world.target_role_arn()}]);
    let properties = json!({"PipelineName": world.pipeline, "ActionRoles": roles});
    let mut template: Value = serde_json::from_str(&scene.template("PipelinePatch", properties)).unwrap();
    template["Outputs"] = json!({"Notice": {"Value": {"Fn::GetAtt": ["Resource", "Notice"]}}});
    let outputs = world.tools.deploy_stack("stale", &template.to_string(), &[], &[]).unwrap();
    let patched = scene.live().pipeline;
    assert_eq!(
        patched["stages"][0]["actions"][0]["namespace"], "EditedMeanwhile",
        "the colleague's edit is lost"
    );
    assert!(patched["stages"].to_string().contains(&world.target_role_arn()));
    let (lost, notice) = (patched["version"].as_u64().unwrap() - 2, &outputs["Notice"]);
    assert!(notice.contains(&format!("--pipeline-version {lost}")), "{notice}");
    scene.delete("stale");
    assert_eq!(scene.live().pipeline["stages"][0]["actions"][0]["namespace"], "EditedMeanwhile");
}

#[test]
fn key_policy_edit_survives() {
    let scene = Scene::deployed();
    let world = &scene.world;
    refuse(
        &scene,
        "kms",
        "PutKeyPolicy",
        "MalformedPolicyDocumentException",
        "Policy contains a statement with one or more invalid principals.",
    );
    let edited = json!({"Sid": "EditedMeanwhile", "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{}:root", world.tools.id())},
        "Action": "kms:ListGrants", "Resource": "*"});
    create_and_edit(
        &scene,
        ("kms", "PutKeyPolicy"),
        "ArtifactKeyGrant",
        scene.key_grant(&["555555555555"]),
        || {
            let mut policy = scene.live().key_policy;
            policy["Statement"].as_array_mut().unwrap().push(edited);
            let put = json!({"KeyId": world.key_arn, "PolicyName": "default", "Policy": policy.to_string()});
            let start = Instant::now();
            while let Err(error) = world.tools.call("kms", "put_key_policy", put.clone()) {
                assert!(
                    error.code == "MalformedPolicyDocumentException"
                        && start.elapsed() < Duration::from_secs(20),
                    "{error}"
                );
            }
        },
    );
    let policy = scene.live().key_policy.to_string();
    assert!(policy.contains("EditedMeanwhile"), "the colleague's statement is lost");
    assert!(policy.contains("555555555555"));
    scene.delete("stale");
    assert!(scene.live().key_policy.to_string().contains("EditedMeanwhile"));
}
