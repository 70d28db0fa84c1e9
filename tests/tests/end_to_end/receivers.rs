//! Every receiver reads the same, once, whatever events of a failure come.

use std::collections::BTreeSet;

use crosspipe_e2e::world::{Parameters, World};
use crosspipe_e2e::{LocalAws, Subscriber};
use serde_json::{Value, json};

use crate::alerts::{Listening, PATIENCE};
use crate::permissions::remove;

impl Listening {
    /// Hands an event to the reporter and waits until it has served it.
    pub(crate) fn invoke(&self, event: &Value) {
        let function = self.scene.role_name("FailureReporter");
        let invocation = json!({"FunctionName": function, "Payload": event.to_string()});
        let answer = self.scene.world.tools.call("lambda", "invoke", invocation).unwrap();
        assert_eq!(answer.get("FunctionError"), None, "{answer}");
    }

    /// No events of EventBridge reach the reporter any more.
    pub(crate) fn disable_rule(&self) {
        let rule = json!({"Name": self.scene.role_name("FailedActions")});
        self.scene.world.tools.call("events", "disable_rule", rule).unwrap();
    }

    /// The newest action execution that failed, as `ListActionExecutions` has it.
    pub(crate) fn failed_action(&self) -> Value {
        let world = &self.scene.world;
        let request = json!({"pipelineName": world.pipeline});
        let answer = world.tools.call("codepipeline", "list_action_executions", request).unwrap();
        let details = answer["actionExecutionDetails"].as_array().unwrap();
        details.iter().find(|detail| detail["status"] == "Failed").expect("a failed action").clone()
    }

    /// An event of the failure: of its action, its stage or its pipeline.
    pub(crate) fn event_of(&self, level: &str, failed: &Value) -> Value {
        let world = &self.scene.world;
        let mut detail = json!({
            "pipeline": world.pipeline, "execution-id": failed["pipelineExecutionId"], "state": "FAILED", "version": 3.0,
        });
        if level != "Pipeline" {
            detail["stage"] = failed["stageName"].clone();
        }
        if level == "Action" {
            detail["action"] = failed["actionName"].clone();
            detail["action-execution-id"] = failed["actionExecutionId"].clone();
            detail["type"] = failed["input"]["actionTypeId"].clone();
        }
        json!({
            "version": "0", "id": "e", "detail-type": format!("CodePipeline {level} Execution State Change"),
            "source": "aws.codepipeline", "account": world.tools.id(), "region": world.tools.region(),
            "resources": [world.pipeline_arn()], "detail": detail,
        })
    }
}

/// As a notification rule sends it to a topic.
fn as_notified(mut event: Value) -> Value {
    let members = event.as_object_mut().unwrap();
    members.remove("id");
    members.remove("version");
    let kind = members.remove("detail-type").unwrap();
    members.insert("detailType".into(), kind);
    members
        .insert("additionalAttributes".into(), json!({"failedActionCount": 1, "failedStage": "Production"}));
    event
}

/// As a topic hands it to a function.
fn notified(event: Value) -> Value {
    let message = as_notified(event).to_string();
    let sns = json!({"Type": "Notification", "Subject": null, "Message": message});
    json!({"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": sns}]})
}

