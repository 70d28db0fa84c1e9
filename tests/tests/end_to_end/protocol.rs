//! The function behind the custom resources, invoked as CloudFormation does, more than once.

use std::thread;
use std::time::Duration;

use crosspipe_e2e::answers::Answers;
use serde_json::{Value, json};

use crate::scene::Scene;

/// Invokes the function as CloudFormation does, and takes its answer.
fn send(answers: &Answers, scene: &Scene, request: &Value) -> Value {
    let mut request = request.clone();
    let request_id = request["RequestId"].as_str().unwrap().to_owned();
    request["ResponseURL"] = json!(answers.url(&request_id));
    let invocation =
        json!({"FunctionName": scene.outputs["AccessProviderArn"], "Payload": request.to_string()});
    scene.world.tools.call("lambda", "invoke", invocation).unwrap();
    answers.wait_for(&request_id, Duration::from_secs(60)).unwrap()
}

#[track_caller]
fn refused(answers: &Answers, scene: &Scene, request: &Value, part: &str) {
    let live = scene.live();
    let answer = send(answers, scene, request);
    assert_eq!(answer["Status"], "FAILED", "{answer}");
    let reason = answer["Reason"].as_str().unwrap();
    assert!(reason.contains(part) && reason.contains("nothing was changed"), "`{part}` is not in: {reason}");
    scene.assert_unchanged(&live);
}

fn request(scene: &Scene, kind: &str, stack_id: &str, request_id: &str) -> Value {
    json!({
        "RequestType": kind, "StackId": stack_id, "RequestId": request_id, "LogicalResourceId": "Resource",
        "ResourceType": "Custom::ArtifactKeyGrant", "PhysicalResourceId": "forged",
        "ResourceProperties": scene.key_grant(&["555555555555"]),
    })
}

fn stack_id(scene: &Scene, stack: &str) -> Option<String> {
    let described = scene.world.tools.call("cloudformation", "describe_stacks", json!({"StackName": stack}));
    described.ok().map(|it| it["Stacks"][0]["StackId"].as_str().unwrap().to_owned())
}

/// A stack with the resource and something that it waits for.
fn waiting_stack(scene: &Scene) -> String {
    let grant = scene.key_grant(&["555555555555"]);
    let mut template: Value = serde_json::from_str(&scene.template("ArtifactKeyGrant", grant)).unwrap();
    template["Resources"]["Handle"] = json!({"Type": "AWS::CloudFormation::WaitConditionHandle"});
    template["Resources"]["Wait"] = json!({"Type": "AWS::CloudFormation::WaitCondition", "DependsOn": "Resource",
        "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "45"}});
    template.to_string()
}

#[test]
fn repeated_requests_are_harmless() {
    let scene = Scene::deployed();
    let before = scene.live();
    let answers = Answers::start().unwrap();
    thread::scope(|threads| {
        let (tools, template) = (&scene.world.tools, waiting_stack(&scene));
        let creation = threads.spawn(move || tools.deploy_stack("waiting", &template, &[], &[]));
        let start = std::time::Instant::now();
        while !scene.live().key_policy.to_string().contains("555555555555") {
            assert!(start.elapsed() < Duration::from_secs(60), "nothing was granted");
            thread::sleep(Duration::from_millis(50));
        }
        let id = stack_id(&scene, "waiting").unwrap();
        let granted = scene.live();
        let copy = request(&scene, "Create", &id, "copy");
        let first = send(&answers, &scene, &copy);
        assert_eq!(first["Status"], "SUCCESS", "{first}");
        assert_eq!(send(&answers, &scene, &copy), first);
        scene.assert_unchanged(&granted);

        let mut other_type = copy.clone();
        other_type["ResourceType"] = json!("Custom::ArtifactBucketGrant");
        refused(&answers, &scene, &other_type, "is of type Custom::ArtifactKeyGrant");
        let mut other_resource = copy.clone();
        other_resource["LogicalResourceId"] = json!("Handle");
        refused(&answers, &scene, &other_resource, "`Handle`");

        // A Create that comes when its resource is deleted does not come back.
        let mut delete = request(&scene, "Delete", &id, "delete");
        delete["PhysicalResourceId"] = first["PhysicalResourceId"].clone();
        for _ in 0..2 {
            let deleted = send(&answers, &scene, &delete);
            assert_eq!(deleted["Status"], "SUCCESS", "{deleted}");
            scene.assert_unchanged(&before);
        }
        refused(&answers, &scene, &copy, "was served before a later one");
        creation.join().unwrap().unwrap_err();
    });
    scene.delete("waiting");
    scene.assert_unchanged(&before);
    scene.remove();
}

#[test]
fn forged_requests_change_nothing() {
    let scene = Scene::deployed();
    let answers = Answers::start().unwrap();
    scene.create("grant", "ArtifactKeyGrant", scene.key_grant(&["666666666666"])).unwrap();
    let id = stack_id(&scene, "grant").unwrap();
    for kind in ["Create", "Update", "Delete"] {
        refused(&answers, &scene, &request(&scene, kind, &id, kind), "the stack is CREATE_COMPLETE");
    }
    let (account, target) = (scene.world.tools.id(), scene.world.target.id());
    for (stack_id, part) in [
        (id.replace(account, target), "is not a stack of account"),
        (id.replace("eu-west-1", "eu-west-2"), "is not a stack of account"),
        (id.replace("/grant/", "/missing/"), "the stack does not exist"),
        ("grant".to_owned(), "`StackId`"),
    ] {
        refused(&answers, &scene, &request(&scene, "Create", &stack_id, "forged"), part);
    }
    scene.delete("grant");
    // Late.
    refused(&answers, &scene, &request(&scene, "Create", &id, "late"), "the stack ");
    scene.remove();
}
