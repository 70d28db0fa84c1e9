//! # What it does
//! Evaluates the service role's own policies for actions that use a bucket of another account as the service
//! role itself, and tells whether `aws:ResourceAccount` is what keeps it out.
//!
//! # Why deploys fail
//! Service roles are often pinned to their own account. An action without a `roleArn` then can't reach a
//! bucket of the target account, whatever the bucket policy says: AccessDenied.
//!
//! # How to fix
//! Give the action a role of the target account.
//!
//! # Example
//! `"Condition": {"StringEquals": {"aws:ResourceAccount": "111111111111"}}` in the service role, and an S3
//! deploy to a bucket of 222222222222 without `roleArn`.

use crate::arn;
use crate::incident::message::ErrorSignature;
use crate::providers::Provider;
use crate::rules::access::{Access, OWN};
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::facts::role_location;
use crate::rules::resources::role_of;
use crate::rules::{Facts, Fit, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};
use crate::snapshot::Fact;

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Ia013,
    name: "service-role-pinned-to-own-account",
    severity: Severity::Error,
    summary: "The service role is pinned to its own account, and an action uses a bucket of another as this role.",
    sources: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"],
    subject: Subject::BucketOfRole,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::Bucket { .. } => Fit::Names,
            ErrorSignature::Refused => Fit::Fits,
            _ => Fit::No,
        },
        ..InDiagnosis::NOTHING
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    let role = facts.pipeline().role_arn();
    let Some(own) = facts.pipeline().account() else { return };
    for action in facts.actions().filter(|it| {
        it.role_arn().is_none() && matches!(Provider::of(it), Provider::S3Deploy | Provider::S3Source)
    }) {
        let deploys = action.category() == "Deploy";
        let (need, name) =
            if deploys { ("s3:PutObject", "BucketName") } else { ("s3:GetObject", "S3Bucket") };
        let Some(bucket) = action.configuration(name) else { continue };
        // A bucket that nobody looked at is taken to be one's own, as most are.
        let Fact::Known(owner) = facts.bucket(bucket).part(|bucket| &bucket.account) else { continue };
        if owner == own {
            continue;
        }
        let object = arn::object(facts.partition(), bucket, "object");
        let in_account = |account: &str| {
            let access = Access::new(facts, role, vec![(need.into(), object.clone())]);
            access.in_account(facts, Some(account)).in_context(facts.codepipeline_context(role)).judge(&OWN)
        };
        let judgement = in_account(owner);
        if judgement.unsettled {
            cx.unknown(role_location(role));
        }
        if judgement.is_clear() || !in_account(own).is_clear() {
            continue;
        }
        let role_there = arn::role(facts.partition(), owner, "CrosspipeTargetRole");
        cx.report(Fault {
            message: format!(
                "{}/{} uses bucket `{bucket}` of account {owner} as the service role, which is pinned to account {own}",
                action.stage().name(),
                action.name()
            ),
            because: format!(
                "the own policies of {role} allow {need} with aws:ResourceAccount {own}, and refuse it with {owner}"
            ),
            fix: Fix {
                summary: format!("give the action a role of account {owner}, such as that of target-account.yaml: set `{}.roleArn`", action.path()),
                crosspipe: Some(role_of(facts, &action, &role_there)),
                ..Fix::default()
            },
            denied: judgement.denied(),
            location: role_location(role),
            ..Fault::default()
        });
    }
}
