//! # What it does
//! Reads the error message for a denial by a permissions boundary.
//!
//! # Why deploys fail
//! A boundary limits what a role's own policies can give: "because no permissions boundary allows the …
//! action".
//!
//! # How to fix
//! Allow the action in the boundary as well, or take the boundary off the role.
//!
//! # Example
//! A landing zone that puts a boundary without `kms:*` on every role.

use crate::evaluation::Side;
use crate::incident::Incident;
use crate::incident::message::PolicyKind;
use crate::rules::commands::{option, role, show};
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::fix_statements::allow;
use crate::rules::{Facts, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Ev002,
    name: "denied-by-permissions-boundary",
    severity: Severity::Error,
    summary: "A permissions boundary does not allow what the action asked for.",
    sources: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html",
    ],
    subject: Subject::Message,
    in_diagnosis: InDiagnosis::NOTHING,
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    let Some(event) = facts.incident() else { return };
    let Some(denial) = &event.denial else { return };
    let judged = event.judge(facts, Side::PermissionsBoundary).unwrap_or_default();
    let said = denial.side == Some(PolicyKind::PermissionsBoundary);
    // Older messages do not say which side denied.
    if !(said || event.is_denied_by(facts, Side::PermissionsBoundary)) {
        return;
    }
    let request = Incident::request(denial);
    let resource = denial.resource.clone().unwrap_or_else(|| "*".into());
    let because = if said {
        format!("the error message says that no permissions boundary allows {request}")
    } else {
        judged.because("the permissions boundary", &format!("on {resource}"))
    };
    // A statement that denies is answered by that statement, never by another that allows.
    let denies = denial.explicit == Some(true) || !judged.denying().is_empty();
    let (summary, statements) = if denies {
        let by = Some(judged.denying()).filter(|by| !by.is_empty());
        let by = by.unwrap_or_else(|| "what denies it".to_owned());
        (format!("remove or narrow {by} in the policy that is the role's permissions boundary"), vec![])
    } else {
        let summary = "add this statement to the policy that is the role's permissions boundary";
        (summary.to_owned(), vec![allow(None, &[&denial.action], &[resource])])
    };
    cx.report(Fault {
        location: event.action.path(),
        message: format!("a permissions boundary keeps {} from {}", event.label(), denial.action),
        because,
        fix: Fix { summary, statements, command: denial.actor.as_deref().map(boundary_of), ..Fix::default() },
        denied: judged.denied(),
        ..Fault::default()
    });
}

/// Shows the boundary of the role whose session was denied.
fn boundary_of(actor: &str) -> String {
    let session = actor.split_once(":assumed-role/").and_then(|(_, it)| it.split('/').next());
    let (account, name) = role(actor);
    let name = option("role-name", session.unwrap_or(&name));
    show(account.as_deref(), &format!("aws iam get-role {name} --query Role.PermissionsBoundary"))
}
