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

use crate::arn::Arn;
use crate::incident::message::ErrorSignature;
use crate::pipeline::Store;
use crate::rules::commands::{in_region, show};
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::facts::text;
use crate::rules::pipeline_edits::set_key;
use crate::rules::resources::key_of;
use crate::rules::{Facts, Fit, InDiagnosis, ResourceType, Rule, RuleContext, RuleId, Severity, Subject};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Pl001,
    name: "artifact-store-without-customer-key",
    severity: Severity::Error,
    summary: "A cross-account action uses an artifact store that has no customer managed key.",
    sources: &[
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-cross-account.html",
    ],
    subject: Subject::Store,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::Artifact { .. } => Fit::Names,
            ErrorSignature::Bucket { .. }
            | ErrorSignature::Key
            | ErrorSignature::NoSuchKey { .. }
            | ErrorSignature::Refused
            | ErrorSignature::BuildSource => Fit::Fits,
            _ => Fit::No,
        },
        remediated_by: Some(ResourceType::PipelinePatch),
        ..InDiagnosis::NOTHING
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    for group in facts.groups_by_account_and_store() {
        let action = group.first;
        let Some(store) = action.store().filter(|store| store.key_id().is_none()) else { continue };
        cx.report(Fault {
            location: store.path(),
            message: format!(
                "artifact store `{}` has no encryption key, so account {} can't decrypt the artifacts of {}",
                store.bucket(),
                action.account,
                group.label()
            ),
            because: format!(
                "`{}.encryptionKey` is not set: the key is then `aws/s3`, which other accounts can't use",
                store.path()
            ),
            fix: fix(facts, &store, action.account),
            ..Fault::default()
        });
    }
}

/// With the bucket's default key where that is a customer managed one of the pipeline's account; else the key is
/// for a human to choose.
fn fix(facts: &Facts<'_>, store: &Store<'_>, target: &str) -> Fix {
    let encryption = facts.bucket(store.bucket()).part(|bucket| &bucket.encryption);
    let default = encryption
        .known()
        .and_then(|default| text(default, "/KMSMasterKeyID"))
        .and_then(|key| Arn::parse(key).ok());
    let own = default.filter(|key| {
        key.resource().starts_with("key/") && Some(key.account()) == facts.pipeline().account()
    });
    let listed = || {
        let region = in_region(facts.store_region(store));
        let command = format!(
            "aws kms list-aliases{region} --query 'Aliases[?TargetKeyId].[AliasName,TargetKeyId]' --output table"
        );
        show(facts.pipeline().account(), &command)
    };
    let which = own.as_ref().map_or_else(
        || "a customer managed key in the store's Region".to_owned(),
        |key| format!("the bucket's default key `{key}`"),
    );
    Fix {
        summary: format!("set the ARN of {which} as the store's encryption key"),
        command: Some(own.as_ref().map_or_else(listed, |key| set_key(facts, store, key.as_str()))),
        crosspipe: Some(key_of(facts, store, own.as_ref().map(Arn::as_str), target)),
        ..Fix::default()
    }
}
