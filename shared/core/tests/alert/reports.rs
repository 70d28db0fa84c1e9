//! Failures of the walkthrough, diagnosed.

use crosspipe_core::diagnosis::{Outcome, Remediation, Report, diagnose};
use crosspipe_core::incident::Failure;
use crosspipe_core::rules::lint;
use crosspipe_core::snapshot::Snapshot;
use crosspipe_core::watch::{FindingKey, Notice, Trigger, compare_findings};
use crosspipe_testing::walkthrough::{A, BUCKET, KEY, TARGET_ROLE, corrected};
use serde_json::{Value, json};

pub(crate) fn failure(code: &str, message: &str) -> Failure {
    let event = json!({
        "detail-type": "CodePipeline Action Execution State Change", "account": A, "region": "us-east-2",
        "resources": [format!("arn:aws:codepipeline:us-east-2:{A}:MyFirstPipeline")],
        "detail": {
            "pipeline": "MyFirstPipeline", "execution-id": "12345678-1234-5678-abcd-12345678abcd",
            "action-execution-id": "47f821c5-a902-44b2-ae61-b878d31ecd21", "stage": "Staging",
            "action": "ExternalDeploy", "state": "FAILED", "region": "us-east-2",
            "type": {"owner": "AWS", "provider": "CodeDeploy", "category": "Deploy", "version": "1"},
        }
    });
    let details = [
        json!({
            "actionExecutionId": "later", "stageName": "Staging", "actionName": "ExternalDeploy",
            "status": "Succeeded", "startTime": 1_700_000_100.5
        }),
        json!({
            "actionExecutionId": "47f821c5-a902-44b2-ae61-b878d31ecd21", "stageName": "Staging",
            "actionName": "ExternalDeploy", "status": "Failed", "startTime": 1_700_000_000.5,
            "output": {"executionResult": {
                "externalExecutionId": "d-ABCDEFGHI", "errorDetails": {"code": code, "message": message}
            }}
        }),
    ];
    Failure::from_event(&event).unwrap().with_details(&details)
}

fn report(failure: &Failure, change: impl FnOnce(&mut Value)) -> Report {
    let mut snapshot = corrected();
    change(&mut snapshot);
    let snapshot = Snapshot::from_value(snapshot).unwrap();
    diagnose(failure, &snapshot, Remediation::off()).unwrap().unwrap()
}

fn key_policy_omits_target(snapshot: &mut Value) {
    snapshot["keys"][KEY]["policy"]["Statement"].as_array_mut().unwrap().pop();
}

fn bucket_policy_omits_target(snapshot: &mut Value) {
    snapshot["buckets"][BUCKET]["policy"]["Statement"].as_array_mut().unwrap().truncate(2);
}

pub(crate) fn confirmed() -> Report {
    let message = format!(
        "User: {TARGET_ROLE} is not authorized to perform: kms:Decrypt on resource: {KEY} because no resource-based policy allows the kms:Decrypt action"
    );
    let mut report = report(&failure("PermissionError", &message), key_policy_omits_target);
    report.add_switch_role("ReadOnly");
    report
}

pub(crate) fn remediated() -> Report {
    let mut report = confirmed();
    let steps = [
        "`ArtifactKeyGrant` of stack `crosspipe` put back the statements in the policy of the key.",
        "Checked again: KM001 is resolved.",
        "Retried the failed actions of stage `Staging`; the execution goes on.",
    ];
    report.record_remediation(steps.map(str::to_owned).to_vec(), Outcome::Retried);
    report
}

pub(crate) fn possible() -> Report {
    report(&failure("JobFailed", "Deployment d-ABCDEFGHI failed"), |snapshot| {
        key_policy_omits_target(snapshot);
        bucket_policy_omits_target(snapshot);
    })
}

/// An instance failed, and CodeDeploy says where.
pub(crate) fn instances() -> Report {
    report(&failure("JobFailed", "Deployment d-ABCDEFGHI failed"), |snapshot| {
        snapshot["deployments"] = json!({"d-ABCDEFGHI": {
            "deploymentInfo": {"status": "Failed", "errorInformation": {
                "code": "HEALTH_CONSTRAINTS", "message": "The overall deployment failed because too many individual instances failed deployment."
            }},
            "targets": [{"instanceTarget": {"targetId": "i-0a1b2c3d", "status": "Failed", "lifecycleEvents": [{
                "lifecycleEventName": "AfterInstall", "status": "Failed", "diagnostics": {
                    "errorCode": "ScriptFailed", "message": "Script at specified location: install.sh failed with exit code 1",
                    "scriptName": "install.sh", "logTail": "[stdout]installing\n[stderr]no space left on device"
                }
            }]}}]
        }});
    })
}

/// Two faults are found in one look, and are gone in the next.
pub(crate) fn notices() -> Vec<Notice> {
    let look = |snapshot: Value, known: &[FindingKey]| {
        let snapshot = Snapshot::from_value(snapshot).unwrap();
        let pipeline = snapshot.pipeline().unwrap();
        let diff = compare_findings(known, &lint(&snapshot).unwrap(), &snapshot, &pipeline);
        let trigger = Trigger {
            event: "PutBucketPolicy".into(),
            resource: Some(format!("bucket {BUCKET}")),
            time: Some("2024-05-01T10:00:00Z".into()),
            actor: Some(format!("arn:aws:sts::{A}:assumed-role/Admin/alice")),
            via: None,
        };
        (Notice::from_diff(&diff, &pipeline, &trigger), diff.known)
    };
    let mut broken = corrected();
    key_policy_omits_target(&mut broken);
    bucket_policy_omits_target(&mut broken);
    let (mut notices, known) = look(broken, &[]);
    notices.extend(look(corrected(), &known).0);
    notices
}

pub(crate) fn none() -> Report {
    report(&failure("JobFailed", "Deployment d-ABCDEFGHI failed"), |snapshot| {
        snapshot["roles"].as_object_mut().unwrap().remove(TARGET_ROLE);
        snapshot.as_object_mut().unwrap().remove("keys");
    })
}
