//! # What it does
//! Reads the error message for a denial by a service control policy or a resource control policy, and looks
//! for the statement where the snapshot has the organization's policies. Service control policies that were read are
//! judged without a message as well.
//!
//! # Why deploys fail
//! What the organization forbids, no policy of the account can allow: "… with an explicit deny in a service
//! control policy".
//!
//! # How to fix
//! Ask the organization's administrators to exempt the role, or deploy in a way that the policy allows.
//!
//! # Example
//! A Deny of everything outside eu-central-1 over the target account, and a deploy to us-east-2.

use crate::arn::account_of;
use crate::evaluation::Side;
use crate::incident::Incident;
use crate::incident::message::{ErrorSignature, PolicyKind};
use crate::rules::commands::option;
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::{
    Facts, Fit, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject, organization_denials,
};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Ev001,
    name: "denied-by-organization-policy",
    severity: Severity::Error,
    summary: "The organization's policies deny what the action asked for.",
    sources: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html",
        "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html",
    ],
    subject: Subject::Message,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::AssumeRole { .. }
            | ErrorSignature::Artifact { .. }
            | ErrorSignature::Bucket { .. }
            | ErrorSignature::RolePermissions { service: Some(_) }
            | ErrorSignature::RolePermissions { service: None }
            | ErrorSignature::Refused => Fit::Fits,
            _ => Fit::No,
        },
        ..InDiagnosis::NOTHING
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    let Some(event) = facts.incident() else { return organization_denials::check(facts, cx) };
    let Some(denial) = event.denial.as_ref() else { return organization_denials::check(facts, cx) };
    let kind = match denial.side {
        Some(PolicyKind::ServiceControl) => "service control policy",
        Some(PolicyKind::ResourceControl) => "resource control policy",
        None if event.is_denied_by(facts, Side::ServiceControl) => "service control policy",
        _ => return organization_denials::check(facts, cx),
    };
    let request = Incident::request(denial);
    let named = denial.policy.as_deref().map(|it| format!(" {it}")).unwrap_or_default();
    // Resource control policies are in no snapshot.
    let judgement =
        event.judge(facts, Side::ServiceControl).filter(|it| !it.is_clear() && kind.starts_with("service"));
    let (because, denied) = match judgement {
        Some(judgement) => (
            judgement.because(
                "the service control policies",
                &format!("to {}", denial.actor.as_deref().unwrap_or_default()),
            ),
            judgement.denied(),
        ),
        None => (format!("the error message says that a {kind}{named} denies {request}"), vec![]),
    };
    cx.report(Fault {
        location: event.action.path(),
        message: format!("a {kind} of the organization denies {request}, which {} needs", event.label()),
        because,
        fix: Fix {
            summary: format!(
                "no policy of the account can allow it: ask the organization's administrators to change the {kind}{named}"
            ),
            command: (kind.starts_with("service")).then(|| {
                let actor = denial.actor.as_deref().and_then(account_of);
                let target = option("target-id", actor.or(event.action.role_arn()).unwrap_or_default());
                format!("# in the organization's management account\naws organizations list-policies-for-target {target} --filter SERVICE_CONTROL_POLICY")
            }),
            ..Fix::default()
        },
        denied,
        ..Fault::default()
    });
}
