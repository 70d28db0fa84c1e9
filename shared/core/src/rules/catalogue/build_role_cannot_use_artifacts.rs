//! # What it does
//! Evaluates whether the service role of each build project can read the artifacts that its build gets, and write
//! those that it makes: its own policies, the bucket policy and the key policy.
//!
//! # Why deploys fail
//! A build reads and writes artifacts as its project's service role, in whatever account it is: the action's role
//! only starts it. "AccessDenied … DOWNLOAD_SOURCE", or "… UPLOAD_ARTIFACTS".
//!
//! # How to fix
//! Allow the project's service role to use bucket and key. In another account than the pipeline's, both sides have to
//! allow.
//!
//! # Example
//! A project in the target account whose service role has `s3:GetObject` on the artifacts and no `kms:Decrypt`.

use crate::evaluation::Side;
use crate::incident::message::ErrorSignature;
use crate::rules::access::{Access, OWN};
use crate::rules::access_result::AccessResult;
use crate::rules::artifact_users::{BuildUse, build_uses};
use crate::rules::diagnostics::Fault;
use crate::rules::facts::{role_label, role_location};
use crate::rules::{
    Facts, Fit, InDiagnosis, ResourceType, Rule, RuleContext, RuleId, Severity, Subject, role_fixes,
};
use crate::snapshot::Fact;

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Cb002,
    name: "build-role-cannot-use-artifacts",
    severity: Severity::Error,
    summary: "The service role of a build project can't read or write the pipeline's artifacts.",
    sources: &[
        "https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html",
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html",
    ],
    subject: Subject::OtherRole,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::BuildSource => Fit::Names,
            _ => Fit::No,
        },
        judges: &["kms", "s3"],
        // `OwnRoleArns` of the key grant.
        remediated_by: Some(ResourceType::ArtifactKeyGrant),
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    for build in build_uses(facts) {
        let Fact::Known(role) = build.role else {
            if build.role.is_unknown() {
                cx.unknown(format!("buildProjects[\"{}\"].serviceRole", build.project));
            }
            continue;
        };
        judge(facts, &build, role, cx);
    }
}

fn judge(facts: &Facts<'_>, build: &BuildUse<'_>, role: &str, cx: &mut RuleContext<'_>) {
    let of_store = &build.of_store;
    let (store, location) = (of_store.store, role_location(role));
    let is_own = build.account == facts.pipeline().account();
    let mut own = AccessResult::default();
    let mut other_side = [AccessResult::default(), AccessResult::default()];
    let accesses = Access::artifacts_as_itself(facts, role, &store, &of_store.inputs, &of_store.outputs);
    for ((access, place), other_side) in accesses.into_iter().zip(&mut other_side) {
        // In the pipeline's own account either side is enough.
        let (of_role, of_resource) = if is_own {
            access.judge_together(Side::Identity).by_side()
        } else {
            (access.judge(&OWN), access.judge(&[Side::Resource]))
        };
        if of_role.unsettled {
            cx.unknown(&location);
        }
        if of_resource.unsettled {
            cx.unknown(place);
        }
        own.refused.extend(of_role.refused);
        other_side.refused.extend(of_resource.refused);
    }
    // What the bucket policy denies is S3002.
    let [bucket, key] = other_side;
    let bucket = bucket.omitted();
    if own.is_clear() && bucket.is_clear() && key.is_clear() {
        return;
    }
    let because: Vec<String> = [
        (!own.is_clear()).then(|| own.because_of_role(role, "on what the pipeline keeps its artifacts in")),
        (!bucket.is_clear()).then(|| bucket.because("the bucket policy", &format!("to {role}"))),
        (!key.is_clear()).then(|| key.because("the key policy", &format!("to {role}"))),
    ]
    .into_iter()
    .flatten()
    .collect();
    cx.report(Fault {
        message: format!(
            "{}, with which project `{}` builds, can't {} the artifacts of {}",
            role_label(role),
            build.project,
            of_store.verb(),
            of_store.label()
        ),
        because: because.join("; and "),
        fix: role_fixes::using(
            facts,
            &store,
            !of_store.outputs.is_empty(),
            role,
            [&own, &bucket, &key],
            None,
        ),
        denied: [own.denied(), bucket.denied(), key.denied()].concat(),
        location,
        ..Fault::default()
    });
}
