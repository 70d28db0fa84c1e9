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

use super::access::{Access, allow};
use super::verdicts::{Fault, Fix};
use super::{Facts, Rule, Severity, Verdicts};
use crate::evaluation::Side;
use crate::grants::bucket::{BUCKET_ACTIONS, OBJECT_ACTIONS};

pub(super) const RULE: Rule = Rule {
    id: "S3001",
    name: "bucket-policy-omits-target",
    severity: Severity::Error,
    summary: "The artifact bucket's policy does not let the action role read or write artifacts.",
    sources: &[
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-cross-account.html",
    ],
    check,
};

fn check(facts: &Facts<'_>, verdicts: &mut Verdicts) {
    for action in facts.cross_account_actions() {
        let (Some(access), Some(store)) = (Access::to_bucket(action), action.store()) else { continue };
        let bucket = store.bucket();
        let judgement = access.judge(Side::Resource);
        let location = format!("buckets[\"{bucket}\"].policy");
        if judgement.unsettled {
            verdicts.unknown(&location);
        }
        if judgement.denied.is_empty() {
            continue;
        }
        let partition = facts.partition();
        let root = format!("arn:{partition}:iam::{}:root", action.account);
        let bucket_arn = format!("arn:{partition}:s3:::{bucket}");
        let missing = vec![
            allow(Some(&root), &OBJECT_ACTIONS, &[format!("{bucket_arn}/*")]),
            allow(Some(&root), &BUCKET_ACTIONS, &[bucket_arn]),
        ];
        let denies = !judgement.denying_statements.is_empty();
        let summary = if denies {
            format!(
                "exempt {} from {} of bucket `{bucket}`",
                action.role_arn(),
                judgement.denying_statements.join(" and ")
            )
        } else {
            format!("add these statements to the policy of bucket `{bucket}`")
        };
        verdicts.fail(Fault {
            message: format!("the bucket policy of `{bucket}` does not let {} {} the artifacts of {}", action.role_label(), action.use_of_artifacts(), action.label()),
            because: judgement.because(&format!("the bucket policy of `{bucket}`"), &format!("to {}", action.role_arn())),
            fix: Fix {
                summary,
                statements: if denies { vec![] } else { missing },
                crosspipe: Some(format!("Custom::ArtifactBucketGrant with `TargetAccounts: [\"{}\"]`", action.account)),
                command: Some(format!(
                    "aws s3api get-bucket-policy --bucket {bucket} --query Policy --output text > policy.json\n\
                     # change it, then:\n\
                     aws s3api put-bucket-policy --bucket {bucket} --policy file://policy.json"
                )),
            },
            denied: judgement.denied,
            location,
        });
    }
}
