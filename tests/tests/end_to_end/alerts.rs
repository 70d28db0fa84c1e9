//! A failed cross-account action, from the pipeline to the alert.

use std::time::Duration;

use crosspipe_e2e::Subscriber;
use crosspipe_e2e::world::{Parameters, World};
use serde_json::{Value, json};

use crate::scene::Scene;
use crate::ten_faults::inject;

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A deployed scene with a subscriber for alerts and a queue for reports.
pub(crate) struct Listening {
    pub scene: Scene,
    pub subscriber: Subscriber,
    queue: String,
}

impl Listening {
    pub(crate) fn start() -> Self {
        Self::to(Scene::deployed())
    }

    /// The same with the tools account's parameters changed.
    pub(crate) fn start_with(change: impl FnOnce(&World<'_>, &mut Parameters)) -> Self {
        Self::to(Scene::deployed_with(change))
    }

    /// To what this scene sends.
    pub(crate) fn to(scene: Scene) -> Self {
        let tools = &scene.world.tools;
        let subscriber = Subscriber::start().unwrap();
        subscriber.subscribe(tools, &scene.outputs["AlertTopicArn"], PATIENCE).unwrap();
        let queue = tools.call("sqs", "create_queue", json!({"QueueName": "reports"})).unwrap()["QueueUrl"]
            .as_str()
            .unwrap()
            .to_owned();
        let arn = format!("arn:aws:sqs:{}:{}:reports", tools.region(), tools.id());
        tools
            .call(
                "events",
                "put_rule",
                json!({"Name": "reports", "EventPattern": json!({"source": ["crosspipe"]}).to_string()}),
            )
            .unwrap();
        tools
            .call(
                "events",
                "put_targets",
                json!({"Rule": "reports", "Targets": [{"Id": "queue", "Arn": arn}]}),
            )
            .unwrap();
        Self { scene, subscriber, queue }
    }

    pub(crate) fn run_pipeline(&self) {
        let world = &self.scene.world;
        world
            .tools
            .call("codepipeline", "start_pipeline_execution", json!({"name": world.pipeline}))
            .unwrap();
    }

    /// Runs the pipeline to its end and answers the execution's status.
    pub(crate) fn run_to_its_end(&self) -> String {
        let world = &self.scene.world;
        let call = |operation, request| world.tools.call("codepipeline", operation, request).unwrap();
        let started = call("start_pipeline_execution", json!({"name": world.pipeline}));
        let id = &started["pipelineExecutionId"];
        loop {
            let request = json!({"pipelineName": world.pipeline, "pipelineExecutionId": id});
            let status = call("get_pipeline_execution", request)["pipelineExecution"]["status"].take();
            if status != "InProgress" {
                return status.as_str().unwrap().to_owned();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn alert(&self) -> Option<Value> {
        self.subscriber.wait_for(PATIENCE, |_| true)
    }

    /// The next report on the event bus.
    pub(crate) fn report(&self) -> Option<Value> {
        let event = self.event()?;
        assert_eq!(event["detail-type"], "Crosspipe Failure Report");
        Some(event["detail"].clone())
    }

    /// The next event on the event bus.
    pub(crate) fn event(&self) -> Option<Value> {
        self.message(&self.queue)
    }

    /// The next message of a queue, taken from it.
    pub(crate) fn message(&self, queue: &str) -> Option<Value> {
        let tools = &self.scene.world.tools;
        for _ in 0..60 {
            let request = json!({"QueueUrl": queue, "WaitTimeSeconds": 1});
            let answer = tools.call("sqs", "receive_message", request).unwrap();
            let Some(message) = answer["Messages"].as_array().and_then(|messages| messages.first()) else {
                continue;
            };
            let handle = json!({"QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"]});
            tools.call("sqs", "delete_message", handle).unwrap();
            return Some(serde_json::from_str(message["Body"].as_str().unwrap()).unwrap());
        }
        None
    }

    /// Somebody cleans up the bucket policy by hand.
    pub(crate) fn clean_up_bucket_policy(&self) {
        let world = &self.scene.world;
        let mut policy = self.scene.live().bucket_policy;
        policy["Statement"]
            .as_array_mut()
            .unwrap()
            .retain(|statement| !statement["Principal"].to_string().contains(world.target.id()));
        world
            .tools
            .call("s3", "put_bucket_policy", json!({"Bucket": world.bucket, "Policy": policy.to_string()}))
            .unwrap();
    }
}

#[test]
fn missing_bucket_grant_is_named() {
    let listening = Listening::start();
    listening.clean_up_bucket_policy();
    listening.run_pipeline();

    let alert = listening.alert().expect("an alert");
    let (subject, text) = (alert["Subject"].as_str().unwrap(), alert["Message"].as_str().unwrap());
    assert!(subject.contains("[S3001]") && subject.len() <= 100, "{subject}");
    let world = &listening.scene.world;
    for part in [
        "Cause (S3001, confirmed)",
        "\"s3:GetObject\"",
        &format!("arn:aws:iam::{}:root", world.target.id()),
        &world.bucket,
    ] {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
    let report = listening.report().expect("a report");
    assert_eq!(
        (&report["rootCause"]["rule"], &report["rootCause"]["confidence"]),
        (&json!("S3001"), &json!("confirmed"))
    );
    assert_eq!(
        (&report["targetAccount"], &report["pipelineAccount"]),
        (&json!(world.target.id()), &json!(world.tools.id()))
    );
    assert_eq!(
        report["unknown"],
        json!([{"rule": "IA007", "missing": "instanceRoles"}]),
        "everything else could be read in both accounts"
    );
    assert_eq!(report["deployment"]["notRead"], Value::Null, "{report}");
}

#[test]
fn missing_key_grant_in_either_account() {
    let listening = Listening::start();
    let world = &listening.scene.world;
    let granted = listening.scene.live().key_policy;
    let mut policy = granted.clone();
    policy["Statement"]
        .as_array_mut()
        .unwrap()
        .retain(|statement| !statement["Principal"].to_string().contains(world.target.id()));
    let put = |policy: &Value| {
        let request = json!({"KeyId": world.key_arn, "PolicyName": "default", "Policy": policy.to_string()});
        world.tools.call("kms", "put_key_policy", request).unwrap();
    };
    put(&policy);
    listening.run_pipeline();
    let report = listening.report().expect("a report");
    assert_eq!(report["rootCause"]["rule"], "KM001", "{report}");

    // Resolved here, and broken there: the role in the target account loses its key statement.
    put(&granted);
    inject::target_role_without_key(world);
    listening.run_pipeline();
    let report = listening.report().expect("a report");
    assert_eq!(report["rootCause"]["rule"], "IA004", "{report}");
    assert!(report["rootCause"]["fix"].as_str().unwrap().contains(&world.key_arn));
}

#[test]
fn duplicate_events_alert_once() {
    let listening = Listening::start();
    let world = &listening.scene.world;
    // Nobody may look into the target account any more.
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": world.target.id()}, "Action": "sts:AssumeRole"}]});
    let request = json!({"RoleName": "CrosspipeDiagnosticsRole", "PolicyDocument": trust.to_string()});
    world.target.call("iam", "update_assume_role_policy", request).unwrap();
    listening.clean_up_bucket_policy();
    listening.run_pipeline();
    let report = listening.report().expect("a report");
    assert_eq!(report["rootCause"]["rule"], "S3001", "what is wrong on this side is known: {report}");
    let unknown: Vec<&Value> =
        report["unknown"].as_array().unwrap().iter().map(|unknown| &unknown["rule"]).collect();
    assert_eq!(unknown, ["IA002", "IA003", "IA004", "IA005", "IA006", "IA007", "IA008", "IA012"], "{report}");
    listening.alert().expect("an alert");

    let event = json!({
        "detail-type": "CodePipeline Action Execution State Change", "account": world.tools.id(), "region": world.tools.region(),
        "resources": [world.pipeline_arn()],
        "detail": {
            "pipeline": report["pipeline"], "execution-id": report["executionId"], "action-execution-id": report["actionExecutionId"],
            "stage": report["stage"], "action": report["action"], "state": "FAILED", "type": {"provider": report["provider"]},
        },
    });
    let function = listening.scene.role_name("FailureReporter");
    let invocation = json!({"FunctionName": function, "Payload": event.to_string()});
    let answer = world.tools.call("lambda", "invoke", invocation).unwrap();
    assert_eq!(answer.get("FunctionError"), None, "{answer}");
    assert!(listening.subscriber.notifications().is_empty(), "alerted twice");
}
