use serde_json::json;

use super::*;

const A: &str = "111111111111";

fn event(level: &str, detail: Value) -> Value {
    let mut event = json!({
        "version": "0", "id": "01234567-EXAMPLE",
        "detail-type": format!("CodePipeline {level} Execution State Change"), "source": "aws.codepipeline",
        "account": A, "region": "us-west-2", "resources": [format!("arn:aws:codepipeline:us-west-2:{A}:p")],
        "detail": {"pipeline": "p", "execution-id": "e-1", "state": "FAILED", "version": 4.0},
    });
    let members = event["detail"].as_object_mut().unwrap();
    members.extend(detail.as_object().unwrap().clone());
    event
}

fn action() -> Value {
    event(
        "Action",
        json!({
            "stage": "Deploy", "action": "Deploy", "action-execution-id": "a-1", "region": "eu-west-1",
            "execution-result": {"external-execution-summary": "Deployment d-1 failed", "external-execution-id": "d-1", "error-code": "JobFailed"},
            "type": {"owner": "AWS", "provider": "CodeDeploy", "category": "Deploy", "version": "1"},
        }),
    )
}

/// The same event as a notification rule sends it.
fn notified(mut event: Value, attributes: Value) -> Value {
    let members = event.as_object_mut().unwrap();
    members.remove("id");
    members.remove("version");
    let kind = members.remove("detail-type").unwrap();
    members.insert("detailType".into(), kind);
    members.insert(
        "notificationRuleArn".into(),
        json!("arn:aws:codestar-notifications:us-west-2:1:notificationrule/x"),
    );
    members.insert("additionalAttributes".into(), attributes);
    event
}

fn in_sns(messages: &[String]) -> Value {
    let record = |message: &String| json!({"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": {"Type": "Notification", "Message": message}});
    json!({"Records": messages.iter().map(record).collect::<Vec<_>>()})
}

fn single(event: &Value) -> Result<Incoming, EventError> {
    let mut all = read(event);
    assert_eq!(all.len(), 1);
    all.remove(0)
}

/// The failures that an event leads to, by what is listed.
fn failures(event: &Value, details: &[Value]) -> Vec<Failure> {
    execution(event).failures(details)
}

fn execution(event: &Value) -> FailedExecution {
    match single(event) {
        Ok(Incoming::Failed(execution)) => execution,
        other => panic!("{other:?}"),
    }
}

fn listed(id: &str, stage: &str, name: &str, status: &str, category: &str) -> Value {
    json!({
        "actionExecutionId": id, "stageName": stage, "actionName": name, "status": status,
        "input": {"actionTypeId": {"category": category, "provider": "CodeDeploy"}, "region": "eu-west-1"},
        "output": {"executionResult": {"externalExecutionId": "d-1", "externalExecutionSummary": "Deployment d-1 failed", "errorDetails": {"code": "JobFailed"}}},
    })
}

#[test]
fn event_shapes_agree() {
    let details = [listed("a-1", "Deploy", "Deploy", "Failed", "Deploy")];
    let plain = failures(&action(), &details);
    let [one] = plain.as_slice() else { panic!("{plain:?}") };
    assert_eq!(
        (one.pipeline.as_str(), one.account.as_str(), one.action_execution_id.as_str()),
        ("p", A, "a-1")
    );
    assert_eq!((one.pipeline_region.as_str(), one.region.as_str()), ("us-west-2", "eu-west-1"));
    let bare = notified(action(), json!({"additionalInformation": "Deployment d-1 failed"}));
    let stage = event("Stage", json!({"stage": "Deploy"}));
    for same in [in_sns(&[bare.to_string()]), bare, stage, event("Pipeline", json!({}))] {
        assert_eq!(failures(&same, &details), plain, "{same}");
    }
}

