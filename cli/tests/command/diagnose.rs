use crosspipe_testing::walkthrough::{A, KEY, REGION, TARGET_ROLE, corrected};
use serde_json::{Value, json};

use crate::{Ran, json_file, run, without_key_grant};

/// The event that CodePipeline sends for the walkthrough's deploy action.
pub(crate) fn event() -> Value {
    json!({
        "version": "0", "id": "01234567-EXAMPLE", "detail-type": "CodePipeline Action Execution State Change",
        "source": "aws.codepipeline", "account": A, "time": "2020-01-31T18:55:43Z", "region": REGION,
        "resources": [format!("arn:aws:codepipeline:{REGION}:{A}:MyFirstPipeline")],
        "detail": {
            "pipeline": "MyFirstPipeline", "execution-id": "12345678-1234-5678-abcd-12345678abcd",
            "stage": "Staging", "action": "ExternalDeploy", "state": "FAILED", "region": REGION, "version": 4.0,
            "action-execution-id": "47f821c5-a902-44b2-ae61-b878d31ecd21",
            "execution-result": {"error-code": "PermissionError"},
            "type": {"owner": "AWS", "provider": "CodeDeploy", "category": "Deploy", "version": "1"}
        }
    })
}

/// The snapshot with the details of the event's execution.
pub(crate) fn with_details(mut snapshot: Value) -> Value {
    let message = format!(
        "User: {TARGET_ROLE} is not authorized to perform: kms:Decrypt on resource: {KEY} because no \
         resource-based policy allows the kms:Decrypt action"
    );
    snapshot["actionExecutions"] = json!([{
        "actionExecutionId": "47f821c5-a902-44b2-ae61-b878d31ecd21",
        "output": {"executionResult": {"errorDetails": {"code": "PermissionError", "message": message}}}
    }]);
    snapshot
}

pub(crate) fn diagnose(event: &Value, snapshot: &Value, format: &str) -> Ran {
    let (event, snapshot) = (json_file(event), json_file(snapshot));
    run(&["diagnose", "--event", event.path(), "--snapshot", snapshot.path(), "--format", format])
}

#[test]
fn report_matches_contract() {
    let ran = diagnose(&event(), &with_details(without_key_grant()), "json");
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    let report = ran.json();
    assert_eq!((&report["schemaVersion"], &report["targetAccount"]), (&json!("1"), &json!("222222222222")));
    assert_eq!(report["rootCause"]["rule"], "KM001");
    assert_eq!(report["rootCause"]["confidence"], "confirmed");
}

#[test]
fn statements_are_shown_as_terraform() {
    let (event, snapshot) = (json_file(&event()), json_file(&with_details(without_key_grant())));
    let files = ["diagnose", "--event", event.path(), "--snapshot", snapshot.path()];
    let ran = run(&[&files[..], &["--statements", "terraform", "--format", "json"]].concat());
    let fix = ran.json()["rootCause"]["fix"].as_str().unwrap().to_owned();
    assert!(fix.contains("statement {\n  principals {") && fix.contains("put-key-policy"), "{fix}");
    let ran = run(&[&files[..], &["--statements", "terraform"]].concat());
    assert!(ran.out.contains("statement {"), "{}", ran.out);
}

#[test]
fn snapshot_evidence_is_used() {
    let ran = diagnose(&event(), &without_key_grant(), "json");
    assert_eq!(ran.json()["rootCause"]["confidence"], "likely");
}

#[test]
fn text_matches_alert() {
    let ran = diagnose(&event(), &with_details(without_key_grant()), "text");
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    for part in [
        "Pipeline MyFirstPipeline: ExternalDeploy",
        "Cause (KM001, confirmed)",
        "Fix",
        "Pipeline execution",
        "Evidence",
        "Script (KM001)",
    ] {
        assert!(ran.out.contains(part), "`{part}` is not in:\n{}", ran.out);
    }
}

#[test]
fn no_error_exits_with_0() {
    let ran = diagnose(&event(), &corrected(), "json");
    assert_eq!((ran.code, &ran.json()["rootCause"]), (Some(0), &Value::Null), "{}", ran.err);
    let mut own = corrected();
    own["pipeline"]["pipeline"]["stages"][1]["actions"][0].as_object_mut().unwrap().remove("roleArn");
    let ran = diagnose(&event(), &own, "json");
    assert_eq!((ran.code, ran.json()), (Some(0), Value::Null));
    let ran = diagnose(&event(), &own, "text");
    assert!(ran.code == Some(0) && ran.out.contains("pipeline's own account"), "{}", ran.out);
}

#[test]
fn unrelated_event_is_refused() {
    let mut succeeded = event();
    succeeded["detail"]["state"] = json!("SUCCEEDED");
    let line = format!("{succeeded:#}").lines().position(|line| line.contains("SUCCEEDED")).unwrap() + 1;
    let ran = diagnose(&succeeded, &corrected(), "text");
    ran.unusable(&["`SUCCEEDED`", &format!(".json:{line}:"), "expected: an EventBridge event"]);
    let mut cut = event();
    cut["detail"].as_object_mut().unwrap().remove("stage");
    diagnose(&cut, &corrected(), "text").unusable(&["/detail/stage"]);
}

#[test]
fn unrelated_snapshot_is_refused() {
    let mut other = corrected();
    other["pipeline"]["pipeline"]["name"] = json!("Other");
    diagnose(&event(), &other, "text").unusable(&["`Other`", "`MyFirstPipeline`"]);
    let mut renamed = corrected();
    renamed["pipeline"]["pipeline"]["stages"][1]["actions"][0]["name"] = json!("Deploy");
    diagnose(&event(), &renamed, "text").unusable(&["`Staging`", "`ExternalDeploy`"]);
}
