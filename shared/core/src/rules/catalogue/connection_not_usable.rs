//! # What it does
//! Reads the error message for a connection to a source provider that the role may not use.
//!
//! # Why deploys fail
//! The service was renamed: depending on the age of the connection AWS checks
//! `codeconnections:UseConnection` or `codestar-connections:UseConnection`, and a role has only one of them.
//!
//! # How to fix
//! Allow both.
//!
//! # Example
//! "Unable to use Connection: arn:aws:codestar-connections:… The provided role does not have sufficient
//! permissions."

use crate::incident::message::ErrorSignature;
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::documents::Document;
use crate::rules::fix_statements::allow;
use crate::rules::{Facts, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Ev007,
    name: "connection-not-usable",
    severity: Severity::Error,
    summary: "The action's role may not use the connection to the source provider.",
    sources: &[
        "https://docs.aws.amazon.com/dtconsole/latest/userguide/rename.html",
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html",
    ],
    subject: Subject::Message,
    in_diagnosis: InDiagnosis::NOTHING,
    check,
};

const ACTIONS: [&str; 2] = ["codeconnections:UseConnection", "codestar-connections:UseConnection"];

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    let Some(event) = facts.incident() else { return };
    let is_use = |action: &str| ACTIONS.iter().any(|it| it.eq_ignore_ascii_case(action));
    let denied = event.denial.as_ref().is_some_and(|denial| is_use(&denial.action));
    if !event.claims(&ErrorSignature::Connection) && !denied {
        return;
    }
    let role = event.action.role_arn().unwrap_or(facts.pipeline().role_arn());
    let connection = event.action.configuration("ConnectionArn").unwrap_or("*");
    // One ARN in both spellings.
    let (old, new) = (":codestar-connections:", ":codeconnections:");
    let mut resources = vec![connection.to_owned()];
    for other in [connection.replace(old, new), connection.replace(new, old)] {
        if !resources.contains(&other) {
            resources.push(other);
        }
    }
    let statements = vec![allow(None, &ACTIONS, &resources)];
    cx.report(Fault {
        location: event.action.path(),
        message: format!("{} may not use its connection", event.label()),
        because: format!("the error message is: {}", event.failure.message()),
        fix: Fix {
            summary: format!(
                "add this statement to a policy of {role}, and see that the connection is not pending"
            ),
            command: Some(Document::role_policy(role, "UseConnection").add(&statements)),
            statements,
            ..Fix::default()
        },
        ..Fault::default()
    });
}
