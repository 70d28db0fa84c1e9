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

use serde_json::json;

use crate::evaluation::{Decision, Evaluation, Side, Ternary};
use crate::rules::access::{Access, key_statement};
use crate::rules::access_result::{AccessResult, Refusal};
use crate::rules::diagnostics::{Denied, Fault};
use crate::rules::facts::role_location;
use crate::rules::resources::custom;
use crate::rules::role_fixes;
use crate::rules::{Diagnostics, Facts, Rule, RuleId, Severity, Subject};
use crate::snapshot::Fact;

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Km002,
    name: "key-policy-omits-service-role",
    severity: Severity::Error,
    summary: "The pipeline's service role can't use the artifact key.",
    sources: &["https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html"],
    subject: Subject::KeyPolicy,
    check,
};

fn check(facts: &Facts<'_>, verdicts: &mut Diagnostics) {
    let role = facts.pipeline().role_arn();
    for (_, key) in facts.keys() {
        if matches!(facts.key(key.as_str()), Fact::Absent) || matches!(facts.role(role), Fact::Absent) {
            continue;
        }
        let needs = ["kms:Decrypt", "kms:GenerateDataKey"];
        // A grant may allow what the key policy does not.
        let unread_grants = facts.key(key.as_str()).part(|key| &key.grants).is_unknown();
        let mut judgement = AccessResult::default();
        let mut unsettled = false;
        for ((action, resource), evaluation) in Access::key(facts, role, &key, &needs).evaluations() {
            match evaluation.decision {
                Decision::Allowed => {}
                Decision::Unknown => unsettled = true,
                Decision::ImplicitlyDenied if unread_grants => unsettled = true,
                Decision::ExplicitlyDenied | Decision::ImplicitlyDenied => {
                    let denying = evaluation.because().denied_by;
                    let by = denying.first().map(|by| format!("{} of the {}", by.statement, by.policy));
                    let side = refusing(&evaluation);
                    let denied =
                        Denied { principal: role.to_owned(), action, resource, side, explicit: by.is_some() };
                    judgement.refused.push(Refusal { denied, by });
                }
            }
        }
        let policy = format!("keys[\"{key}\"].policy");
        if unsettled {
            let known = facts.key(key.as_str()).part(|key| &key.policy).known().is_some();
            verdicts.unknown(if known { role_location(role) } else { policy.clone() });
        }
        if judgement.is_clear() {
            continue;
        }
        let by = judgement.refused.iter().find_map(|refusal| refusal.by.as_ref());
        let because = by.map(|by| format!("{by} denies it"));
        let mut targets: Vec<&str> = facts.cross_account_actions().map(|action| action.account).collect();
        targets.dedup();
        let crosspipe = custom(
            "ArtifactKeyGrant",
            &[
                ("KeyArn", json!(key.as_str())),
                ("ServiceRoleArn", json!(role)),
                ("TargetAccounts", json!(targets)),
            ],
        );
        verdicts.fail(Fault {
            message: "the service role can't use the artifact key, so the pipeline can't keep artifacts".into(),
            because: because.unwrap_or_else(|| {
                format!(
                    "the policy of `{key}` does not allow {} to {role}, by name or through its account together with the role's own policies",
                    judgement.actions()
                )
            }),
            fix: if judgement.refused.iter().all(|refusal| refusal.denied.side == Side::Resource) {
                role_fixes::key(facts, &key, &judgement, (role, role), crosspipe)
            } else {
                role_fixes::own(&judgement, role, "ArtifactKey", vec![key_statement(&key, None)], None)
            },
            denied: judgement.denied(),
            location: policy,
            severity: None,
        });
    }
}

/// The side that has to be changed: naming the role in the key policy is enough, unless its boundary does not
/// let it use the key or its own policies deny it.
fn refusing(evaluation: &Evaluation) -> Side {
    let bounded = evaluation.permits(Side::PermissionsBoundary) == Ternary::No;
    match evaluation.denied_by(Side::Identity) {
        _ if bounded => Side::PermissionsBoundary,
        Some(_) => Side::Identity,
        None => Side::Resource,
    }
}
