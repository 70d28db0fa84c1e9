//! # What it does
//! Evaluates whether the artifact bucket's policy denies requests that do not come over TLS, for the bucket
//! as well as for its objects.
//!
//! # Why deploys fail
//! They don't: artifacts could be read in the clear. AWS's walkthrough denies that for objects, and not for
//! the bucket itself.
//!
//! # How to fix
//! Deny `s3:*` on both where `aws:SecureTransport` is false.
//!
//! # Example
//! A bucket policy without a Deny statement.

use serde_json::json;

use crate::arn::{self, Arn};
use crate::evaluation::{Context, Request, Requester, Ternary};
use crate::rules::access::denies;
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::documents::Document;
use crate::rules::resources::bucket_grant;
use crate::rules::{Facts, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};
use crate::snapshot::Fact;

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::S3006,
    name: "bucket-allows-insecure-transport",
    severity: Severity::Warning,
    summary: "The artifact bucket's policy does not deny requests without TLS.",
    sources: &[
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html",
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-cross-account.html",
    ],
    subject: Subject::Practice,
    in_diagnosis: InDiagnosis::NOTHING,
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    for store in facts.stores() {
        let bucket = store.bucket();
        let location = format!("buckets[\"{bucket}\"].policy");
        let known = facts.bucket(bucket);
        let policy = known.part(|bucket| &bucket.policy);
        let arn = arn::bucket(facts.partition(), bucket);
        let objects = format!("{arn}/*");
        let open: Vec<&str> = match policy {
            _ if matches!(known, Fact::Absent) => continue,
            Fact::Absent => vec![&arn, &objects],
            Fact::Unknown => {
                cx.unknown(location);
                continue;
            }
            Fact::Known(policy) => {
                let Ok(role) = Arn::parse(facts.pipeline().role_arn()) else { continue };
                let is_open = |action: &str, resource: &str| {
                    let request = Request {
                        requester: Requester::Role(role.clone()),
                        action,
                        resource,
                        resource_account: facts.pipeline().account(),
                        context: Context::partial().with("aws:SecureTransport", "false"),
                    };
                    denies(policy, &request) == Ternary::No
                };
                let bucket = is_open("s3:ListBucket", &arn).then_some(arn.as_str());
                let object = is_open("s3:GetObject", &format!("{arn}/object")).then_some(objects.as_str());
                bucket.into_iter().chain(object).collect()
            }
        };
        if open.is_empty() {
            continue;
        }
        let statements = vec![json!({
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, objects],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}}
        })];
        cx.report(Fault {
            message: format!("bucket `{bucket}` accepts requests without TLS"),
            because: format!("no statement of its policy denies them on {}", open.join(" and ")),
            fix: Fix {
                summary: format!("add this statement to the policy of bucket `{bucket}`"),
                command: Some(Document::bucket_policy(facts, bucket).add(&statements)),
                statements,
                crosspipe: Some(bucket_grant(facts, bucket, "DenyInsecureTransport")),
            },
            location,
            ..Fault::default()
        });
    }
}
