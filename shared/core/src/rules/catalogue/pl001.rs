//! # What it does
//! Looks for an artifact store without a customer managed key that a cross-account action uses.
//!
//! # Why deploys fail
//! Without `encryptionKey` artifacts are encrypted under the AWS managed key `aws/s3`, whose policy
//! can't be changed and which no other account can use.
//!
//! # How to fix
//! Create a customer managed key in the store's Region, grant it to the service role and the target
//! account, and set its ARN on the store.
//!
//! # Example
//! `"artifactStore": {"type": "S3", "location": "artifacts"}` with an action whose `roleArn` is in
//! another account.

use crate::rules::verdicts::{Fault, Fix};
use crate::rules::{Facts, Rule, Severity, Verdicts};

pub(in crate::rules) const RULE: Rule = Rule {
    id: "PL001",
    name: "artifact-store-without-customer-key",
    severity: Severity::Error,
    summary: "A cross-account action uses an artifact store that has no customer managed key.",
    sources: &[
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-cross-account.html",
    ],
    check,
};

fn check(facts: &Facts<'_>, verdicts: &mut Verdicts) {
    for action in facts.cross_account_actions() {
        let Some(store) = action.store().filter(|store| store.key_id().is_none()) else { continue };
        verdicts.fail(Fault {
            location: store.path(),
            message: format!(
                "artifact store `{}` has no encryption key, so account {} can't decrypt the artifacts of {}",
                store.bucket(),
                action.account,
                action.label()
            ),
            because: format!(
                "`{}.encryptionKey` is not set: the key is then `aws/s3`, which other accounts can't use",
                store.path()
            ),
            fix: Fix {
                summary: "set the ARN of a customer managed key in the store's Region as its encryption key"
                    .into(),
                crosspipe: Some(
                    "Custom::PipelinePatch with `EncryptionKeyArn`, and Custom::ArtifactKeyGrant for the key"
                        .into(),
                ),
                ..Fix::default()
            },
            ..Fault::default()
        });
    }
}
