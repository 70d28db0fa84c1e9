//! # What it does
//! Reads the error message and its error code for faults that permissions have nothing to do with: a name that
//! does not exist, a stack in a state in which it can't be updated, a quota, an artifact that is too large, an
//! approval that was rejected. A code of the provider's own is worth more than any wording. A reason in words that are not
//! known is one as well where none of them is about access.
//!
//! # Why deploys fail
//! Because of what the message says. It is told apart so that nobody looks for a missing permission.
//!
//! # How to fix
//! As the message says.
//!
//! # Example
//! "No bucket with the name site-prod was found"

use crate::incident::Incident;
use crate::incident::message::ErrorSignature;
use crate::rules::commands::{in_region, option, show};
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::other_reason;
use crate::rules::{Facts, Fit, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};
use crate::snapshot::Fact;

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Ev004,
    name: "not-a-permission-problem",
    severity: Severity::Error,
    summary: "The action failed for a reason that permissions have nothing to do with.",
    sources: &["https://docs.aws.amazon.com/codepipeline/latest/userguide/troubleshooting.html"],
    subject: Subject::Message,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::NotPermission => Fit::Names,
            ErrorSignature::OtherMatter => Fit::Fits,
            _ => Fit::No,
        },
        ..InDiagnosis::NOTHING
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    let Some(event) = facts.incident() else { return };
    let rejected = event.action.category() == "Approval";
    let speaks_of_it =
        [ErrorSignature::NotPermission, ErrorSignature::OtherMatter].iter().any(|claim| event.claims(claim));
    if !rejected && !speaks_of_it && !misses_bucket(facts, event) {
        return;
    }
    let (message, summary) = match other_reason::explain(&event.reason) {
        _ if rejected => (
            "and somebody rejected the approval".to_owned(),
            "ask who rejected it, then release the change again",
        ),
        _ if event.claims(&ErrorSignature::OtherMatter) => (
            "and nothing in its message is about permissions".to_owned(),
            "correct what the message names; if it says too little, see the provider's own page of this execution",
        ),
        Some((what, fix)) => (format!("which is no matter of permissions: {what}"), fix),
        None => (
            "which is no matter of permissions".to_owned(),
            "correct what the message names in the action's configuration or input",
        ),
    };
    let command = format!(
        "aws codepipeline get-pipeline-execution{} {} {}",
        in_region(facts.pipeline().region()),
        option("pipeline-name", &event.failure.pipeline),
        option("pipeline-execution-id", &event.failure.execution_id)
    );
    cx.report(Fault {
        location: event.action.path(),
        message: format!("{} failed, {message}", event.label()),
        because: format!("the error message is: {}", event.reason),
        fix: Fix {
            summary: summary.into(),
            command: Some(show(facts.pipeline().account(), &command)),
            ..Fix::default()
        },
        ..Fault::default()
    });
}

/// Whether a bucket is not there, and it is none of the pipeline's own, of which S3004 speaks.
fn misses_bucket(facts: &Facts<'_>, event: &Incident<'_>) -> bool {
    let stores = facts.pipeline().stores();
    let own = stores.into_iter().any(|store| matches!(facts.bucket(store.bucket()), Fact::Absent));
    event.claims(&ErrorSignature::NoSuchBucket) && !own
}
