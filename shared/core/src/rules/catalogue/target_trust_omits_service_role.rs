//! # What it does
//! Evaluates whether each cross-account action's role trusts the pipeline's service role.
//!
//! # Why deploys fail
//! The same text as for IA001: AWS does not say which of the two sides is missing.
//!
//! # How to fix
//! Trust the service role's ARN. After a change trust takes some seconds to spread.
//!
//! # Example
//! A trust policy that names another role. (One that asks for `sts:ExternalId` is IA008, one that names a
//! deleted role IA012.)

use serde_json::Value;

use crate::evaluation::Side;
use crate::incident::message::ErrorSignature;
use crate::rules::assume::{Trust, denied, trust, trust_statement};
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::documents::Document;
use crate::rules::facts::role_location;
use crate::rules::resources::target_account;
use crate::rules::{Facts, Fit, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject, role_fixes};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Ia002,
    name: "target-trust-omits-service-role",
    severity: Severity::Error,
    summary: "The action role does not trust the service role.",
    sources: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-trust-policy.html"],
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
        let (role, account) = (action.role_arn(), action.account);
        let location = format!("{}.trustPolicy", role_location(role));
        let omits = format!(
            "{} does not trust the service role, so {} can't start",
            action.role_label(),
            group.label()
        );
        let add = format!("add this statement to the trust policy of {role} in account {account}");
        let (statements, document) = (vec![trust_statement(service_role)], Document::trust_policy(role));
        let added = role_fixes::unless_shared(role, document.add(&statements));
        let (message, because, summary, command) = match trust(facts, &action) {
            Some(Trust::NoRole) => (
                format!("{}, which {} needs, does not exist", action.role_label(), group.label()),
                format!("account {account} has no role `{role}`"),
                format!(
                    "create the role in account {account} with this trust, for one by target-account.yaml"
                ),
                None,
            ),
            Some(Trust::Omitted) => (
                omits,
                format!(
                    "no statement of its trust policy lets {service_role} assume it under the conditions that CodePipeline meets"
                ),
                add,
                added,
            ),
            Some(Trust::Denied(statement)) => (
                omits,
                format!("{statement} of its trust policy denies {service_role}"),
                format!("exempt {service_role} from {statement}, and keep this statement"),
                role_fixes::unless_shared(
                    role,
                    document.exempt(
                        &denying(facts, role, &statement),
                        &role_fixes::exemption(facts, &[service_role]),
                    ),
                ),
            ),
            Some(Trust::Unsettled) => {
                cx.unknown(&location);
                continue;
            }
            // A trust that names a deleted principal is IA012, one that asks for too much IA008.
            Some(Trust::Given | Trust::Dead | Trust::NeverMet(_)) | None => continue,
        };
        let crosspipe = Some(target_account(account, &[("ServiceRoleArns", service_role)]));
        cx.report(Fault {
            message,
            because,
            fix: Fix { summary, statements, crosspipe, command },
            denied: vec![denied(facts, &action, Side::Resource)],
            location,
            ..Fault::default()
        });
    }
}

/// The statements of a trust policy that are called so.
fn denying(facts: &Facts<'_>, role: &str, label: &str) -> Vec<Value> {
    let policy = facts.role(role).part(|role| &role.trust_policy);
    let statements = policy.known().into_iter().flat_map(|policy| policy.statements());
    let denying = statements.filter(|statement| statement.label() == label);
    denying.map(|statement| Value::Object(statement.raw().clone())).collect()
}
