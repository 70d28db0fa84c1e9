//! # What it does
//! Compares the account of each artifact key with the pipeline's.
//!
//! # Why deploys fail
//! A key of another account works only if its policy allows the service role, every action role and every
//! reader in turn; where one is forgotten that one gets AccessDenied.
//!
//! # How to fix
//! Use a key in the pipeline's account.
//!
//! # Example
//! A pipeline in 111111111111 with `"id": "arn:aws:kms:eu-west-1:222222222222:key/…"`

use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::resources::{key_of, target_of};
use crate::rules::{Facts, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Pl005,
    name: "artifact-key-in-other-account",
    severity: Severity::Warning,
    summary: "The artifact key is in another account than the pipeline.",
    sources: &[
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-cross-account.html",
    ],
    subject: Subject::Store,
    in_diagnosis: InDiagnosis::NOTHING,
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    let Some(own) = facts.pipeline().account() else { return };
    for (store, key) in facts.keys().filter(|(_, key)| key.account() != own) {
        cx.report(Fault {
            location: format!("{}.encryptionKey.id", store.path()),
            message: format!(
                "the key of artifact store `{}` is in account {}, the pipeline in {own}",
                store.bucket(),
                key.account()
            ),
            because: format!("`{key}` names account {}", key.account()),
            fix: Fix {
                summary: format!(
                    "use a customer managed key of account {own}, or make sure that the key's policy allows everyone who reads and writes artifacts"
                ),
                crosspipe: target_of(facts, &store).map(|target| key_of(facts, &store, None, target)),
                ..Fix::default()
            },
            ..Fault::default()
        });
    }
}
