//! # What it does
//! Evaluates, for CodeDeploy actions, whether the roles of the instances can read the pipeline's artifacts:
//! their own policies, the bucket policy and the key policy.
//!
//! # Why deploys fail
//! Each instance downloads the revision itself, with its own role: `Aws::S3::Errors::AccessDenied` in the
//! agent's log, "Deployment d-… failed" in the pipeline.
//!
//! # How to fix
//! Allow the instance role to read the bucket in the pipeline's account and to decrypt with its key.
//!
//! # Example
//! An instance role with `AmazonSSMManagedInstanceCore` only.

use crate::arn::account_of;
use crate::evaluation::Side;
use crate::incident::message::ErrorSignature;
use crate::providers::ArtifactHandler;
use crate::rules::access::{Access, OWN};
use crate::rules::access_result::AccessResult;
use crate::rules::action_facts::ActionGroup;
use crate::rules::diagnostics::Fault;
use crate::rules::facts::{role_label, role_location};
use crate::rules::resources::target_account;
use crate::rules::{
    ActionFacts, Facts, Fit, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject, role_fixes,
};
use crate::snapshot::Fact;

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Ia007,
    name: "instance-role-cannot-read-artifacts",
    severity: Severity::Error,
    summary: "The role of the instances that CodeDeploy deploys to can't read the pipeline's artifacts.",
    sources: &[
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-cross-account.html",
        "https://docs.aws.amazon.com/codedeploy/latest/userguide/getting-started-create-iam-instance-profile.html",
    ],
    subject: Subject::OtherRole,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::InstanceBucket => Fit::Names,
            ErrorSignature::Instances => Fit::Fits,
            _ => Fit::No,
        },
        ..InDiagnosis::NOTHING
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    let with_instances =
        |action: &ActionFacts<'_>| action.provider().artifacts() == ArtifactHandler::ActionAndInstanceRoles;
    for action in facts.cross_account_actions().filter(with_instances) {
        let roles = match &facts.snapshot().instance_roles {
            Fact::Known(roles) => roles,
            Fact::Absent => continue,
            Fact::Unknown => {
                cx.unknown("instanceRoles");
                continue;
            }
        };
        for role in roles.iter().filter(|role| account_of(role) == Some(action.account)) {
            judge(&action, role, cx);
        }
    }
}

fn judge(action: &ActionFacts<'_>, role: &str, cx: &mut RuleContext<'_>) {
    // Where the action role is shut out as well, that is S3001 and KM001, whose fix is for both.
    let group = ActionGroup::of(*action);
    let of_action = [Access::to_bucket(&group), Access::to_key(&group)].into_iter().flatten();
    let mut own = AccessResult::default();
    let mut other_side = [AccessResult::default(), AccessResult::default()];
    let reads = Access::reads(*action, role).into_iter().zip(of_action);
    for (((access, place), of_action), other_side) in reads.zip(&mut other_side) {
        let judged = access.judge(&OWN);
        if judged.unsettled {
            cx.unknown(role_location(role));
        }
        own.refused.extend(judged.refused);
        let of_action = of_action.judge(&[Side::Resource]);
        if of_action.is_clear() {
            let judged = access.judge(&[Side::Resource]);
            if judged.unsettled {
                cx.unknown(place);
            }
            other_side.refused.extend(judged.refused);
        }
    }
    // What the bucket policy denies is S3002.
    let [bucket, key] = other_side;
    let bucket = bucket.omitted();
    let because = match (own.is_clear(), bucket.is_clear(), key.is_clear()) {
        (true, true, true) => return,
        (false, ..) => own.because_of_role(role, "on what the pipeline keeps its artifacts in"),
        (true, false, true) => bucket.because("the bucket policy", &format!("to {role}")),
        (true, true, false) => key.because("the key policy", &format!("to {role}")),
        (true, false, false) => {
            bucket.because("the bucket policy", &format!("to {role}")) + ", and so in the key policy"
        }
    };
    let name = role.rsplit('/').next().unwrap_or(role);
    let Some(store) = action.store() else { return };
    cx.report(Fault {
        message: format!(
            "{}, an instance role, can't read the artifacts of {}",
            role_label(role),
            action.label()
        ),
        because,
        fix: role_fixes::using(
            action.facts(),
            &store,
            false,
            role,
            [&own, &bucket, &key],
            Some(target_account(action.account, &[("InstanceRoleNames", name)])),
        ),
        denied: [own.denied(), bucket.denied(), key.denied()].concat(),
        location: role_location(role),
        ..Fault::default()
    });
}
