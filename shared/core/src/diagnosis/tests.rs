//! Failures of the corrected walkthrough, broken in one place each.

use crosspipe_testing::walkthrough::{A, B, BUCKET, KEY, SERVICE_ROLE, TARGET_ROLE, corrected};
use serde_json::{Value, json};

use super::*;
use crate::incident::EventError;
use crate::rules::RuleId;

fn event() -> Value {
    json!({
        "version": "0", "detail-type": "CodePipeline Action Execution State Change", "source": "aws.codepipeline",
        "account": A, "region": "us-east-2", "resources": [format!("arn:aws:codepipeline:us-east-2:{A}:MyFirstPipeline")],
        "detail": {
            "pipeline": "MyFirstPipeline", "execution-id": "e-1", "stage": "Staging", "action": "ExternalDeploy",
            "action-execution-id": "a-1", "state": "FAILED", "region": "us-east-2", "version": 4.0,
            "type": {"owner": "AWS", "provider": "CodeDeploy", "category": "Deploy", "version": "1"},
            "execution-result": {"error-code": "PermissionError"}
        }
    })
}

fn report(change: impl FnOnce(&mut Value), code: &str, message: &str) -> Report {
    let mut snapshot = corrected();
    change(&mut snapshot);
    let details = [json!({
        "actionExecutionId": "a-1",
        "output": {"executionResult": {"externalExecutionId": "", "errorDetails": {"code": code, "message": message}}}
    })];
    let failure = Failure::from_event(&event()).unwrap().with_details(&details);
    let snapshot = Snapshot::from_value(snapshot).unwrap();
    diagnose(&failure, &snapshot, Remediation::off()).unwrap().unwrap()
}

fn check(change: impl FnOnce(&mut Value), code: &str, message: &str, expected: Option<(RuleId, Confidence)>) {
    let report = report(change, code, message);
    let found = report.root_cause.as_ref().map(|cause| (cause.rule, cause.confidence));
    assert_eq!(found, expected, "{}", report.headline);
}

fn key_policy_omits_target(snapshot: &mut Value) {
    snapshot["keys"][KEY]["policy"]["Statement"].as_array_mut().unwrap().pop();
}

fn bucket_policy_omits_target(snapshot: &mut Value) {
    snapshot["buckets"][BUCKET]["policy"]["Statement"].as_array_mut().unwrap().truncate(2);
}

#[test]
fn confirmed_where_message_and_evaluation_agree() {
    let session = format!("arn:aws:sts::{B}:assumed-role/CrossAccount_Role/1234");
    let denied = format!(
        "User: {session} is not authorized to perform: kms:Decrypt on resource: {KEY} because no resource-based policy allows the kms:Decrypt action"
    );
    check(key_policy_omits_target, "PermissionError", &denied, Some((RuleId::Km001, Confidence::Confirmed)));
    let artifact = |bucket: &str| {
        format!(
            "Unable to access the artifact with Amazon S3 object key 'MyFirstPipeline/MyAppBuild/x' located in the Amazon S3 artifact bucket '{bucket}'. The provided role does not have sufficient permissions."
        )
    };
    let own = artifact(BUCKET);
    check(bucket_policy_omits_target, "PermissionError", &own, Some((RuleId::S3001, Confidence::Confirmed)));
    check(key_policy_omits_target, "PermissionError", &own, Some((RuleId::Km001, Confidence::Confirmed)));
    let other = artifact("elsewhere");
    check(bucket_policy_omits_target, "PermissionError", &other, Some((RuleId::S3001, Confidence::Likely)));
    let assume = format!(
        "{SERVICE_ROLE} is not authorized to perform AssumeRole on role {TARGET_ROLE} (Service: null; Status Code: 0; Error Code: InvalidStructureException)"
    );
    let no_trust =
        |snapshot: &mut Value| snapshot["roles"][TARGET_ROLE]["trustPolicy"] = json!({"Statement": []});
    check(no_trust, "ConfigurationError", &assume, Some((RuleId::Ia002, Confidence::Confirmed)));
}

