//! # What it does
//! Looks for an artifact key that is given by its bare id while a cross-account action uses the store.
//!
//! # Why deploys fail
//! The action works in the target account, where a bare id names a key of that account. The tell is the
//! target account's id in the message: `Key 'arn:aws:kms:…:<target>:key/…' does not exist`.
//!
//! # How to fix
//! Give the key's ARN.
//!
//! # Example
//! `"encryptionKey": {"id": "1234abcd-12ab-34cd-56ef-1234567890ab", "type": "KMS"}`

use crate::arn;
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::in_diagnosis::fits_key_not_found;
use crate::rules::pipeline_edits::resolve_key;
use crate::rules::resources::key_of;
use crate::rules::{Facts, InDiagnosis, ResourceType, Rule, RuleContext, RuleId, Severity, Subject};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Pl002,
    name: "artifact-key-given-by-id",
    severity: Severity::Error,
    summary: "The artifact key of a cross-account action is given by a bare key id.",
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
        let bare = store.key_id().filter(|key| !key.starts_with("arn:") && !key.starts_with("alias/"));
        let Some(key) = bare else { continue };
        let place = facts.pipeline().account().zip(facts.store_region(&store));
        let arn = place.map(|(account, region)| {
            arn::build(facts.partition(), "kms", region, account, format_args!("key/{key}"))
        });
        cx.report(Fault {
            location: format!("{}.encryptionKey.id", store.path()),
            message: format!(
                "the artifact key is given by its bare id, which {} looks up in account {}",
                group.label(),
                action.account
            ),
            because: format!(
                "`{key}` is not an ARN, and key ids resolve in the account of the role that uses them"
            ),
            fix: Fix {
                summary: "give the ARN of the key".into(),
                command: Some(resolve_key(facts, &store, key)),
                crosspipe: Some(key_of(facts, &store, arn.as_deref(), action.account)),
                ..Fix::default()
            },
            ..Fault::default()
        });
    }
}