#[test]
fn only_what_is_listed_counts() {
    let mut forged = action();
    forged["detail"]["region"] = json!("us-east-1");
    forged["detail"]["type"]["provider"] = json!("Forged");
    forged["detail"]["execution-result"] = json!({"external-execution-summary": "forged", "external-execution-id": "forged",
        "external-execution-url": "https://forged.example", "error-code": "Forged"});
    forged["additionalAttributes"] = json!({"additionalInformation": "forged"});
    let details = [listed("a-1", "Deploy", "Deploy", "Failed", "Deploy")];
    assert_eq!(failures(&forged, &details), failures(&action(), &details));
    for (member, value) in [("stage", "Other"), ("action", "Other"), ("action-execution-id", "a-2")] {
        let mut other = action();
        other["detail"][member] = json!(value);
        assert_eq!(failures(&other, &details), [], "{member}");
        assert!(!execution(&other).is_listed(&details), "{member}");
    }
}

#[test]
fn ended_otherwise_contradicts_event() {
    let said = |status: &str| {
        execution(&action()).contradiction(&[listed("a-1", "Deploy", "Deploy", status, "Deploy")])
    };
    assert_eq!((said("InProgress"), said("Failed")), (None, None));
    assert_eq!(said("Succeeded").as_deref(), Some("Succeeded"));
    assert_eq!(execution(&action()).contradiction(&[]), None, "it may not be listed yet");
}

#[test]
fn failed_condition_explains_stage_and_pipeline() {
    let rule = json!({"pipelineExecutionId": "e-1", "stageName": "Deploy", "ruleName": "Window", "status": "Failed"});
    let found = |event: &Value| execution(event).failed_conditions(std::slice::from_ref(&rule)).len();
    assert_eq!(found(&event("Stage", json!({"stage": "Deploy"}))), 1);
    assert_eq!(found(&event("Pipeline", json!({}))), 1);
    assert_eq!(found(&event("Stage", json!({"stage": "Build"}))), 0);
    let twice = [rule.clone(), rule.clone()];
    let failures = execution(&event("Pipeline", json!({}))).failures_of_conditions(&twice);
    let [failure] = failures.as_slice() else { panic!("one for each stage: {failures:?}") };
    assert_eq!((failure.stage.as_str(), failure.action.as_str()), ("Deploy", "Window"));
    assert_eq!(failure.action_execution_id, "Deploy/Window", "it has no id of its own");
    assert_eq!(found(&action()), 0, "an action does not fail by a condition");
}

#[test]
fn version_is_optional() {
    let expected = execution(&action());
    for version in [json!(4), json!(4.0), json!("4"), json!(null), json!({})] {
        let mut event = action();
        event["detail"]["version"] = version.clone();
        event["version"] = version;
        assert_eq!(execution(&event), expected);
    }
    let mut without = action();
    without["detail"].as_object_mut().unwrap().remove("version");
    assert_eq!(execution(&without), expected);
}

#[test]
fn stage_event_lists_failed_actions() {
    let details = [
        listed("a-5", "Deploy", "Two", "Succeeded", "Deploy"),
        listed("a-4", "Deploy", "One", "Failed", "Deploy"),
        listed("a-3", "Deploy", "Two", "Failed", "Deploy"),
        listed("a-2", "Approve", "Ask", "Failed", "Approval"),
        listed("a-1", "Build", "Build", "Failed", "Build"),
        json!({"status": "Failed", "stageName": "Deploy"}),
    ];
    let ids = |event: &Value| {
        let failures = execution(event).failures(&details);
        failures.into_iter().map(|it| (it.action_execution_id, it.retried)).collect::<Vec<_>>()
    };
    let (one, two) = (("a-4".to_owned(), None), ("a-3".to_owned(), Some("Succeeded".to_owned())));
    assert_eq!(ids(&event("Stage", json!({"stage": "Deploy"}))), [one.clone(), two.clone()]);
    let failed = json!({"failedActionCount": 1, "failedActions": [{"action": "One", "additionalInformation": "x"}], "failedStage": "Deploy"});
    let pipeline = notified(event("Pipeline", json!({})), failed);
    assert_eq!(ids(&in_sns(&[pipeline.to_string()])), [one, two, ("a-1".to_owned(), None)]);
    assert_eq!(ids(&event("Stage", json!({"stage": "Approve"}))), []);
    let approval = execution(&event("Stage", json!({"stage": "Approve"})));
    assert!(approval.is_listed(&details) && !approval.is_listed(&details[..3]));
}

