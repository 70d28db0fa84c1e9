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

use crate::evaluation::{Side, Tri};
use crate::rules::access::allow;
use crate::rules::commands::put_role_policy;
use crate::rules::facts::role_location;
use crate::rules::providers;
use crate::rules::verdicts::{Denied, Fault, Fix};
use crate::rules::{Facts, Rule, Severity, Verdicts};

pub(in crate::rules) const RULE: Rule = Rule {
    id: "IA006",
    name: "target-role-lacks-provider-permissions",
    severity: Severity::Error,
    summary: "The action role lacks permissions that the action's provider needs.",
    sources: &[
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html",
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference.html",
    ],
    check,
};

fn check(facts: &Facts<'_>, verdicts: &mut Verdicts) {
    for action in facts.cross_account_actions() {
        let (role, account) = (action.role_arn(), action.account);
        let location = role_location(role);
        let mut missing: Vec<Denied> = vec![];
        for need in providers::needs(&action) {
            let (lacks, denied) = providers::lacks(&action, &need);
            match lacks {
                Tri::Yes => missing.push(denied),
                Tri::No => {}
                Tri::Unknown => verdicts.unknown(&location),
            }
        }
        if missing.is_empty() {
            continue;
        }
        let bounded = missing.iter().all(|denied| denied.side == Side::PermissionsBoundary);
        let place = if bounded { "the permissions boundary" } else { "the own policies" };
        let actions: Vec<&str> = missing.iter().map(|denied| denied.action.as_str()).collect();
        let mut resources: Vec<String> = missing.iter().map(|denied| denied.resource.clone()).collect();
        resources.sort();
        resources.dedup();
        let (provider, label) = (action.action.provider(), action.label());
        verdicts.fail(Fault {
            message: format!("{} lacks what {label} needs for {provider}", action.role_label()),
            because: format!(
                "no statement of {place} of {role} allows {} on {}",
                actions.join(", "),
                resources.join(", ")
            ),
            fix: Fix {
                summary: format!("add this statement to {place} of {role} in account {account}"),
                statements: vec![allow(None, &actions, &resources)],
                crosspipe: Some("target-account.yaml with the provider's parameters".into()),
                command: Some(put_role_policy(role, "PipelineDeploy")),
            },
            denied: missing,
            location,
            severity: None,
        });
    }
}
