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
//! A trust policy that names another role, or that requires `sts:ExternalId`, which CodePipeline never
//! sends.

use serde_json::json;

use super::ia001::{assume_role, denied};
use super::verdicts::{Fault, Fix};
use super::{Facts, Rule, Severity, Verdicts};
use crate::evaluation::{Side, Tri};
use crate::snapshot::Fact;

pub(super) const RULE: Rule = Rule {
    id: "IA002",
    name: "target-trust-omits-service-role",
    severity: Severity::Error,
    summary: "The action role does not trust the service role.",
    sources: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-trust-policy.html"],
    check,
};

fn check(facts: &Facts<'_>, verdicts: &mut Verdicts) {
    let service_role = facts.pipeline().role_arn();
    for action in facts.cross_account_actions() {
        let location = format!("roles[\"{}\"].trustPolicy", action.role_arn());
        let missing_role = matches!(facts.role(action.role_arn()), Fact::Absent);
        let Some(evaluation) = assume_role(facts, &action) else { continue };
        match evaluation.lets_pass(Side::Resource) {
            Tri::Yes => continue,
            Tri::Unknown => {
                verdicts.unknown(&location);
                continue;
            }
            Tri::No => {}
        }
        let (message, because) = if missing_role {
            let message = format!("{}, which {} needs, does not exist", action.role_label(), action.label());
            (message, format!("account {} has no role `{}`", action.account, action.role_arn()))
        } else {
            let message = format!(
                "{} does not trust the service role, so {} can't start",
                action.role_label(),
                action.label()
            );
            let because = match evaluation.denied_by(Side::Resource) {
                Some(denying) => format!("{} of its trust policy denies {service_role}", denying.statement),
                None => format!(
                    "no statement of its trust policy lets {service_role} assume it under the conditions that CodePipeline meets"
                ),
            };
            (message, because)
        };
        let summary = if missing_role {
            format!("create the role in account {} with this trust", action.account)
        } else {
            format!(
                "add this statement to the trust policy of {} in account {}",
                action.role_arn(),
                action.account
            )
        };
        verdicts.fail(Fault {
            message,
            because,
            fix: Fix {
                summary,
                statements: vec![json!({
                    "Effect": "Allow",
                    "Principal": {"AWS": service_role},
                    "Action": "sts:AssumeRole"
                })],
                crosspipe: Some(format!("target-account.yaml with `ServiceRoleArn={service_role}`")),
                command: None,
            },
            denied: vec![denied(facts, &action, Side::Resource)],
            location,
        });
    }
}