fn with(parameters: &mut Parameters, given: &[(&'static str, &str)]) {
    parameters.extend(given.iter().map(|(name, value)| (*name, (*value).to_owned())));
}

/// A secret with this address.
fn secret(world: &World<'_>, url: &str) -> String {
    let request = json!({"Name": "webhook", "SecretString": url});
    let answer = world.tools.call("secretsmanager", "create_secret", request).unwrap();
    answer["ARN"].as_str().unwrap().to_owned()
}

#[test]
fn every_destination_gets_one_alert() {
    let webhook = Subscriber::start().unwrap();
    let listening = Listening::start_with(|world, parameters| {
        let secret = secret(world, &webhook.url());
        with(
            parameters,
            &[("ChatNotifications", "true"), ("WebhookSecretArn", &secret), ("ConsoleRoleName", "ReadOnly")],
        );
    });
    let (scene, world) = (&listening.scene, &listening.scene.world);
    let chat = Subscriber::start().unwrap();
    chat.subscribe(&world.tools, &scene.outputs["ChatTopicArn"], PATIENCE).unwrap();
    listening.clean_up_bucket_policy();
    listening.run_pipeline();

    let email = listening.alert().expect("an e-mail");
    let chatted = chat.wait_for(PATIENCE, |_| true).expect("a chat notification");
    let posted = webhook.wait_for(PATIENCE, |_| true).expect("a post to the webhook");
    let report = listening.report().expect("a report");
    let notification: Value = serde_json::from_str(chatted["Message"].as_str().unwrap()).unwrap();
    assert_eq!((&notification["version"], &notification["source"]), (&json!("1.0"), &json!("custom")));
    assert_eq!(notification["metadata"]["threadId"], report["executionId"]);
    assert_eq!(notification["metadata"]["relatedResources"], json!([world.pipeline_arn()]));
    assert_eq!(email["Subject"], notification["content"]["title"]);
    assert_eq!(email["Subject"], posted["blocks"][0]["text"]["text"]);
    let console =
        format!("https://signin.aws.amazon.com/switchrole?account={}&roleName=ReadOnly&", world.target.id());
    let escaped = console.replace('&', "&amp;");
    for (text, console) in [
        (email["Message"].as_str().unwrap().to_owned(), &console),
        (
            format!("{}\n{}", notification["content"]["description"], notification["content"]["nextSteps"]),
            &escaped,
        ),
        (posted["blocks"].to_string(), &escaped),
        (posted["text"].to_string(), &escaped),
    ] {
        let text = text.replace("\\\"", "\"");
        for part in [report["headline"].as_str().unwrap(), "S3001, confirmed", "\"s3:GetObject\"", console] {
            assert!(text.contains(part), "`{part}` is not in:\n{text}");
        }
    }

    // The events of its stage and its pipeline, and all of them once more.
    let failed = listening.failed_action();
    assert_eq!(failed["actionExecutionId"], report["actionExecutionId"]);
    for level in ["Pipeline", "Action", "Stage"] {
        let event = listening.event_of(level, &failed);
        listening.invoke(&event);
        listening.invoke(&notified(event));
    }
    for (name, receiver) in [("e-mail", &listening.subscriber), ("chat", &chat), ("webhook", &webhook)] {
        assert_eq!(receiver.notifications(), Vec::<Value>::new(), "{name}");
    }

    // One who can't be told keeps nobody else from being told.
    let role = scene.role_name("FailureReporterRole");
    scene.change_role(&role, "Webhook", |policy| remove(policy, "secretsmanager:GetSecretValue"));
    listening.run_pipeline();
    listening.alert().expect("an e-mail");
    chat.wait_for(PATIENCE, |_| true).expect("a chat notification");
    let dead =
        listening.message(&scene.outputs["ReporterDeadLettersUrl"]).expect("a dead letter").to_string();
    assert!(dead.contains("secretsmanager:GetSecretValue"), "{dead}");
    assert!(!dead.contains(&webhook.url()), "{dead}");
    assert_eq!(webhook.notifications(), Vec::<Value>::new());
}

#[test]
fn any_failure_event_is_enough() {
    let mut topic = String::new();
    let listening = Listening::start_with(|world, parameters| {
        let answer = world.tools.call("sns", "create_topic", json!({"Name": "notifications"})).unwrap();
        answer["TopicArn"].as_str().unwrap().clone_into(&mut topic);
        with(parameters, &[("NotificationTopicArn", &topic)]);
    });
    listening.disable_rule();
    listening.clean_up_bucket_policy();
    let mut told = BTreeSet::new();
    for level in ["Pipeline", "Stage", "Action"] {
        for through_sns in [true, false] {
            listening.run_pipeline();
            let failed = listening.failed_action();
            let event = listening.event_of(level, &failed);
            if through_sns {
                let message = json!({"TopicArn": topic, "Message": as_notified(event).to_string()});
                listening.scene.world.tools.call("sns", "publish", message).unwrap();
            } else {
                listening.invoke(&event);
            }
            let report = listening.report().unwrap_or_else(|| panic!("no report of the {level} event"));
            assert_eq!(report["actionExecutionId"], failed["actionExecutionId"], "{level}");
            assert_eq!(report["rootCause"]["rule"], "S3001", "{level}: {report}");
            listening.alert().unwrap_or_else(|| panic!("no alert of the {level} event"));
            assert!(told.insert(failed["actionExecutionId"].to_string()));
        }
    }
    assert!(listening.subscriber.notifications().is_empty());
}

/// A failure of the pipeline's own account is told in a note, if at all; an approval that was rejected never.
#[test]
fn own_account_failures_are_notes() {
    let listening =
        Listening::start_with(|_, parameters| with(parameters, &[("SameAccountFailures", "note")]));
    let world = &listening.scene.world;
    let live = world.tools.call("codepipeline", "get_pipeline", json!({"name": world.pipeline})).unwrap();
    let own = &live["pipeline"]["stages"][1];
    let failure = json!({
        "account": world.tools.id(), "region": world.tools.region(), "pipeline": world.pipeline, "stage": own["name"],
        "action": own["actions"][0]["name"], "code": "JobFailed", "summary": "Build terminated with state: FAILED",
        "externalExecutionId": "b:1",
    });
    LocalAws::shared().control("fail", &failure).unwrap();
    listening.run_pipeline();
    let note = listening.alert().expect("a note");
    let (subject, text) = (note["Subject"].as_str().unwrap(), note["Message"].as_str().unwrap());
    assert!(subject.contains("failed in") && !subject.contains('['), "{subject}");
    assert!(text.contains("pipeline's own account: Build terminated with state: FAILED"), "{text}");
    assert!(!text.contains("\nFix\n"), "{text}");

    // Its stage and its pipeline failed, too; and so would they for an approval.
    let failed = listening.failed_action();
    for level in ["Pipeline", "Stage", "Action"] {
        listening.invoke(&listening.event_of(level, &failed));
    }
    let mut rejected = listening.event_of("Action", &failed);
    rejected["detail"]["action-execution-id"] = json!("another");
    rejected["detail"]["type"] =
        json!({"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"});
    listening.invoke(&rejected);
    assert!(listening.subscriber.notifications().is_empty());
}
