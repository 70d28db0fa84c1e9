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

use crate::arn;
use crate::incident::message::{ErrorSignature, PolicyKind};
use crate::rules::access::{Access, OWN};
use crate::rules::diagnostics::Fault;
use crate::rules::facts::role_location;
use crate::rules::fix_statements::artifact_statements;
use crate::rules::resources::target_account;
use crate::rules::{Facts, Fit, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};
use crate::rules::{denied_request, role_fixes};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Ia005,
    name: "target-role-cannot-use-bucket",
    severity: Severity::Error,
    summary: "The action role's identity policies do not allow it to read or write artifacts.",
    sources: &[
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-cross-account.html",
    ],
    subject: Subject::BucketOfRole,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::Artifact { .. } | ErrorSignature::Bucket { .. } => Fit::Names,
            ErrorSignature::RolePermissions { service: None } | ErrorSignature::Refused => Fit::Fits,
            _ => Fit::No,
        },
        judges: &["s3"],
        ..InDiagnosis::NOTHING
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    for group in facts.groups_by_role_and_store() {
        let action = group.first;
        let (Some(access), Some(store)) = (Access::to_bucket(&group), action.store()) else { continue };
        let bucket = store.bucket();
        let judgement = access.judge(&OWN);
        let told =
            denied_request::told_of_artifacts(facts, &group, "s3", PolicyKind::IdentityBased, &judgement);
        if let Some(fault) = told {
            cx.report(fault);
        }
        let location = role_location(action.role_arn());
        if judgement.unsettled {
            cx.unknown(judgement.missing(&location));
        }
        if judgement.is_clear() {
            continue;
        }
        let bucket_arn = arn::bucket(facts.partition(), bucket);
        let objects = format!("{bucket_arn}/*");
        cx.report(Fault {
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
            ..Fault::default()
        });
    }
}
