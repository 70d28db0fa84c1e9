//! # What it does
//! Evaluates the Deny statements of the artifact bucket's policy against the requests that CodePipeline
//! makes: reads and writes of the action roles and of the service role, over TLS and with `aws:kms`.
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
use crate::pipeline::Store;
use crate::rules::access::{Access, object};
use crate::rules::access_result::AccessResult;
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::documents::Document;
use crate::rules::facts::role_label;
use crate::rules::{Diagnostics, Facts, Rule, RuleId, Severity, Subject, role_fixes};

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
    check,
};

fn check(facts: &Facts<'_>, verdicts: &mut Diagnostics) {
    for store in facts.stores() {
        let location = format!("buckets[\"{}\"].policy", store.bucket());
        let (mut roles, mut refused) = (vec![], vec![]);
        for (role, access) in accesses(facts, &store) {
            let judgement = access.judge(&[Side::Resource]);
            if judgement.unsettled {
                verdicts.unknown(&location);
            }
            let denied = judgement.explicit().refused;
            if !denied.is_empty() && !roles.contains(&role) {
                roles.push(role);
            }
            refused.extend(denied);
        }
        if !refused.is_empty() {
            let judgement = AccessResult { refused, ..AccessResult::default() };
            verdicts.fail(fault(facts, &judgement, &roles, (store.bucket(), location)));
        }
    }
}

/// What action roles and instances do with the store's artifacts. Whatever they read, the service role or another
/// action has put there.
fn accesses<'a>(facts: &'a Facts<'a>, store: &Store<'a>) -> Vec<(&'a str, Access<'a>)> {
    let service_role = facts.pipeline().role_arn();
    let mut accesses = vec![];
    for action in facts.cross_account_actions() {
        if action.store().is_none_or(|it| it.bucket() != store.bucket()) {
            continue;
        }
        let artifacts = |names: &mut dyn Iterator<Item = &'a str>, need: &str| {
            names.map(|artifact| (need.to_owned(), object(facts, store, artifact))).collect::<Vec<_>>()
        };
        let it = action.action;
        let mut own = artifacts(&mut it.input_artifacts(), "s3:GetObject");
        own.extend(artifacts(&mut it.output_artifacts(), "s3:PutObject"));
        let put = artifacts(&mut it.input_artifacts(), "s3:PutObject");
        let role = it.role_arn().unwrap_or_default();
        accesses.push((role, Access::bucket(facts, role, store, own)));
        accesses.push((service_role, Access::bucket(facts, service_role, store, put)));
        let instances = facts.instance_roles(action.account).filter(|_| it.provider() == "CodeDeploy");
        for role in instances {
            let read = artifacts(&mut it.input_artifacts(), "s3:GetObject");
            accesses.push((role, Access::bucket(facts, role, store, read).in_context(facts.context(role))));
        }
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
        severity: None,
    }
}
