//! # What it does
//! Evaluates the artifact bucket's policy for what each cross-account action does with its objects.
//!
//! # Why deploys fail
//! Across accounts both sides have to allow: the bucket policy here and the action role's own policies
//! there. Without the first the action fails with "The service role or action role doesn't have the
//! permissions required to access the Amazon S3 bucket named …".
//!
//! # How to fix
//! Add the walkthrough's two Allow statements: one on the objects, one on the bucket.
//!
//! # Example
//! A bucket policy with the walkthrough's two Deny statements only.

use serde_json::json;

use crate::arn;
use crate::evaluation::Side;
use crate::incident::message::{ErrorSignature, PolicyKind};
use crate::rules::access::Access;
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::documents::Document;
use crate::rules::fix_statements::artifact_statements;
use crate::rules::resources::custom;
use crate::rules::{Facts, Fit, InDiagnosis, ResourceType, Rule, RuleContext, RuleId, Severity, Subject};
use crate::rules::{deleted_principals, denied_request};
use crate::snapshot::Fact;

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::S3001,
    name: "bucket-policy-omits-target",
    severity: Severity::Error,
    summary: "The artifact bucket's policy does not let the action role read or write artifacts.",
    sources: &[
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-cross-account.html",
    ],
    subject: Subject::BucketPolicy,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::Artifact { .. } | ErrorSignature::Bucket { .. } => Fit::Names,
            ErrorSignature::RolePermissions { service: None }
            | ErrorSignature::Refused
            | ErrorSignature::BuildSource => Fit::Fits,
            _ => Fit::No,
        },
        judges: &["s3"],
        remediated_by: Some(ResourceType::ArtifactBucketGrant),
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    for group in facts.groups_by_role_and_store() {
        let action = group.first;
        let (Some(access), Some(store)) = (Access::to_bucket(&group), action.store()) else { continue };
        let bucket = store.bucket();
        let judgement = access.judge(&[Side::Resource]);
        let told =
            denied_request::told_of_artifacts(facts, &group, "s3", PolicyKind::ResourceBased, &judgement);
        if let Some(fault) = told.filter(|_| !facts.is_told_of_statement()) {
            cx.report(fault);
        }
        let location = format!("buckets[\"{bucket}\"].policy");
        let known = facts.bucket(bucket);
        // A bucket that is gone is S3004, a policy that denies S3002, one that names a deleted role S3003.
        let told = matches!(known, Fact::Absent)
            || deleted_principals::explains(&known.part(|it| &it.policy), &judgement);
        let judgement = judgement.omitted();
        if judgement.unsettled {
            cx.unknown(judgement.missing(&location));
        }
        if judgement.is_clear() || told {
            continue;
        }
        let root = arn::account_root(facts.partition(), action.account);
        let statements = artifact_statements(facts, bucket, Some(&root));
        cx.report(Fault {
            message: format!(
                "the bucket policy of `{bucket}` does not let {} {} the artifacts of {}",
                action.role_label(),
                group.use_of_artifacts(),
                group.label()
            ),
            because: judgement
                .because(&format!("the bucket policy of `{bucket}`"), &format!("to {}", action.role_arn())),
            fix: Fix {
                summary: format!("add these statements to the policy of bucket `{bucket}`"),
                command: Some(Document::bucket_policy(facts, bucket).add(&statements)),
                statements,
                crosspipe: Some(custom(
                    "ArtifactBucketGrant",
                    &[("BucketName", json!(bucket)), ("TargetAccounts", json!([action.account]))],
                )),
            },
            denied: judgement.denied(),
            location,
            ..Fault::default()
        });
    }
}
