//! # What it does
//! Evaluates whether the pipeline's service role may use each artifact key: the key policy has to name it,
//! or to hand the key to the account whose identity policies then allow it.
//!
//! # Why deploys fail
//! The pipeline can't encrypt what its sources bring: "The provided role does not have permissions to
//! perform this action".
//!
//! # How to fix
//! Name the service role in the key policy.
//!
//! # Example
//! A key policy that names target accounts and key administrators only.

use crate::evaluation::{Decision, Side};
use crate::grants::key::ACTIONS;
use crate::rules::access::{Access, allow};
use crate::rules::commands::put_key_policy;
use crate::rules::facts::role_location;
use crate::rules::verdicts::{Denied, Fault, Fix};
use crate::rules::{Facts, Rule, Severity, Verdicts};
use crate::snapshot::Fact;

pub(in crate::rules) const RULE: Rule = Rule {
    id: "KM002",
    name: "key-policy-omits-service-role",
    severity: Severity::Error,
    summary: "The pipeline's service role can't use the artifact key.",
    sources: &["https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html"],
    check,
};

fn check(facts: &Facts<'_>, verdicts: &mut Verdicts) {
    let role = facts.pipeline().role_arn();
    for (_, key) in facts.keys() {
        if matches!(facts.key(key.as_str()), Fact::Absent) || matches!(facts.role(role), Fact::Absent) {
            continue;
        }
        let needs = ["kms:Decrypt", "kms:GenerateDataKey"];
        // A grant may allow what the key policy does not.
        let unread_grants = facts.key(key.as_str()).part(|key| &key.grants).is_unknown();
        let mut denied = vec![];
        let mut because = None;
        let mut unsettled = false;
        for ((action, resource), evaluation) in Access::key(facts, role, &key, &needs).evaluations() {
            match evaluation.decision {
                Decision::Allowed => {}
                Decision::Unknown => unsettled = true,
                Decision::ImplicitlyDenied if unread_grants => unsettled = true,
                Decision::ExplicitlyDenied | Decision::ImplicitlyDenied => {
                    let denying = evaluation.because().denied_by;
                    let denying =
                        denying.first().map(|by| format!("{} of the {} denies it", by.statement, by.policy));
                    because = because.or(denying);
                    denied.push(Denied {
                        principal: role.to_owned(),
                        action,
                        resource,
                        side: Side::Resource,
                        explicit: evaluation.decision == Decision::ExplicitlyDenied,
                    });
                }
            }
        }
        let policy = format!("keys[\"{key}\"].policy");
        if unsettled {
            let known = facts.key(key.as_str()).part(|key| &key.policy).known().is_some();
            verdicts.unknown(if known { role_location(role) } else { policy.clone() });
        }
        if denied.is_empty() {
            continue;
        }
        let actions: Vec<&str> = denied.iter().map(|denied| denied.action.as_str()).collect();
        verdicts.fail(Fault {
            message: "the service role can't use the artifact key, so the pipeline can't keep artifacts".into(),
            because: because.unwrap_or_else(|| {
                format!(
                    "the policy of `{key}` does not allow {} to {role}, by name or through its account together with the role's own policies",
                    actions.join(", ")
                )
            }),
            fix: Fix {
                summary: format!("add this statement to the policy of `{key}`"),
                statements: vec![allow(Some(role), &ACTIONS, &["*".to_owned()])],
                crosspipe: Some(format!("Custom::ArtifactKeyGrant with `ServiceRoleArn: {role}`")),
                command: Some(put_key_policy(key.as_str())),
            },
            denied,
            location: policy,
            severity: None,
        });
    }
}
