//! # What it does
//! Compares the Region of each artifact key with the Region of its store.
//!
//! # Why deploys fail
//! S3 encrypts only with keys of the bucket's own Region. AWS's own walkthrough mixes a key in us-east-1
//! with a bucket in us-east-2.
//!
//! # How to fix
//! Use a key in the store's Region; a multi-Region replica has an ARN of its own there.
//!
//! # Example
//! A bucket in us-east-2 with `"id": "arn:aws:kms:us-east-1:111111111111:key/…"`

use crate::arn::Arn;
use crate::incident::message::ErrorSignature;
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::in_diagnosis::fits_key_not_found;
use crate::rules::resources::{key_of, target_of};
use crate::rules::{Facts, Fit, InDiagnosis, ResourceType, Rule, RuleContext, RuleId, Severity, Subject};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Pl004,
    name: "artifact-key-in-other-region",
    severity: Severity::Error,
    summary: "The artifact key is in another Region than its store.",
    sources: &[
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-cross-account.html",
    ],
    subject: Subject::Store,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::Replication => Fit::Fits,
            claim => fits_key_not_found(claim),
        },
        remediated_by: Some(ResourceType::PipelinePatch),
        ..InDiagnosis::NOTHING
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    for store in facts.pipeline().stores() {
        let Some(key) = store.key_id().and_then(|key| Arn::parse(key).ok()) else { continue };
        let Some(region) = facts.store_region(&store) else {
            cx.unknown(format!("buckets[\"{}\"].region", store.bucket()));
            continue;
        };
        if key.region() == region {
            continue;
        }
        cx.report(Fault {
            location: format!("{}.encryptionKey.id", store.path()),
            message: format!(
                "artifact store `{}` is in {region} and its key in {}",
                store.bucket(),
                key.region()
            ),
            because: format!("`{key}` names the Region {}", key.region()),
            fix: Fix {
                summary: format!("use a customer managed key in {region}"),
                crosspipe: target_of(facts, &store).map(|target| key_of(facts, &store, None, target)),
                ..Fix::default()
            },
            ..Fault::default()
        });
    }
}
