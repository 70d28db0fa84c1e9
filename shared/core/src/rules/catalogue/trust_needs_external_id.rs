//! # What it does
//! Looks for conditions in the action role's trust policy that CodePipeline can never meet, and without
//! which the role would trust the service role.
//!
//! # Why deploys fail
//! CodePipeline sends no external id, no MFA and no source ARN when it assumes a role for an action, so the
//! trust never holds: the same "… is not authorized to perform AssumeRole on role …" as for IA002.
//!
//! # How to fix
//! Add a statement for the service role that has no such condition, or remove the condition.
//!
//! # Example
//! `"Condition": {"StringEquals": {"sts:ExternalId": "pipeline"}}`

use crate::evaluation::Side;
use crate::incident::message::ErrorSignature;
use crate::rules::assume::{Trust, denied, trust, trust_statement};
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::documents::Document;
use crate::rules::facts::role_location;
use crate::rules::resources::target_account;
use crate::rules::{Facts, Fit, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject, role_fixes};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Ia008,
    name: "trust-needs-external-id",
    severity: Severity::Error,
    summary: "The action role's trust asks for something that CodePipeline never sends.",
    sources: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html"],
    subject: Subject::Trust,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::AssumeRole { .. } => Fit::Names,
            _ => Fit::No,
        },
        ..InDiagnosis::NOTHING
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    let service_role = facts.pipeline().role_arn();
    for group in facts.groups_by_role() {
        let action = group.first;
        let role = action.role_arn();
        let location = format!("{}.trustPolicy", role_location(role));
        let keys = match trust(facts, &action) {
            Some(Trust::NeverMet(keys)) => keys.join(" and "),
            Some(Trust::Unsettled) => {
                cx.unknown(location);
                continue;
            }
            _ => continue,
        };
        let statements = vec![trust_statement(service_role)];
        cx.report(Fault {
            message: format!("{} trusts the service role only with {keys}, which CodePipeline never sends", action.role_label()),
            because: format!("without its condition on {keys}, the trust policy of {role} lets {service_role} in"),
            fix: Fix {
                summary: format!("add this statement, which does not ask for {keys}, to the trust policy of {role} in account {}", action.account),
                command: role_fixes::unless_shared(role, Document::trust_policy(role).add(&statements)),
                crosspipe: Some(target_account(action.account, &[("ServiceRoleArns", service_role)])),
                statements,
            },
            denied: vec![denied(facts, &action, Side::Resource)],
            location,
            ..Fault::default()
        });
    }
}
