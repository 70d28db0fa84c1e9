//! # What it does
//! Evaluates the action role's own policies for what the action's provider needs, on the resources that the
//! action's configuration names. Where it names none, it speaks up only if no statement allows the
//! permission on anything. After a failure it evaluates what the message says was denied, too. A bucket that
//! belongs to another account than the role has to let the role in as well.
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

use std::collections::{BTreeMap, BTreeSet};

use crate::evaluation::{Side, Ternary};
use crate::providers::Permission;
use crate::rules::access_result::AccessResult;
use crate::rules::diagnostics::Fault;
use crate::rules::facts::{labels, role_location};
use crate::rules::provider_permissions::{foreign_bucket, lacks, letting_into_bucket, needs, statements};
use crate::rules::resources::target_account;
use crate::rules::{ActionFacts, Diagnostics, Facts, Rule, RuleId, Severity, Subject, role_fixes};

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
    for group in facts.groups_by_role() {
        let (role, account) = (group.first.role_arn(), group.first.account);
        let location = role_location(role);
        let mut judgement = AccessResult::default();
        let (mut missing, mut actions): (Vec<Permission>, Vec<ActionFacts<'_>>) = (vec![], vec![]);
        let mut judged = BTreeSet::new();
        // What is not of AWS works in no other account: PL007.
        for action in group.actions.iter().filter(|it| it.action.owner() == "AWS") {
            let Some(needs) = needs(action) else {
                verdicts.unknown(format!(
                    "permissions of {} actions ({})",
                    action.action.provider(),
                    action.label()
                ));
                continue;
            };
            for need in needs {
                if !judged.insert((need.action.clone(), need.resources.clone())) {
                    if missing.contains(&need) && !actions.iter().any(|it| it.label() == action.label()) {
                        actions.push(*action);
                    }
                    continue;
                }
                let (lacks, refusal) = lacks(action, &need);
                match lacks {
                    Ternary::Yes => {
                        judgement.refused.push(refusal);
                        missing.push(need);
                        if actions.last().is_none_or(|it| it.label() != action.label()) {
                            actions.push(*action);
                        }
                    }
                    Ternary::No => {}
                    Ternary::Unknown => verdicts.unknown(&location),
                }
            }
        }
        let Some(first) = actions.first() else { continue };
        let denied = judgement.denied();
        let resources: BTreeSet<String> = denied.iter().map(|denied| denied.resource.clone()).collect();
        let resources = resources.into_iter().collect::<Vec<_>>().join(", ");
        let providers: BTreeSet<&str> = actions.iter().map(|it| it.action.provider()).collect();
        let providers = providers.into_iter().collect::<Vec<_>>().join(", ");
        let fix = match foreign_bucket(facts, &judgement, account) {
            Some((bucket, owner)) => {
                letting_into_bucket(facts, first, &judgement, &statements(&missing), &bucket, &owner)
            }
            None => {
                let parameters: BTreeMap<_, _> = actions.iter().flat_map(parameters).collect();
                let parameters: Vec<_> = parameters.into_iter().collect();
                let crosspipe = (!parameters.is_empty()).then(|| target_account(account, &parameters));
                role_fixes::own(&judgement, role, "PipelineDeploy", statements(&missing), crosspipe)
            }
        };
        let label = labels(actions.iter().map(ActionFacts::label).collect());
        verdicts.fail(Fault {
            message: format!("{} lacks what {label} needs for {providers}", first.role_label()),
            because: because(&judgement, role, &resources),
            fix,
            denied,
            location,
            severity: None,
        });
    }
}

/// Where the role's own policies refuse nothing, the bucket's policy of another account does.
fn because(judgement: &AccessResult, role: &str, resources: &str) -> String {
    let of_bucket = judgement.refused.iter().all(|it| it.denied.side == Side::Resource);
    if of_bucket {
        return judgement.because("the bucket policy", &format!("to {role} on {resources}"));
    }
    judgement.because_of_role(role, &format!("on {resources}"))
}

/// The parameters of the target account's template that let its role deploy so.
fn parameters<'a>(action: &ActionFacts<'a>) -> Vec<(&'static str, &'a str)> {
    let known = action.provider().facts().map(|facts| facts.parameters).unwrap_or_default();
    known.iter().filter_map(|(name, value)| Some((*name, value.of(&action.action)?))).collect()
}
