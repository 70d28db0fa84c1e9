//! # What it does
//! For actions that put artifacts from a target account into a bucket whose object ownership is not
//! `BucketOwnerEnforced`: evaluates whether the action role may hand the objects to the bucket's owner.
//!
//! # Why deploys fail
//! Without the bucket owner's control the object belongs to the target account, and CodePipeline puts it
//! with an ACL: "Upload to S3 failed with the following error: Access Denied".
//!
//! # How to fix
//! Set the object ownership `BucketOwnerEnforced`, or allow `s3:PutObjectAcl` on both sides.
//!
//! # Example
//! `"objectOwnership": "ObjectWriter"` and an action role with `s3:PutObject` only.

use crate::arn;
use crate::evaluation::Side;
use crate::incident::message::ErrorSignature;
use crate::rules::access::{Access, OWN, object};
use crate::rules::commands::{in_region, option, script};
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::facts::role_location;
use crate::rules::fix_statements::allow;
use crate::rules::{Facts, Fit, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};
use crate::snapshot::Fact;

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::S3008,
    name: "artifacts-owned-by-target",
    severity: Severity::Error,
    summary: "A target account puts artifacts that would stay its own, without the permission to hand them over.",
    sources: &["https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html"],
    subject: Subject::BucketPolicy,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::Bucket { .. } | ErrorSignature::Refused => Fit::Fits,
            _ => Fit::No,
        },
        ..InDiagnosis::NOTHING
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    for action in facts.cross_account_actions().filter(|it| it.provider().artifacts().is_action_role()) {
        let Some(store) = action.store().filter(|_| action.action.output_artifacts().next().is_some()) else {
            continue;
        };
        let bucket = store.bucket();
        let ownership = match facts.bucket(bucket).part(|bucket| &bucket.object_ownership) {
            Fact::Known(ownership) => ownership.as_str(),
            // Without ownership controls an object belongs to whoever puts it.
            Fact::Absent => "ObjectWriter",
            Fact::Unknown => {
                cx.unknown(format!("buckets[\"{bucket}\"].objectOwnership"));
                continue;
            }
        };
        if ownership == "BucketOwnerEnforced" {
            continue;
        }
        let outputs = action.action.output_artifacts();
        let requests =
            outputs.map(|artifact| ("s3:PutObjectAcl".to_owned(), object(facts, &store, artifact)));
        let access = Access::bucket(facts, action.role_arn(), &store, requests.collect());
        let judgement = access.judge(&[OWN[0], OWN[1], Side::Resource]);
        let location = role_location(action.role_arn());
        if judgement.unsettled {
            cx.unknown(&location);
        }
        let Some(side) = judgement.refused.first().map(|refusal| refusal.denied.side) else { continue };
        let at_bucket = side == Side::Resource;
        let objects = arn::object(facts.partition(), bucket, "*");
        let where_ = if at_bucket {
            format!("the policy of bucket `{bucket}`")
        } else {
            format!("{} of {}", judgement.what(), action.role_arn())
        };
        cx.report(Fault {
            message: format!(
                "the artifacts that {} puts into `{bucket}` can't be handed to the bucket's owner",
                action.label()
            ),
            because: format!(
                "object ownership is {ownership}, and {}",
                judgement.because(&where_, &format!("to {}", action.role_arn()))
            ),
            fix: Fix {
                summary: format!(
                    "set the object ownership BucketOwnerEnforced, or add this statement to {where_}"
                ),
                statements: vec![allow(
                    at_bucket.then(|| action.role_arn()),
                    &["s3:PutObjectAcl"],
                    &[objects],
                )],
                command: Some(enforce_owner(facts, bucket)),
                crosspipe: None,
            },
            denied: judgement.denied(),
            location,
            ..Fault::default()
        });
    }
}

/// S3 refuses where the bucket has an ACL of its own for somebody else.
fn enforce_owner(facts: &Facts<'_>, bucket: &str) -> String {
    let region = facts.bucket(bucket).part(|bucket| &bucket.region).known().map(|it| it.as_str());
    let region = in_region(region.or_else(|| facts.pipeline().region()));
    let step = format!(
        "aws s3api put-bucket-ownership-controls{region} {} --ownership-controls 'Rules=[{{ObjectOwnership=BucketOwnerEnforced}}]'",
        option("bucket", bucket)
    );
    script(facts.pipeline().account(), &[step])
}
