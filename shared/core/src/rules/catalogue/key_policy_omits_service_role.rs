//! # What it does
//! Evaluates whether the pipeline's service role may use the artifact keys that it needs: for actions that have no
//! role of their own, and for artifacts that go from one Region to another. The key policy has to name it, or to
//! hand the key to the account whose identity policies then allow it.
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

use std::collections::BTreeSet;

use serde_json::json;

use crate::evaluation::Side;
use crate::incident::message::ErrorSignature;
use crate::rules::access::{Access, object};
use crate::rules::artifact_users::home_role_uses;
use crate::rules::diagnostics::Fault;
use crate::rules::facts::role_location;
use crate::rules::fix_statements::key_statement;
use crate::rules::resources::custom;
use crate::rules::role_fixes;
use crate::rules::{Facts, Fit, InDiagnosis, ResourceType, Rule, RuleContext, RuleId, Severity, Subject};
use crate::snapshot::Fact;

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Km002,
    name: "key-policy-omits-service-role",
    severity: Severity::Error,
    summary: "The pipeline's service role can't use the artifact key.",
    sources: &["https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html"],
    subject: Subject::KeyPolicy,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::Artifact { .. }
            | ErrorSignature::Bucket { .. }
            | ErrorSignature::Key
            | ErrorSignature::Replication
            | ErrorSignature::RolePermissions { service: None }
            | ErrorSignature::Refused => Fit::Fits,
            _ => Fit::No,
        },
        judges: &["kms"],
        remediated_by: Some(ResourceType::ArtifactKeyGrant),
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    for used in home_role_uses(facts) {
        let (role, of_store) = (used.role, &used.of_store);
        let store = &of_store.store;
        if let Some(alias) = facts.unresolved_alias(store) {
            cx.unknown(format!("keys[\"{alias}\"]"));
        }
        let Some(key) = facts.key_of(store) else { continue };
        if matches!(facts.key(key.as_str()), Fact::Absent) || matches!(facts.role(role), Fact::Absent) {
            continue;
        }
        let of = |need, names: &[&str]| names.first().map(|name| (need, object(facts, store, name)));
        let needs: Vec<_> = of("kms:Decrypt", &of_store.inputs)
            .into_iter()
            .chain(of("kms:GenerateDataKey", &of_store.outputs))
            .collect();
        let judgement = Access::key(facts, role, &key, store.bucket(), &needs).judge_together(Side::Resource);
        let policy = format!("keys[\"{key}\"].policy");
        if judgement.unsettled {
            let known = facts.key(key.as_str()).part(|key| &key.policy).known().is_some();
            cx.unknown(judgement.missing(&if known { role_location(role) } else { policy.clone() }));
        }
        if judgement.is_clear() {
            continue;
        }
        let by = judgement.refused.iter().find_map(|refusal| refusal.by.as_ref());
        let because = by.map(|by| format!("{by} denies it"));
        let targets: BTreeSet<&str> = facts.cross_account_actions().map(|action| action.account).collect();
        let crosspipe = custom(
            "ArtifactKeyGrant",
            &[
                ("KeyArn", json!(key.as_str())),
                ("ServiceRoleArn", json!(role)),
                ("TargetAccounts", json!(targets)),
            ],
        );
        cx.report(Fault {
            message: format!(
                "{} can't use the artifact key, so it can't {} the artifacts of {}",
                used.label(facts),
                of_store.verb(),
                of_store.label()
            ),
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
            ..Fault::default()
        });
    }
}
