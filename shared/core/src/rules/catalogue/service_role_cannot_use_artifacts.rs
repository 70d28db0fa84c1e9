//! # What it does
//! Evaluates whether the service role may read and write artifacts in each bucket where it has to: for actions that
//! have no role of their own, and for artifacts that go from one Region to another. The same is asked of the roles of
//! actions that work in the pipeline's own account.
//!
//! # Why deploys fail
//! The pipeline can't keep what its sources bring: "The provided role does not have permissions to perform this
//! action", or "Replication of artifact '…' failed".
//!
//! # How to fix
//! Allow the role to read and write the objects of the bucket, in its own policies.
//!
//! # Example
//! A service role with `sts:AssumeRole` on the action roles and nothing else, and a source action without `roleArn`.

use crate::arn;
use crate::evaluation::Side;
use crate::incident::message::ErrorSignature;
use crate::rules::access::{Access, object};
use crate::rules::artifact_users::home_role_uses;
use crate::rules::diagnostics::Fault;
use crate::rules::facts::role_location;
use crate::rules::fix_statements::artifact_statements;
use crate::rules::role_fixes;
use crate::rules::{Facts, Fit, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};
use crate::snapshot::Fact;

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Ia014,
    name: "service-role-cannot-use-artifacts",
    severity: Severity::Error,
    summary: "The service role can't use an artifact bucket that it needs.",
    sources: &[
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html",
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-create-cross-region.html",
    ],
    subject: Subject::BucketOfRole,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::Artifact { .. } | ErrorSignature::Bucket { .. } | ErrorSignature::Key => {
                Fit::Names
            }
            ErrorSignature::NoSuchKey { .. }
            | ErrorSignature::Replication
            | ErrorSignature::RolePermissions { service: None }
            | ErrorSignature::Refused => Fit::Fits,
            _ => Fit::No,
        },
        judges: &["kms", "s3"],
        ..InDiagnosis::NOTHING
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    for used in home_role_uses(facts) {
        let (role, of_store) = (used.role, &used.of_store);
        let store = &of_store.store;
        let bucket = store.bucket();
        // A bucket that is gone, or of another account, is S3004.
        let known = facts.bucket(bucket);
        let owner = known.part(|bucket| &bucket.account);
        let is_foreign = owner.known().is_some_and(|it| Some(it.as_str()) != facts.pipeline().account());
        if matches!(known, Fact::Absent) || is_foreign {
            continue;
        }
        let of = |need: &str, names: &[&str]| -> Vec<(String, String)> {
            names.iter().map(|name| (need.to_owned(), object(facts, store, name))).collect()
        };
        let objects = [of("s3:GetObject", &of_store.inputs), of("s3:PutObject", &of_store.outputs)].concat();
        let mut judgement = Access::bucket(facts, role, store, objects).judge_together(Side::Identity);
        // What the bucket's policy denies is S3002.
        judgement.refused.retain(|it| !(it.denied.side == Side::Resource && it.denied.explicit));
        let location = role_location(role);
        if judgement.unsettled {
            cx.unknown(judgement.missing(&location));
        }
        if judgement.is_clear() {
            continue;
        }
        let objects = arn::object(facts.partition(), bucket, "*");
        cx.report(Fault {
            message: format!(
                "{} is not allowed to {} the artifacts of {} in `{bucket}`",
                used.label(facts),
                of_store.verb(),
                of_store.label()
            ),
            because: judgement.because_of_role(role, &format!("on `{objects}`")),
            fix: role_fixes::own(
                &judgement,
                role,
                "PipelineArtifacts",
                artifact_statements(facts, bucket, None),
                None,
            ),
            denied: judgement.denied(),
            location,
            ..Fault::default()
        });
    }
}
