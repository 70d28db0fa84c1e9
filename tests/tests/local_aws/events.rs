//! EventBridge and SNS: a failed action reaches those who listen.

use std::time::{Duration, Instant};

use crosspipe_e2e::{Account, Subscriber};
use serde_json::{Value, json};

use crate::support::Scene;

const PATIENCE: Duration = Duration::from_secs(30);

/// Takes messages from the queue until one fits.
fn receive(account: &Account<'_>, queue_url: &Value, fits: impl Fn(&Value) -> bool) -> Value {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        let request = json!({"QueueUrl": queue_url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1});
        let answer = account.call("sqs", "receive_message", request).unwrap();
        let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
        let bodies =
            messages.iter().filter_map(|message| serde_json::from_str(message["Body"].as_str()?).ok());
        if let Some(found) = bodies.into_iter().find(|body| fits(body)) {
            return found;
        }
    }
    panic!("no such message in {queue_url}");
}

#[test]
fn failed_action_reaches_queue() {
    let scene = Scene::with_grants();
    scene.create_pipeline("run");
    let queue =
        scene.a.call("sqs", "create_queue", json!({"QueueName": "failures"})).unwrap()["QueueUrl"].take();
    let pattern = json!({
        "source": ["aws.codepipeline"], "detail-type": ["CodePipeline Action Execution State Change"],
        "detail": {"state": ["FAILED"]},
    });
    scene
        .a
        .call("events", "put_rule", json!({"Name": "failures", "EventPattern": pattern.to_string()}))
        .unwrap();
    let arn = format!("arn:aws:sqs:eu-west-1:{}:failures", scene.a.id());
    scene
        .a
        .call("events", "put_targets", json!({"Rule": "failures", "Targets": [{"Id": "1", "Arn": arn}]}))
        .unwrap();

    scene.a.call("s3", "delete_bucket_policy", json!({"Bucket": scene.bucket})).unwrap();
    assert_eq!(scene.deploy("run").0, "Failed");
    let event = receive(&scene.a, &queue, |_| true);
    let detail = &event["detail"];
    let shown = (&detail["pipeline"], &detail["stage"], &detail["action"], &detail["state"]);
    assert_eq!(shown, (&json!("run"), &json!("Staging"), &json!("Deploy"), &json!("FAILED")));
    assert_eq!(detail["execution-result"]["error-code"], "PermissionError");
    assert_eq!(detail["type"]["provider"], "CodeDeploy");
    assert_eq!(detail.get("roleArn"), None, "the event does not say whose role it was");
    assert_eq!(event["account"], scene.a.id());
    assert_eq!(event["resources"], json!([format!("arn:aws:codepipeline:eu-west-1:{}:run", scene.a.id())]));
}

#[test]
fn subscriber_gets_what_is_published() {
    let [id] = crosspipe_e2e::LocalAws::shared().new_accounts();
    let account = crosspipe_e2e::LocalAws::shared().account(id);
    let topic = account.call("sns", "create_topic", json!({"Name": "alerts"})).unwrap()["TopicArn"].take();
    let subscriber = Subscriber::start().unwrap();
    subscriber.subscribe(&account, topic.as_str().unwrap(), PATIENCE).unwrap();
    for message in ["first", "second"] {
        account
            .call("sns", "publish", json!({"TopicArn": topic, "Subject": "alert", "Message": message}))
            .unwrap();
    }
    let second = subscriber.wait_for(PATIENCE, |notification| notification["Message"] == "second").unwrap();
    assert_eq!(second["Subject"], "alert");
    assert!(subscriber.wait_for(PATIENCE, |notification| notification["Message"] == "first").is_some());
    assert_eq!(subscriber.notifications(), Vec::<Value>::new());
}

#[test]
fn registered_deployment_can_be_looked_up() {
    let scene = Scene::with_grants();
    let target = json!({"deploymentTargetType": "InstanceTarget", "instanceTarget": {"targetId": "i-1", "status": "Failed"}});
    let deployment = json!({
        "account": scene.b.id(), "region": "eu-west-1", "targets": [target],
        "deploymentInfo": {"deploymentId": "d-1", "applicationName": "app", "deploymentGroupName": "group",
                           "status": "Failed", "errorInformation": {"code": "HEALTH_CONSTRAINTS", "message": "too few"}},
    });
    scene.b.aws().control("deployment", &deployment).unwrap();
    // As the role whose permissions are enforced: it may do `codedeploy:*`.
    let role = scene.a.assume(&scene.service_role).unwrap().assume(&scene.target_role).unwrap();
    let info = role.call("codedeploy", "get_deployment", json!({"deploymentId": "d-1"})).unwrap();
    assert_eq!(info["deploymentInfo"]["errorInformation"]["code"], "HEALTH_CONSTRAINTS");
    let ids = role.call("codedeploy", "list_deployment_targets", json!({"deploymentId": "d-1"})).unwrap();
    let request = json!({"deploymentId": "d-1", "targetIds": ids["targetIds"]});
    let targets = role.call("codedeploy", "batch_get_deployment_targets", request).unwrap();
    assert_eq!(targets["deploymentTargets"][0]["instanceTarget"]["status"], "Failed");

    let unknown = role.call("codedeploy", "get_deployment", json!({"deploymentId": "d-2"})).unwrap_err();
    assert_eq!(unknown.code, "DeploymentDoesNotExistException");
    scene.b.call("iam", "delete_role_policy", json!({"RoleName": "XR", "PolicyName": "deploy"})).unwrap();
    let denied = role.call("codedeploy", "get_deployment", json!({"deploymentId": "d-1"})).unwrap_err();
    assert_eq!(denied.code, "AccessDeniedException");
}
