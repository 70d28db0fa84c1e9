//! # What it does
//! Evaluates the artifact key's policy and grants for what each cross-account action does with the key.
//!
//! # Why deploys fail
//! Across accounts both sides have to allow: the key policy here and the action role's own policies there.
//! Without the first the action fails with "The ciphertext refers to a customer master key that does not
//! exist, does not exist in this region, or you are not allowed to access", or just "Unable to access the
//! artifact".
//!
//! # How to fix
//! Add a statement to the key policy that allows the target account (or the action role).
//!
//! # Example
//! A key policy with nothing but the default statement for its own account's root.

use serde_json::json;

use crate::arn;
use crate::evaluation::Side;
use crate::incident::message::{ErrorSignature, PolicyKind};
use crate::rules::access::Access;
use crate::rules::action_facts::unresolved_alias;
use crate::rules::diagnostics::Fault;
use crate::rules::resources::custom;
use crate::rules::{Facts, Fit, InDiagnosis, ResourceType, Rule, RuleContext, RuleId, Severity, Subject};
use crate::rules::{deleted_principals, denied_request, role_fixes};
use crate::snapshot::Fact;

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Km001,
    name: "key-policy-omits-target",
    severity: Severity::Error,
    summary: "The artifact key's policy does not let the action role use the key.",
    sources: &[
        "https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html",
    ],
    subject: Subject::KeyPolicy,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::Artifact { .. } | ErrorSignature::Key => Fit::Names,
            ErrorSignature::Bucket { .. }
            | ErrorSignature::NoSuchKey { .. }
            | ErrorSignature::RolePermissions { service: None }
            | ErrorSignature::Refused
            | ErrorSignature::BuildSource => Fit::Fits,
            _ => Fit::No,
        },
        judges: &["kms"],
        remediated_by: Some(ResourceType::ArtifactKeyGrant),
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    for group in facts.groups_by_role_and_store() {
        let action = group.first;
        if let Some(alias) = unresolved_alias(&group) {
            cx.unknown(format!("keys[\"{alias}\"]"));
        }
        let (Some(access), Some(key)) = (Access::to_key(&group), action.key_arn()) else { continue };
        let judgement = access.judge(&[Side::Resource]);
        let told =
            denied_request::told_of_artifacts(facts, &group, "kms", PolicyKind::ResourceBased, &judgement);
        if let Some(fault) = told {
            cx.report(fault);
        }
        let location = format!("keys[\"{key}\"].policy");
        if judgement.unsettled {
            cx.unknown(judgement.missing(&location));
        }
        let known = facts.key(key.as_str());
        // A key that is gone is KM003, a policy that names a deleted role KM004.
        let told = matches!(known, Fact::Absent)
            || deleted_principals::explains(&known.part(|key| &key.policy), &judgement);
        if judgement.is_clear() || told {
            continue;
        }
        let root = arn::account_root(key.partition(), action.account);
        cx.report(Fault {
            message: format!(
                "the artifact key's policy does not let {} use the key, which {} needs",
                action.role_label(),
                group.label()
            ),
            because: judgement
                .because(&format!("the policy of `{key}`"), &format!("to {}", action.role_arn())),
            fix: role_fixes::key(
                facts,
                &key,
                &judgement,
                (action.role_arn(), &root),
                custom(
                    "ArtifactKeyGrant",
                    &[("KeyArn", json!(key.as_str())), ("TargetAccounts", json!([action.account]))],
                ),
            ),
            denied: judgement.denied(),
            location,
            ..Fault::default()
        });
    }
}
