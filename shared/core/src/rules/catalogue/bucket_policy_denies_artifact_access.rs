//! # What it does
//! Evaluates the Deny statements of the artifact bucket's policy against the requests that CodePipeline
//! makes: reads and writes of the action roles, of the service role and of build projects, over TLS; writes come
//! with `aws:kms`, and no read has a header about encryption.
//!
//! # Why deploys fail
//! A Deny wins over every Allow, and all that people see is "Access Denied".
//!
//! # How to fix
//! Exempt the roles from the statement, or adjust its condition. The walkthrough's own two Deny statements
//! are fine: CodePipeline's requests do not meet them.
//!
//! # Example
//! A Deny of `s3:*` for everyone who does not come through a VPC endpoint.

use crate::evaluation::Side;
use crate::incident::message::{ErrorSignature, PolicyKind};
use crate::pipeline::Store;
use crate::providers::ArtifactHandler;
use crate::rules::access::{Access, object};
use crate::rules::access_result::AccessResult;
use crate::rules::artifact_users::{StoreUse, build_uses, home_role_uses};
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::documents::Document;
use crate::rules::facts::role_label;
use crate::rules::{
    ActionFacts, Facts, Fit, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject, denied_request,
    role_fixes,
};
use crate::snapshot::Fact;

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::S3002,
    name: "bucket-policy-denies-artifact-access",
    severity: Severity::Error,
    summary: "A statement of the artifact bucket's policy denies what the pipeline does with artifacts.",
    sources: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html",
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-cross-account.html",
    ],
    subject: Subject::BucketPolicy,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::Artifact { .. } | ErrorSignature::Bucket { .. } => Fit::Names,
            ErrorSignature::Replication
            | ErrorSignature::RolePermissions { service: None }
            | ErrorSignature::Refused
            | ErrorSignature::BuildSource => Fit::Fits,
            _ => Fit::No,
        },
        judges: &["s3"],
        ..InDiagnosis::NOTHING
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    for group in facts.groups_by_role_and_store().into_iter().filter(|_| facts.is_told_of_statement()) {
        let Some(access) = Access::to_bucket(&group) else { continue };
        let result = access.judge(&[Side::Resource]);
        let told = denied_request::told_of_artifacts(facts, &group, "s3", PolicyKind::ResourceBased, &result);
        if let Some(fault) = told {
            cx.report(fault);
        }
    }
    for store in facts.stores() {
        let location = format!("buckets[\"{}\"].policy", store.bucket());
        let (mut roles, mut refused) = (vec![], vec![]);
        for (role, access) in accesses(facts, &store) {
            let judgement = access.judge(&[Side::Resource]);
            if judgement.unsettled {
                cx.unknown(&location);
            }
            let denied = judgement.explicit().refused;
            if !denied.is_empty() && !roles.contains(&role) {
                roles.push(role);
            }
            refused.extend(denied);
        }
        if !refused.is_empty() {
            let judgement = AccessResult { refused, ..AccessResult::default() };
            cx.report(fault(facts, &judgement, &roles, (store.bucket(), location)));
        }
    }
}

/// What action roles, instances, build projects, the service role and roles at home do with the store's artifacts.
fn accesses<'a>(facts: &'a Facts<'a>, store: &Store<'a>) -> Vec<(&'a str, Access<'a>)> {
    let is_here = |it: &Store<'_>| it.bucket() == store.bucket();
    let mut accesses = vec![];
    for group in facts.groups_by_role_and_store() {
        if !group.first.store().is_some_and(|it| is_here(&it)) {
            continue;
        }
        accesses.extend(Access::to_bucket(&group).map(|it| (group.first.role_arn(), it)));
        let with_instances =
            |it: &&ActionFacts<'_>| it.provider().artifacts() == ArtifactHandler::ActionAndInstanceRoles;
        let Some(action) = group.actions.iter().find(with_instances) else { continue };
        for role in facts.instance_roles(action.account) {
            accesses
                .extend(Access::reads(*action, role).into_iter().take(1).map(|(access, _)| (role, access)));
        }
    }
    for used in home_role_uses(facts).into_iter().filter(|it| is_here(&it.of_store.store)) {
        let of_store = &used.of_store;
        let of = |need: &str, names: &[&str]| -> Vec<(String, String)> {
            names.iter().map(|name| (need.to_owned(), object(facts, store, name))).collect()
        };
        let objects = [of("s3:GetObject", &of_store.inputs), of("s3:PutObject", &of_store.outputs)].concat();
        accesses.push((used.role, Access::bucket(facts, used.role, store, objects)));
    }
    for build in build_uses(facts).into_iter().filter(|it| is_here(&it.of_store.store)) {
        let Fact::Known(role) = build.role else { continue };
        let StoreUse { inputs, outputs, .. } = &build.of_store;
        let access = Access::artifacts_as_itself(facts, role, store, inputs, outputs);
        accesses.extend(access.into_iter().take(1).map(|(access, _)| (role.as_str(), access)));
    }
    accesses
}

fn fault(
    facts: &Facts<'_>,
    judgement: &AccessResult,
    roles: &[&str],
    (bucket, location): (&str, String),
) -> Fault {
    let labels = roles.iter().map(|role| role_label(role)).collect::<Vec<_>>().join(" and ");
    let policy = facts.bucket(bucket).part(|bucket| &bucket.policy);
    let denying = policy.known().map(|policy| judgement.denying_of(policy)).unwrap_or_default();
    let exemption = role_fixes::exemption(facts, roles);
    Fault {
        message: format!("the policy of bucket `{bucket}` denies artifact access to {labels}"),
        because: judgement.because("the bucket policy", &format!("to {}", roles.join(" and "))),
        fix: Fix {
            summary: format!(
                "exempt them from {} of bucket `{bucket}`, for one by adding to its `Condition`: {exemption}",
                judgement.denying()
            ),
            command: Some(Document::bucket_policy(facts, bucket).exempt(&denying, &exemption)),
            ..Fix::default()
        },
        denied: judgement.denied(),
        location,
        ..Fault::default()
    }
}
