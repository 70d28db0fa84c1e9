//! Reports are what `docs/report.schema.json` says, and it says all that is in them.

use crosspipe_testing::walkthrough::{TARGET_ROLE, corrected};
use serde_json::{Value, json};

use crate::diagnose::{diagnose, event, with_details};
use crate::schema::faults;
use crate::without_key_grant;

fn schema() -> Value {
    serde_json::from_str(include_str!("../../../docs/report.schema.json")).unwrap()
}

/// The same, taking no member that is not described.
fn strict() -> Value {
    let mut schema = schema();
    let close = |schema: &mut Value| schema["additionalProperties"] = json!(false);
    close(&mut schema);
    for name in ["cause", "finding", "deployment"] {
        close(&mut schema["definitions"][name]);
    }
    for name in ["links", "remediation"] {
        close(&mut schema["properties"][name]);
    }
    close(&mut schema["properties"]["unknown"]["items"]);
    close(&mut schema["definitions"]["deployment"]["properties"]["failures"]["items"]);
    schema
}

fn report(event: &Value, snapshot: &Value) -> Value {
    diagnose(event, snapshot, "json").json()
}

/// A cause, none, parts that are unknown, and everything that CodePipeline and CodeDeploy can say.
fn reports() -> Vec<Value> {
    let mut unknown = corrected();
    unknown["roles"].as_object_mut().unwrap().remove(TARGET_ROLE);
    let mut deployed = with_details(without_key_grant());
    let failed = &mut deployed["actionExecutions"][0];
    failed["output"]["executionResult"]["externalExecutionId"] = json!("d-ABCDEFGHI");
    let mut later = json!({"actionExecutionId": "later", "status": "Succeeded", "stageName": "Staging", "actionName": "ExternalDeploy"});
    later["startTime"] = json!("2020-01-31T19:55:43Z");
    failed["startTime"] = json!("2020-01-31T18:55:43Z");
    failed["stageName"] = json!("Staging");
    failed["actionName"] = json!("ExternalDeploy");
    deployed["actionExecutions"].as_array_mut().unwrap().push(later);
    deployed["deployments"] = json!({"d-ABCDEFGHI": {
        "deploymentInfo": {"status": "Failed", "errorInformation": {"code": "HEALTH_CONSTRAINTS", "message": "too few healthy instances"}},
        "targets": [{"instanceTarget": {
            "targetId": "i-1", "status": "Failed",
            "lifecycleEvents": [{"lifecycleEventName": "ApplicationStop", "status": "Failed", "diagnostics": {
                "errorCode": "ScriptFailed", "message": "exit code 1", "scriptName": "stop.sh", "logTail": "one\ntwo"
            }}]
        }}]
    }});
    vec![
        report(&event(), &with_details(without_key_grant())),
        report(&event(), &corrected()),
        report(&event(), &unknown),
        report(&event(), &deployed),
    ]
}

#[test]
fn reports_match_schema() {
    let reports = reports();
    for report in &reports {
        assert_eq!(faults(&schema(), report), Vec::<String>::new(), "{report}");
        assert_eq!(faults(&strict(), report), Vec::<String>::new(), "{report}");
    }
    let all = Value::Array(reports).to_string();
    for member in ["retriedSince", "logTail", "reason", "missing", "statements", "provider\":\"https"] {
        assert!(all.contains(member), "no report has `{member}`, so it is not looked at");
    }
}

#[test]
fn the_schema_is_looked_at() {
    let mut wrong = report(&event(), &with_details(without_key_grant()));
    wrong["schemaVersion"] = json!("2");
    wrong["rootCause"]["confidence"] = json!("certain");
    wrong["findings"][0].as_object_mut().unwrap().remove("fix");
    wrong["region"] = json!(7);
    assert_eq!(faults(&schema(), &wrong).len(), 4, "{:?}", faults(&schema(), &wrong));
}
