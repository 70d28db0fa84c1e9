//! # What it does
//! Evaluates, for CloudFormation actions whose parameters pass on the place of an artifact, whether the
//! stack's role can read the artifacts: its own policies, the bucket policy and the key policy.
//!
//! # Why deploys fail
//! CloudFormation fetches Lambda code and nested templates as the stack's role: "Your access has been denied
//! by S3, please make sure your request credentials have permission to GetObject for …". A template that
//! fetches nothing from the bucket does not need it, so without that message this is a warning.
//!
//! # How to fix
//! Allow the stack's role to read the objects and to decrypt, on both sides.
//!
//! # Example
//! `"ParameterOverrides": "{"Bucket": {"Fn::GetArtifactAtt": ["Build", "BucketName"]}}"` and a stack
//! role without `s3:GetObject`.

use crate::arn::account_of;
use crate::evaluation::Side;
use crate::incident::message::ErrorSignature;
use crate::providers::Provider;
use crate::rules::access::{Access, OWN};
use crate::rules::access_result::AccessResult;
use crate::rules::diagnostics::Fault;
use crate::rules::facts::{role_label, role_location};
use crate::rules::{Facts, Fit, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject, role_fixes};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Ia010,
    name: "stack-role-cannot-read-artifacts",
    severity: Severity::Warning,
    summary: "The stack's role of a CloudFormation action can't read the artifacts that its template refers to.",
    sources: &[
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/continuous-delivery-codepipeline-parameter-override-functions.html",
    ],
    subject: Subject::OtherRole,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::StackBucket => Fit::Names,
            _ => Fit::No,
        },
        ..InDiagnosis::NOTHING
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    let told = facts.incident().is_some_and(|event| event.claims(&ErrorSignature::StackBucket));
    for action in facts.cross_account_actions().filter(|it| it.provider() == Provider::CloudFormation) {
        let overrides = action.action.configuration("ParameterOverrides");
        let refers = overrides.is_some_and(|it| it.contains("Fn::GetArtifactAtt"));
        let Some(role) = action.action.configuration("RoleArn").filter(|_| refers || told) else { continue };
        // A role of another account can't be passed at all: PL008.
        if account_of(role) != Some(action.account) {
            continue;
        }
        let Some(store) = action.store() else { continue };
        let location = role_location(role);
        let mut own = AccessResult::default();
        let mut other_side = [AccessResult::default(), AccessResult::default()];
        for ((access, _), other_side) in Access::reads(action, role).into_iter().zip(&mut other_side) {
            for (sides, judgement) in [(&OWN[..], &mut own), (&[Side::Resource][..], other_side)] {
                let judged = access.judge(sides);
                if judged.unsettled {
                    cx.unknown(&location);
                }
                judgement.refused.extend(judged.refused);
            }
        }
        let [bucket, key] = &other_side;
        let because = match (own.is_clear(), bucket.is_clear() && key.is_clear()) {
            (true, true) => continue,
            (false, _) => own.because_of_role(role, "on what the pipeline keeps its artifacts in"),
            (true, false) => {
                let refused = if bucket.is_clear() { key } else { bucket };
                refused.because("the bucket policy and the key policy", &format!("to {role}"))
            }
        };
        cx.report(Fault {
            message: format!(
                "{}, which {} gives to its stack, can't read the artifacts",
                role_label(role),
                action.label()
            ),
            because,
            fix: role_fixes::using(facts, &store, false, role, [&own, bucket, key], None),
            denied: [own.denied(), bucket.denied(), key.denied()].concat(),
            location,
            severity: told.then_some(Severity::Error),
            ..Fault::default()
        });
    }
}
