//! # What it does
//! Looks for an artifact key that is given by an alias while a cross-account action uses the store.
//!
//! # Why deploys fail
//! Aliases resolve only in the account that owns them, so the target account finds no key.
//!
//! # How to fix
//! Give the key's ARN.
//!
//! # Example
//! `"encryptionKey": {"id": "alias/pipeline", "type": "KMS"}`

use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::pipeline_edits::resolve_key;
use crate::rules::resources::key_of;
use crate::rules::{Diagnostics, Facts, Rule, RuleId, Severity, Subject};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Pl003,
    name: "artifact-key-given-by-alias",
    severity: Severity::Error,
    summary: "The artifact key of a cross-account action is given by an alias.",
    sources: &[
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-cross-account.html",
    ],
    subject: Subject::Setting,
    check,
};

fn check(facts: &Facts<'_>, verdicts: &mut Diagnostics) {
    for action in facts.cross_account_actions() {
        let Some(store) = action.store() else { continue };
        let alias = store.key_id().filter(|key| key.starts_with("alias/") || key.contains(":alias/"));
        let Some(key) = alias else { continue };
        verdicts.fail(Fault {
            location: format!("{}.encryptionKey.id", store.path()),
            message: format!(
                "the artifact key is given by an alias, which account {} of {} can't resolve",
                action.account,
                action.label()
            ),
            because: format!(
                "`{key}` is an alias, and aliases are recognized only in the account that created the key"
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
