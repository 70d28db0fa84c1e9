//! How the rules that read the message rank among the others.

use crosspipe_core::diagnosis::{Confidence, Remediation, Report, diagnose};
use crosspipe_core::incident::Failure;
use crosspipe_core::snapshot::Snapshot;
use crosspipe_testing::walkthrough::{KEY, corrected};

/// The deploy action failed with this message, and the key policy omits the target.
fn report(message: &str) -> Report {
    let mut snapshot = corrected();
    snapshot["keys"][KEY]["policy"]["Statement"].as_array_mut().unwrap().pop();
    let failure = Failure {
        stage: "Staging".into(),
        action: "ExternalDeploy".into(),
        error_message: Some(message.into()),
        external_execution_id: Some("d-ABC".into()),
        ..Failure::default()
    };
    let snapshot = Snapshot::from_value(snapshot).unwrap();
    diagnose(&failure, &snapshot, Remediation::off()).unwrap().unwrap()
}

fn ranked(report: &Report) -> Vec<(&str, Confidence)> {
    report.findings.iter().map(|it| (it.finding.rule.as_str(), it.confidence)).collect()
}

#[test]
fn other_reasons_outrank_permissions() {
    let found = report("No bucket with the name site was found");
    assert_eq!(ranked(&found), [("EV004", Confidence::Likely), ("KM001", Confidence::Possible)]);
    assert!(found.findings[1].ruled_out && found.root_cause.unwrap().rule.as_str() == "EV004");
}

/// A reason that is not read may be about what else is wrong.
#[test]
fn unread_reason_rules_nothing_out() {
    let found = report("Fargate requires that 'cpu' be defined at the task level.");
    assert_eq!(ranked(&found), [("EV004", Confidence::Likely), ("KM001", Confidence::Possible)]);
    assert!(!found.findings[1].ruled_out);
}

#[test]
fn own_work_blames_no_finding() {
    let found = report("Error while executing command: make. Reason: exit status 2");
    assert!(found.findings.iter().all(|it| it.finding.rule.as_str() != "KM001" || it.ruled_out));
    assert!(found.root_cause.is_none_or(|cause| cause.rule.as_str() != "KM001"), "{}", found.headline);
}

#[test]
fn failed_instances_outrank_unmentioned_findings() {
    let found = report("The overall deployment failed (Error code: HEALTH_CONSTRAINTS)");
    assert_eq!(ranked(&found), [("EV005", Confidence::Likely), ("KM001", Confidence::Possible)]);
}

#[test]
fn unread_scp_is_not_confirmed() {
    let found = report(
        "User: arn:aws:sts::222222222222:assumed-role/CrossAccount_Role/1 is not authorized to perform: codedeploy:CreateDeployment on resource: arn:aws:codedeploy:us-east-2:222222222222:deploymentgroup:a/b with an explicit deny in a service control policy",
    );
    assert_eq!(ranked(&found), [("EV001", Confidence::Likely), ("KM001", Confidence::Possible)]);
}
