//! # What it does
//! Looks for an artifact key that is given by the name of an alias while a cross-account action uses the store. (An
//! alias's ARN names account and Region, and works.)
//!
//! # Why deploys fail
//! The name of an alias is looked up in the account of the role that uses it, so the target account finds no key.
//!
//! # How to fix
//! Give the key's ARN.
//!
//! # Example
//! `"encryptionKey": {"id": "alias/pipeline", "type": "KMS"}`

use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::in_diagnosis::fits_key_not_found;
use crate::rules::pipeline_edits::resolve_key;
use crate::rules::resources::key_of;
use crate::rules::{Facts, InDiagnosis, ResourceType, Rule, RuleContext, RuleId, Severity, Subject};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Pl003,
    name: "artifact-key-given-by-alias",
    severity: Severity::Error,
    summary: "The artifact key of a cross-account action is given by the name of an alias.",
    sources: &[
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-cross-account.html",
    ],
    subject: Subject::Store,
    in_diagnosis: InDiagnosis {
        explains: fits_key_not_found,
        remediated_by: Some(ResourceType::PipelinePatch),
        ..InDiagnosis::NOTHING
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    for group in facts.groups_by_account_and_store() {
        let action = group.first;
        let Some(store) = action.store() else { continue };
        let alias = store.key_id().filter(|key| key.starts_with("alias/"));
        let Some(key) = alias else { continue };
        cx.report(Fault {
            location: format!("{}.encryptionKey.id", store.path()),
            message: format!(
                "the artifact key is given by an alias, which account {} of {} can't resolve",
                action.account,
                group.label()
            ),
            because: format!(
                "`{key}` is the name of an alias, which is looked up in the account of the role that uses it"
            ),
            fix: Fix {
                summary: "give the ARN of the key".into(),
                command: Some(resolve_key(facts, &store, key)),
                crosspipe: Some(key_of(facts, &store, None, action.account)),
                ..Fix::default()
            },
            ..Fault::default()
        });
    }
}