#[test]
fn non_failures_are_passed_over() {
    let reason = |event: &Value| match single(event) {
        Ok(Incoming::PassedOver(reason)) => reason.to_string(),
        other => panic!("{other:?}"),
    };
    for state in ["STARTED", "SUCCEEDED", "STOPPED", "ABANDONED", "SUPERSEDED", "RESUMED", "CANCELED"] {
        for level in ["Action", "Stage", "Pipeline"] {
            let event = event(level, json!({"state": state}));
            assert_eq!(reason(&event), format!("state `{state}` is no failure"));
        }
    }
    let mut rejected = action();
    rejected["detail"]["type"] =
        json!({"owner": "AWS", "provider": "Manual", "category": "Approval", "version": "1"});
    assert_eq!(reason(&rejected), "an approval that was not given is no fault");
    let other =
        json!({"detail-type": "EC2 Instance State-change Notification", "detail": {"state": "stopped"}});
    assert_eq!(reason(&other), "`EC2 Instance State-change Notification` is no event of CodePipeline");
}

#[test]
fn missing_member_is_named() {
    let missing = |event: &Value| match single(event) {
        Err(error @ EventError::Missing(_)) => error.pointer().to_owned(),
        other => panic!("{other:?}"),
    };
    for pointer in
        ["/detail/pipeline", "/detail/execution-id", "/detail/stage", "/detail/action", "/detail/state"]
    {
        let mut cut = action();
        let name = pointer.trim_start_matches("/detail/");
        cut["detail"].as_object_mut().unwrap().remove(name);
        assert_eq!(missing(&cut), pointer);
        cut["detail"][name] = json!(7);
        assert_eq!(missing(&cut), pointer, "no text is as good as missing");
        assert_eq!(missing(&in_sns(&[cut.to_string()])), format!("/Records/0/Sns/Message{pointer}"));
    }
    assert_eq!(missing(&event("Stage", json!({}))), "/detail/stage");
    let mut nowhere = action();
    nowhere.as_object_mut().unwrap().remove("resources");
    assert_eq!(execution(&nowhere).place().0, A);
    nowhere.as_object_mut().unwrap().remove("account");
    assert_eq!(missing(&nowhere), "/account");
    for nothing in [json!(null), json!([]), json!("text"), json!({}), json!({"Records": []})] {
        assert_eq!(missing(&nothing), "/detail-type");
    }
    assert_eq!(missing(&json!({"Records": [{"body": "x"}]})), "/Records/0/Sns/Message");
}

#[test]
fn action_without_execution_id_is_looked_up() {
    let mut event = action();
    event["detail"].as_object_mut().unwrap().remove("action-execution-id");
    let Ok(Incoming::Failed(execution)) = single(&event) else { panic!("{event}") };
    let listed = |stage: &str, action: &str, id: &str| json!({"actionExecutionId": id, "stageName": stage, "actionName": action, "status": "Failed"});
    let details = [
        listed("Deploy", "Other", "a-2"),
        listed("Deploy", "Deploy", "a-1"),
        listed("Test", "Deploy", "a-3"),
    ];
    let found: Vec<String> =
        execution.failures(&details).into_iter().map(|failure| failure.action_execution_id).collect();
    assert_eq!(found, ["a-1"]);
    assert!(!execution.is_listed(&details[..1]));
    assert_eq!(execution.place(), (A, "us-west-2"));
}

#[test]
fn unreadable_record_stops_no_other() {
    let messages = ["hello".to_owned(), action().to_string(), "{}".to_owned()];
    let all = read(&in_sns(&messages));
    assert_eq!(all[0], Err(EventError::NotJson("/Records/0/Sns/Message".into())));
    assert!(matches!(&all[1], Ok(Incoming::Failed(_))));
    assert_eq!(all[2], Err(EventError::Missing("/Records/2/Sns/Message/detail-type".into())));
}