#[test]
fn failed_condition_is_told_with_its_rule() {
    let mut snapshot = corrected();
    snapshot["ruleExecutions"] = json!([{
        "pipelineExecutionId": "e-1", "ruleExecutionId": "r-1", "stageName": "Staging", "ruleName": "Alarms", "status": "Failed",
        "input": {"ruleTypeId": {"category": "Rule", "owner": "AWS", "provider": "CloudWatchAlarm", "version": "1"}},
    }]);
    let snapshot = Snapshot::from_value(snapshot).unwrap();
    let failure = |rule: &str| Failure {
        action: rule.to_owned(),
        provider: "CloudWatchAlarm".to_owned(),
        ..Failure::from_event(&event()).unwrap()
    };
    let report = diagnose(&failure("Alarms"), &snapshot, Remediation::off()).unwrap().unwrap();
    let cause = report.root_cause.as_ref().map(|cause| (cause.rule, cause.confidence));
    assert_eq!(cause, Some((RuleId::Ev009, Confidence::Likely)));
    assert_eq!(
        report.headline,
        "Pipeline MyFirstPipeline: stage Staging failed by a condition: its rule Alarms (CloudWatchAlarm) was not met or could not run"
    );
    assert_eq!(report.target_account, A);
    assert_eq!(
        diagnose(&failure("Other"), &snapshot, Remediation::off()).unwrap(),
        None,
        "no such rule failed"
    );
}

#[test]
fn unrelated_message_confirms_nothing() {
    let other = format!(
        "User: arn:aws:sts::{B}:assumed-role/Other/x is not authorized to perform: kms:Decrypt on resource: {KEY}"
    );
    // Another role than the action's was denied: a fault of its own, beside the one that it has in common.
    check(key_policy_omits_target, "PermissionError", &other, Some((RuleId::Or001, Confidence::Likely)));
    let report = report(key_policy_omits_target, "PermissionError", &other);
    let beside = &report.findings[1];
    assert_eq!((beside.finding.rule, beside.confidence), (RuleId::Km001, Confidence::Possible));
    check(
        key_policy_omits_target,
        "JobFailed",
        "Deployment d-ABC failed",
        Some((RuleId::Km001, Confidence::Possible)),
    );
    check(|_| (), "JobFailed", "Deployment d-ABC failed", None);
    check(
        key_policy_omits_target,
        "PermissionError",
        "The provided role does not have permissions",
        Some((RuleId::Km001, Confidence::Likely)),
    );
}

#[test]
fn other_side_is_not_confirmed() {
    let session = format!("arn:aws:sts::{B}:assumed-role/CrossAccount_Role/1234");
    let denied = format!(
        "User: {session} is not authorized to perform: kms:Decrypt on resource: {KEY} because no identity-based policy allows the kms:Decrypt action"
    );
    check(key_policy_omits_target, "PermissionError", &denied, Some((RuleId::Km001, Confidence::Likely)));
    let no_key_statement = |snapshot: &mut Value| {
        snapshot["roles"][TARGET_ROLE]["inlinePolicies"].as_object_mut().unwrap().remove("key");
    };
    check(no_key_statement, "PermissionError", &denied, Some((RuleId::Ia004, Confidence::Confirmed)));
}

#[test]
fn warnings_are_no_cause() {
    let any_transport = |snapshot: &mut Value| {
        snapshot["buckets"][BUCKET]["policy"]["Statement"].as_array_mut().unwrap().remove(1);
    };
    let report = report(any_transport, "JobFailed", "Deployment d-ABC failed");
    assert!(report.root_cause.is_none() && report.cause().is_none());
    assert_eq!(report.further().map(|it| it.finding.rule).collect::<Vec<_>>(), [RuleId::S3006]);
    assert!(report.headline.ends_with("does not explain it"), "{}", report.headline);
}

#[test]
fn configured_cross_account_action_is_diagnosed() {
    let mut snapshot = corrected();
    let action = &mut snapshot["pipeline"]["pipeline"]["stages"][1]["actions"][0];
    action.as_object_mut().unwrap().remove("roleArn");
    action["actionTypeId"]["provider"] = json!("CloudFormation");
    action["configuration"] = json!({"RoleArn": TARGET_ROLE});
    let snapshot = Snapshot::from_value(snapshot).unwrap();
    let report = diagnose(&Failure::from_event(&event()).unwrap(), &snapshot, Remediation::off());
    let report = report.unwrap().unwrap();
    assert_eq!((report.target_account.as_str(), report.root_cause.unwrap().rule), (B, RuleId::Pl008));
}

#[test]
fn own_account_action_is_not_diagnosed() {
    let mut snapshot = corrected();
    snapshot["pipeline"]["pipeline"]["stages"][1]["actions"][0].as_object_mut().unwrap().remove("roleArn");
    let failure = Failure::from_event(&event()).unwrap();
    let snapshot = Snapshot::from_value(snapshot).unwrap();
    assert_eq!(diagnose(&failure, &snapshot, Remediation::off()).unwrap(), None);
}

