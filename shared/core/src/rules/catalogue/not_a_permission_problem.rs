//! # What it does
//! Reads the error message for faults that permissions have nothing to do with: a name that does not exist,
//! an artifact that is too large, an approval that was rejected.
//!
//! # Why deploys fail
//! Because of what the message says. It is told apart so that nobody looks for a missing permission.
//!
//! # How to fix
//! As the message says.
//!
//! # Example
//! "No bucket with the name site-prod was found"

use crate::incident::message::ErrorSignature;
use crate::rules::commands::{in_region, option, show};
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::event::Event;
use crate::rules::{Diagnostics, Facts, Rule, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: "EV004",
    name: "not-a-permission-problem",
    severity: Severity::Error,
    summary: "The action failed for a reason that permissions have nothing to do with.",
    sources: &["https://docs.aws.amazon.com/codepipeline/latest/userguide/troubleshooting.html"],
    check,
};

fn check(facts: &Facts<'_>, verdicts: &mut Diagnostics) {
    let Some(event) = Event::of(facts) else { return };
    let rejected = event.action.category() == "Approval";
    if !event.claims(&ErrorSignature::NotPermission) && !rejected {
        return;
    }
    let (what, summary) = if rejected {
        ("somebody rejected the approval", "ask who rejected it, then release the change again")
    } else {
        (
            "it is no matter of permissions",
            "correct what the message names in the action's configuration or input",
        )
    };
    let command = format!(
        "aws codepipeline get-pipeline-execution{} {} {}",
        in_region(facts.pipeline().region()),
        option("pipeline-name", &event.failure.pipeline),
        option("pipeline-execution-id", &event.failure.execution_id)
    );
    verdicts.fail(Fault {
        location: event.action.path(),
        message: format!("{} failed, and {what}", event.label()),
        because: format!("the error message is: {}", event.failure.message()),
        fix: Fix {
            summary: summary.into(),
            command: Some(show(facts.pipeline().account(), &command)),
            ..Fix::default()
        },
        ..Fault::default()
    });
}
