//! Questions that an independent evaluator answered, replayed: see `differential/README.md`, which also
//! lists the differences that are meant.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeSet;

use crosspipe_core::evaluation::{Decision, Question};
use crosspipe_testing::EVALUATIONS;
use serde_json::Value;

fn lines() -> impl Iterator<Item = Value> {
    EVALUATIONS.lines().map(|line| serde_json::from_str(line).unwrap())
}

#[test]
fn the_answers_agree() {
    for line in lines() {
        let question: Question = serde_json::from_value(line["question"].clone()).unwrap();
        let evaluation = question.evaluate();
        let expected = if line["difference"].is_null() { &line["other"] } else { &line["ours"] };
        let decision = serde_json::to_value(evaluation.decision).unwrap();
        assert_eq!(&decision, expected, "{:?}\n{:#}", evaluation.because(), line["question"]);
    }
}

#[test]
fn each_decision_says_why() {
    for line in lines() {
        let question: Question = serde_json::from_value(line["question"].clone()).unwrap();
        let evaluation = question.evaluate();
        let because = evaluation.because();
        let says_why = match evaluation.decision {
            // The one action that needs no statement.
            Decision::Allowed if line["question"]["action"] == "sts:GetCallerIdentity" => true,
            Decision::Allowed => !because.allowed_by.is_empty(),
            Decision::ExplicitlyDenied => !because.denied_by.is_empty(),
            Decision::ImplicitlyDenied => {
                !because.not_allowed_by.is_empty() || !because.not_settled_by.is_empty()
            }
            Decision::Unknown => true,
        };
        assert!(says_why, "{because:?}\n{:#}", line["question"]);
    }
}

#[test]
fn the_recording_covers_what_it_should() {
    assert!(lines().count() > 2_000);
    let decisions = |name: &str| lines().filter(|line| line["other"] == name).count();
    assert!(
        decisions("allowed") > 300
            && decisions("implicitlyDenied") > 300
            && decisions("explicitlyDenied") > 300
    );
    let actions: BTreeSet<String> = lines().map(|line| line["question"]["action"].to_string()).collect();
    for service in ["s3", "kms", "sts", "iam", "codedeploy"] {
        assert!(actions.iter().any(|action| action.contains(&format!("{service}:"))), "{service}");
    }
    for part in [
        "StringNotLike",
        "StringEqualsIgnoreCase",
        "NumericLessThanEquals",
        "DateGreaterThan",
        "NotIpAddress",
        "ArnNotEquals",
        "BinaryEquals",
        "Bool",
        "Null",
        "IfExists",
        "ForAnyValue:",
        "ForAllValues:",
        "NotPrincipal",
        "NotAction",
        "NotResource",
        "permissionsBoundary",
        "sessionPolicies",
        "serviceControlPolicies",
        "resourceControlPolicies",
        "${aws:username}",
        "assumed-role",
        "federated-user",
        "AROA",
        "aws-cn",
        "2008-10-17",
        "Federated",
        "Service",
    ] {
        assert!(EVALUATIONS.matches(part).count() > 5, "{part}");
    }
}