/// At home, too, where others need the same key.
#[test]
fn unusable_key_is_diagnosed_at_home() {
    let mut snapshot = corrected();
    let actions = snapshot["pipeline"]["pipeline"]["stages"][1]["actions"].as_array_mut().unwrap();
    let mut at_home = actions[0].clone();
    at_home.as_object_mut().unwrap().remove("roleArn");
    at_home["name"] = json!("Home");
    actions.push(at_home);
    snapshot["keys"][KEY]["keyMetadata"]["KeyState"] = json!("Disabled");
    let mut event = event();
    event["detail"]["action"] = json!("Home");
    let report = |message: &str| {
        let error = json!({"code": "JobFailed", "message": message});
        let details =
            [json!({"actionExecutionId": "a-1", "output": {"executionResult": {"errorDetails": error}}})];
        let failure = Failure::from_event(&event).unwrap().with_details(&details);
        diagnose(&failure, &Snapshot::from_value(snapshot.clone()).unwrap(), Remediation::off()).unwrap()
    };
    let disabled = format!(
        "{KEY} is disabled. (Service: Amazon S3; Status Code: 400; Error Code: KMS.DisabledException)"
    );
    assert_eq!(report(&disabled).unwrap().root_cause.unwrap().rule, RuleId::Km003);
    assert_eq!(report("the tests failed"), None, "the team's own affair");
}

#[test]
fn other_events_say_why_ignored() {
    let mut other = event();
    other["detail"]["state"] = json!("SUCCEEDED");
    assert_eq!(Failure::from_event(&other), Err(EventError::NotFailed("SUCCEEDED".into())));
    other["detail-type"] = json!("CodePipeline Stage Execution State Change");
    assert!(matches!(Failure::from_event(&other), Err(EventError::OtherKind(_))));
    let mut cut = event();
    cut["detail"].as_object_mut().unwrap().remove("action-execution-id");
    assert_eq!(Failure::from_event(&cut), Err(EventError::Missing("/detail/action-execution-id".into())));
}

#[test]
fn text_starts_with_cause_and_fix() {
    let report = report(key_policy_omits_target, "JobFailed", "Deployment d-ABC failed");
    let body = crate::alerts::email::body(&crate::alerts::Alert::from(&report));
    let at = |part: &str| body.find(part).unwrap_or_else(|| panic!("{part} is not in:\n{body}"));
    assert!(
        at("Cause (KM001, possible)") < at("Fix") && at("Fix") < at("Links") && at("Links") < at("Evidence")
    );
    assert!(body.contains("\"kms:Decrypt\"") && body.contains("Deployment d-ABC failed"));
}

#[test]
fn json_matches_contract() {
    let report = serde_json::to_value(report(key_policy_omits_target, "JobFailed", "x")).unwrap();
    let members: Vec<&str> = report.as_object().unwrap().keys().map(String::as_str).collect();
    let contract = [
        "schemaVersion",
        "pipeline",
        "executionId",
        "actionExecutionId",
        "stage",
        "action",
        "provider",
        "pipelineAccount",
        "targetAccount",
        "region",
        "headline",
        "rootCause",
        "findings",
        "unknown",
        "deployment",
        "links",
        "remediation",
    ];
    assert_eq!(members, contract);
    let cause: Vec<&str> = report["rootCause"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(cause, ["rule", "confidence", "message", "because", "fix"]);
}

#[test]
fn what_is_not_mended_stays_proposed() {
    let mut snapshot = corrected();
    bucket_policy_omits_target(&mut snapshot);
    let snapshot = Snapshot::from_value(snapshot).unwrap();
    let failure = Failure::from_event(&event()).unwrap();
    let fixed = |outcome| {
        let mut report = diagnose(&failure, &snapshot, Remediation::apply()).unwrap().unwrap();
        let fix = report.findings[0].finding.fix.clone();
        assert_eq!(
            (&report.remediation.steps, report.remediation.outcome),
            (&vec![fix.clone()], Outcome::NotAttempted)
        );
        assert_eq!(report.remediation_steps(), Vec::<&str>::new(), "nothing is done by proposing it");
        report.record_remediation(vec!["Did something.".to_owned()], outcome);
        assert_eq!(report.remediation_steps(), ["Did something."]);
        (report.remediation.steps.contains(&fix), report.headline.contains("put back"))
    };
    assert_eq!(fixed(Outcome::Retried), (false, true));
    assert_eq!(fixed(Outcome::NothingOwned), (true, false));
}
