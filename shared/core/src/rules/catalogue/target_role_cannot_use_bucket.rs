//! # What it does
//! Evaluates the action role's identity policies for what the action does with the artifact bucket.
//!
//! # Why deploys fail
//! Across accounts neither side alone is enough: the bucket policy may allow the role, but the role's own
//! policies have to allow it too.
//!
//! # How to fix
//! Allow the object actions on the bucket's objects (`…/*`), and `s3:ListBucket` on the bucket.
//!
//! # Example
//! A role that allows `s3:GetObject` on `arn:aws:s3:::artifacts` without `/*`.

use crate::rules::access::{Access, OWN, artifact_statements};
use crate::rules::diagnostics::Fault;
use crate::rules::facts::role_location;
use crate::rules::resources::target_account;
use crate::rules::role_fixes;
use crate::rules::{Diagnostics, Facts, Rule, RuleId, Severity, Subject};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Ia005,
    name: "target-role-cannot-use-bucket",
    severity: Severity::Error,
    summary: "The action role's identity policies do not allow it to read or write artifacts.",
    sources: &[
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-cross-account.html",
    ],
    subject: Subject::BucketOfRole,
    check,
};

fn check(facts: &Facts<'_>, verdicts: &mut Diagnostics) {
    for group in facts.groups_by_role_and_store() {
        let action = group.first;
        let (Some(access), Some(store)) = (Access::to_bucket(&group), action.store()) else { continue };
        let bucket = store.bucket();
        let judgement = access.judge(&OWN);
        let location = role_location(action.role_arn());
        if judgement.unsettled {
            verdicts.unknown(&location);
        }
        if judgement.is_clear() {
            continue;
        }
        let bucket_arn = format!("arn:{}:s3:::{bucket}", facts.partition());
        let objects = format!("{bucket_arn}/*");
        verdicts.fail(Fault {
            message: format!(
                "{} is not allowed to {} the artifacts of {} in `{bucket}`",
                action.role_label(),
                group.use_of_artifacts(),
                group.label()
            ),
            because: judgement.because_of_role(action.role_arn(), &format!("on `{objects}`")),
            fix: role_fixes::own(
                &judgement,
                action.role_arn(),
                "PipelineArtifacts",
                artifact_statements(facts, bucket, None),
                Some(target_account(action.account, &[("ArtifactBucketArns", &bucket_arn)])),
            ),
            denied: judgement.denied(),
            location,
            severity: None,
        });
    }
}
