//! # What it does
//! Evaluates the action role's identity policies for what the action does with the artifact key.
//!
//! # Why deploys fail
//! Across accounts neither side alone is enough. The role of AWS's walkthrough has no KMS statement
//! although it reads artifacts; and a key ARN with the target account's id is the classic slip.
//!
//! # How to fix
//! Allow the key actions on the key's ARN in the pipeline's account.
//!
//! # Example
//! A role that allows `kms:Decrypt` on `arn:aws:kms:eu-west-1:<target account>:key/…`.

use crate::incident::message::{ErrorSignature, PolicyKind};
use crate::rules::access::{Access, OWN};
use crate::rules::action_facts::unresolved_alias;
use crate::rules::diagnostics::Fault;
use crate::rules::facts::role_location;
use crate::rules::fix_statements::key_statement;
use crate::rules::resources::target_account;
use crate::rules::{Facts, Fit, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};
use crate::rules::{denied_request, role_fixes};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Ia004,
    name: "target-role-cannot-use-key",
    severity: Severity::Error,
    summary: "The action role's identity policies do not allow it to use the artifact key.",
    sources: &[
        "https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html",
    ],
    subject: Subject::KeyOfRole,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::Artifact { .. } | ErrorSignature::Key => Fit::Names,
            ErrorSignature::Bucket { .. }
            | ErrorSignature::NoSuchKey { .. }
            | ErrorSignature::RolePermissions { service: None }
            | ErrorSignature::Refused => Fit::Fits,
            _ => Fit::No,
        },
        judges: &["kms"],
        ..InDiagnosis::NOTHING
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
        let judgement = access.judge(&OWN);
        let told =
            denied_request::told_of_artifacts(facts, &group, "kms", PolicyKind::IdentityBased, &judgement);
        if let Some(fault) = told {
            cx.report(fault);
        }
        let location = role_location(action.role_arn());
        if judgement.unsettled {
            cx.unknown(judgement.missing(&location));
        }
        if judgement.is_clear() {
            continue;
        }
        cx.report(Fault {
            message: format!(
                "{} is not allowed to use the artifact key, which {} needs",
                action.role_label(),
                group.label()
            ),
            because: judgement.because_of_role(action.role_arn(), &format!("on `{key}`")),
            fix: role_fixes::own(
                &judgement,
                action.role_arn(),
                "PipelineArtifacts",
                vec![key_statement(&key, None)],
                Some(target_account(action.account, &[("ArtifactKeyArns", key.as_str())])),
            ),
            denied: judgement.denied(),
            location,
            ..Fault::default()
        });
    }
}
