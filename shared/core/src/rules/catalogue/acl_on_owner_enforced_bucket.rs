//! # What it does
//! Looks for S3 deploys that set an ACL on a bucket which takes none.
//!
//! # Why deploys fail
//! With object ownership `BucketOwnerEnforced`, the default of new buckets, a bucket refuses every ACL but
//! `bucket-owner-full-control`: "AccessControlListNotSupported … The bucket does not allow ACLs".
//!
//! # How to fix
//! Remove `CannedACL` from the action.
//!
//! # Example
//! `"configuration": {"BucketName": "site", "CannedACL": "public-read", …}`

use crate::incident::message::{ErrorSignature, PolicyKind};
use crate::providers::Provider;
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::pipeline_edits::remove;
use crate::rules::{Facts, Fit, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};
use crate::snapshot::Fact;

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::S3005,
    name: "acl-on-owner-enforced-bucket",
    severity: Severity::Error,
    summary: "An S3 deploy sets an ACL on a bucket that does not allow ACLs.",
    sources: &[
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html",
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3Deploy.html",
    ],
    subject: Subject::Setting,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::NoAcls => Fit::Names,
            _ => Fit::No,
        },
        ..InDiagnosis::NOTHING
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    for action in facts.actions().filter(|it| Provider::of(it) == Provider::S3Deploy) {
        let (Some(acl), Some(bucket)) =
            (action.configuration("CannedACL"), action.configuration("BucketName"))
        else {
            continue;
        };
        if acl == "bucket-owner-full-control" {
            continue;
        }
        let ownership = facts.bucket(bucket).part(|bucket| &bucket.object_ownership);
        let is_refused = facts.incident().is_some_and(|it| {
            // Block Public Access is a reason of its own beside the kinds of policy.
            let is_blocked = it.denial.as_ref().is_some_and(|denial| {
                denial.side == Some(PolicyKind::Other) && denial.action.starts_with("s3:PutObject")
            });
            it.action.path() == action.path() && (is_blocked || it.claims(&ErrorSignature::NoAcls))
        });
        let reason = match ownership {
            Fact::Known(ownership) if ownership == "BucketOwnerEnforced" => {
                format!("the bucket's object ownership is {ownership}")
            }
            _ if is_refused => {
                "S3 refused it: Block Public Access or object ownership allows no such ACL".into()
            }
            Fact::Unknown => {
                cx.unknown(format!("buckets[\"{bucket}\"].objectOwnership"));
                continue;
            }
            Fact::Known(_) | Fact::Absent => continue,
        };
        cx.report(Fault {
            location: format!("{}.configuration.CannedACL", action.path()),
            message: format!(
                "{}/{} sets an ACL on bucket `{bucket}`, which allows none",
                action.stage().name(),
                action.name()
            ),
            because: format!("`CannedACL` is {acl}, and {reason}"),
            fix: Fix {
                summary: format!("remove `CannedACL` from `{}.configuration`", action.path()),
                command: Some(remove(facts, &action, "configuration.CannedACL")),
                ..Fix::default()
            },
            ..Fault::default()
        });
    }
}
