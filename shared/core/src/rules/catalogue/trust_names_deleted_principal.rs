//! # What it does
//! Looks for unique ids (`AROA…`) in the action role's trust policy.
//!
//! # Why deploys fail
//! When the service role is deleted and created again, the trust still names the old one by its id: the same
//! "… is not authorized to perform AssumeRole on role …" as for IA002, though the policy looks right in the
//! template that made it.
//!
//! # How to fix
//! Save the trust policy again with the service role's ARN.
//!
//! # Example
//! `"Principal": {"AWS": "AROAEXAMPLEEXAMPLE12"}`

use crate::evaluation::Side;
use crate::incident::message::ErrorSignature;
use crate::rules::assume::{Trust, denied, trust, trust_statement};
use crate::rules::deleted_principals;
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::documents::Document;
use crate::rules::facts::role_location;
use crate::rules::resources::target_account;
use crate::rules::{Facts, Fit, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Ia012,
    name: "trust-names-deleted-principal",
    severity: Severity::Warning,
    summary: "The action role's trust policy names a principal that was deleted.",
    sources: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"],
    subject: Subject::Trust,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::AssumeRole { .. } => Fit::Names,
            ErrorSignature::InvalidPrincipal => Fit::Fits,
            _ => Fit::No,
        },
        ..InDiagnosis::NOTHING
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    let service_role = facts.pipeline().role_arn();
    for action in facts.groups_by_role().into_iter().map(|group| group.first) {
        let role = action.role_arn();
        let location = format!("{}.trustPolicy", role_location(role));
        let policy = facts.role(role).part(|role| &role.trust_policy);
        let Some((_, dead)) = deleted_principals::of(policy, &location, cx) else { continue };
        let what = format!("the trust policy of {role}");
        let shut_out = matches!(trust(facts, &action), Some(Trust::Dead));
        let roles: Vec<&str> = shut_out.then_some(service_role).into_iter().collect();
        let denied: Vec<_> = shut_out.then(|| denied(facts, &action, Side::Resource)).into_iter().collect();
        let instead: Vec<_> = shut_out.then(|| trust_statement(service_role)).into_iter().collect();
        let fault = deleted_principals::fault(
            &what,
            location,
            &dead,
            (&roles, denied, instead),
            &Document::trust_policy(role),
        );
        let crosspipe = Some(target_account(action.account, &[("ServiceRoleArns", service_role)]));
        cx.report(Fault { fix: Fix { crosspipe, ..fault.fix.clone() }, ..fault });
    }
}
