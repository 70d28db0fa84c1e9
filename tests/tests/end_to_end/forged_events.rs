//! Events that somebody made up: they neither raise an alert nor silence one, because what failed is taken from
//! CodePipeline's own list of executions.

use crosspipe_e2e::LocalAws;
use serde_json::{Value, json};

use crate::alerts::Listening;

const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

impl Listening {
    /// Hands an event to the reporter, which must not take it for a failure; its error.
    fn refused(&self, event: &Value) -> String {
        let function = self.scene.role_name("FailureReporter");
        let invocation = json!({"FunctionName": function, "Payload": event.to_string()});
        let answer = self.scene.world.tools.call("lambda", "invoke", invocation).unwrap();
        assert!(answer.get("FunctionError").is_some(), "Lambda would not try again: {answer}");
        answer["Payload"].to_string()
    }

    /// The keys of the claims on alerts.
    fn claims(&self) -> Vec<String> {
        let scan = json!({"TableName": self.scene.outputs["LockTableName"]});
        let answer = self.scene.world.tools.call("dynamodb", "scan", scan).unwrap();
        let keys =
            answer["Items"].as_array().unwrap().iter().map(|row| row["LockKey"]["S"].as_str().unwrap());
        keys.filter(|key| key.starts_with("report:")).map(str::to_owned).collect()
    }

    fn assert_silent(&self) {
        assert_eq!(self.claims(), Vec::<String>::new());
        assert!(self.subscriber.notifications().is_empty());
    }

    /// The newest execution of an action, whatever became of it.
    fn last_action(&self) -> Value {
        let request = json!({"pipelineName": self.scene.world.pipeline});
        let answer = self.scene.world.tools.call("codepipeline", "list_action_executions", request).unwrap();
        answer["actionExecutionDetails"][0].clone()
    }
}

#[test]
fn unlisted_failures_are_not_believed() {
    let listening = Listening::start();
    assert_eq!(listening.run_to_its_end(), "Succeeded");
    let real = listening.last_action();

    // Of an execution that does not exist.
    let mut nowhere = real.clone();
    nowhere["pipelineExecutionId"] = json!(NOBODY);
    for level in ["Action", "Stage", "Pipeline"] {
        let error = listening.refused(&listening.event_of(level, &nowhere));
        assert!(error.contains("PipelineExecutionNotFoundException"), "{level}: {error}");
    }
    // Of an execution in which nothing failed: what is not listed yet would look the same, so it is tried again.
    let mut unlisted = real.clone();
    unlisted["actionExecutionId"] = json!(NOBODY);
    for event in [
        listening.event_of("Action", &unlisted),
        listening.event_of("Stage", &real),
        listening.event_of("Pipeline", &real),
    ] {
        let error = listening.refused(&event);
        assert!(error.contains("lists nothing that failed"), "{error}");
    }
    listening.assert_silent();

    // Of an action that succeeded: no other attempt would say otherwise.
    listening.invoke(&listening.event_of("Action", &real));
    let record =
        listening.message(&listening.scene.outputs["ReporterDeadLettersUrl"]).expect("a dead letter");
    let reason = record["responsePayload"]["errorMessage"].as_str().unwrap();
    assert!(reason.contains("Succeeded"), "{reason}");
    listening.assert_silent();
}

/// A condition fails a stage and its pipeline without an action.
#[test]
fn failed_condition_is_told_once() {
    let listening = Listening::start();
    listening.disable_rule();
    assert_eq!(listening.run_to_its_end(), "Succeeded");
    let (world, real) = (&listening.scene.world, listening.last_action());
    let mut pipeline = listening.scene.live().pipeline;
    let stages = pipeline["stages"].as_array_mut().unwrap().iter_mut();
    for stage in stages.filter(|stage| stage["name"] == real["stageName"]) {
        stage["onSuccess"] = json!({"conditions": [{"result": "FAIL", "rules": [{
            "name": "Alarms", "ruleTypeId": {"category": "Rule", "owner": "AWS", "provider": "CloudWatchAlarm", "version": "1"},
            "configuration": {"AlarmName": "orders-errors", "WaitTime": "5"},
        }]}]});
    }
    let update = json!({"pipeline": pipeline});
    world.tools.call_raw("codepipeline", "CodePipeline_20150709.UpdatePipeline", update).unwrap();
    let condition = json!({"account": world.tools.id(), "region": world.tools.region(), "pipeline": world.pipeline,
        "pipelineExecutionId": real["pipelineExecutionId"], "stage": real["stageName"], "rule": "Alarms"});
    LocalAws::shared().control("fail-condition", &condition).unwrap();
    listening.invoke(&listening.event_of("Stage", &real));
    listening.invoke(&listening.event_of("Pipeline", &real));
    let report = listening.report().expect("a report");
    assert_eq!(report["rootCause"]["rule"], "EV009", "{report}");
    assert_eq!((&report["stage"], &report["action"]), (&real["stageName"], &json!("Alarms")));
    let alert = listening.alert().expect("an alert");
    let headline = format!("stage {} failed by a condition", real["stageName"].as_str().unwrap());
    assert!(alert["Message"].as_str().unwrap().contains(&headline), "{alert}");
    assert!(listening.subscriber.notifications().is_empty(), "alerted twice");
}

#[test]
fn forged_event_silences_nothing() {
    let listening = Listening::start();
    listening.disable_rule();
    assert_eq!(listening.run_to_its_end(), "Succeeded");
    let earlier = listening.last_action();
    listening.clean_up_bucket_policy();
    assert_eq!(listening.run_to_its_end(), "Failed");
    let failed = listening.failed_action();

    // The ids of the real failure, in another execution or of another action.
    let mut elsewhere = failed.clone();
    elsewhere["pipelineExecutionId"] = earlier["pipelineExecutionId"].clone();
    let mut other = failed.clone();
    other["actionName"] = json!("Other");
    for forged in [elsewhere, other] {
        listening.refused(&listening.event_of("Action", &forged));
    }
    listening.assert_silent();

    // The real failure, told as another one.
    let mut event = listening.event_of("Action", &failed);
    event["detail"]["type"]["provider"] = json!("Forged");
    event["detail"]["execution-result"] = json!({
        "error-code": "Forged", "external-execution-summary": "Forged: run this script",
        "external-execution-id": "forged", "external-execution-url": "https://forged.example/",
    });
    listening.invoke(&event);
    let report = listening.report().expect("a report of the real failure");
    assert_eq!(report["actionExecutionId"], failed["actionExecutionId"]);
    assert_eq!(report["rootCause"]["rule"], "S3001", "{report}");
    let alert = listening.alert().expect("an alert of the real failure");
    for told in [report.to_string(), alert.to_string()] {
        assert!(!told.to_ascii_lowercase().contains("forged"), "{told}");
    }
    listening.invoke(&listening.event_of("Action", &failed));
    assert!(listening.subscriber.notifications().is_empty(), "alerted twice");
}
