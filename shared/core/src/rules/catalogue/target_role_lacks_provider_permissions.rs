//! # What it does
//! Evaluates the action role's own policies for what the action's provider needs, on the resources that the
//! action's configuration names. Where it names none, it speaks up only if no statement allows the
//! permission on anything. After a failure it evaluates what the message says was denied, too.
//!
//! # Why deploys fail
//! "The provided role does not have sufficient permissions to access CodeDeploy". The message may name the
//! wrong service: for ECS blue/green the real gap is often `ecs:RegisterTaskDefinition`.
//!
//! # How to fix
//! Add the permissions to the action role.
//!
//! # Example
//! A CodeDeploy action whose role has `codedeploy:CreateDeployment` but no `codedeploy:GetDeployment`.

use crate::evaluation::Ternary;
use crate::rules::access_result::AccessResult;
use crate::rules::diagnostics::Fault;
use crate::rules::facts::role_location;
use crate::rules::resources::target_account;
use crate::rules::{ActionFacts, Diagnostics, Facts, Rule, RuleId, Severity, Subject, providers, role_fixes};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Ia006,
    name: "target-role-lacks-provider-permissions",
    severity: Severity::Error,
    summary: "The action role lacks permissions that the action's provider needs.",
    sources: &[
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html",
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference.html",
    ],
    subject: Subject::Provider,
    check,
};

fn check(facts: &Facts<'_>, verdicts: &mut Diagnostics) {
    for action in facts.cross_account_actions() {
        let (role, account) = (action.role_arn(), action.account);
        let location = role_location(role);
        let (mut judgement, mut missing) = (AccessResult::default(), vec![]);
        for need in providers::needs(&action) {
            let (lacks, refusal) = providers::lacks(&action, &need);
            match lacks {
                Ternary::Yes => {
                    judgement.refused.push(refusal);
                    missing.push(need);
                }
                Ternary::No => {}
                Ternary::Unknown => verdicts.unknown(&location),
            }
        }
        if judgement.is_clear() {
            continue;
        }
        let denied = judgement.denied();
        let mut resources: Vec<String> = denied.iter().map(|denied| denied.resource.clone()).collect();
        resources.sort();
        resources.dedup();
        let statements = providers::statements(&missing);
        let crosspipe = parameter(&action).map(|parameter| target_account(account, &[parameter]));
        let (provider, label) = (action.action.provider(), action.label());
        verdicts.fail(Fault {
            message: format!("{} lacks what {label} needs for {provider}", action.role_label()),
            because: judgement.because_of_role(role, &format!("on {}", resources.join(", "))),
            fix: role_fixes::own(&judgement, role, "PipelineDeploy", statements, crosspipe),
            denied,
            location,
            severity: None,
        });
    }
}

/// The parameter of the target account's template that lets its role deploy so.
fn parameter<'a>(action: &ActionFacts<'a>) -> Option<(&'static str, &'a str)> {
    let it = action.action;
    let (parameter, from) = match (it.category(), it.provider()) {
        ("Deploy", "CodeDeploy" | "CodeDeployToECS") => ("CodeDeployApplicationName", "ApplicationName"),
        ("Deploy", "CloudFormation") => ("CloudFormationStackName", "StackName"),
        ("Deploy", "ECS") => ("EcsClusterName", "ClusterName"),
        ("Deploy", "S3") => ("S3DeployBucketName", "BucketName"),
        ("Invoke", "Lambda") => ("LambdaFunctionName", "FunctionName"),
        _ => return None,
    };
    Some((parameter, it.configuration(from)?))
}
