//! # What it does
//! Evaluates the action role's own policies for what the action's provider needs, on the resources that the
//! action's configuration names. Where it names none, it speaks up only if no statement allows the
//! permission on anything. After a failure it evaluates what the message says was denied, too, whatever that is
//! on. A bucket that belongs to another account than the role has to let the role in as well, and the key of a
//! bucket that is read from or deployed to has to be usable.
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

use crate::evaluation::{Side, Ternary, pattern};
use crate::incident::message::ErrorSignature;
use crate::providers::Permission;
use crate::rules::access_result::AccessResult;
use crate::rules::action_facts::labels;
use crate::rules::diagnostics::Fault;
use crate::rules::facts::role_location;
use crate::rules::fix_statements::key_statement;
use crate::rules::provider_permissions::{
    denied_as_told, destination_key, foreign_bucket, lacks, letting_into_bucket, needs, statements,
};
use crate::rules::resources::target_account;
use crate::rules::{
    ActionFacts, Denied, Facts, Fit, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject,
    denied_request, role_fixes,
};

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
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::Bucket { .. } | ErrorSignature::RolePermissions { service: Some(_) } => {
                Fit::Names
            }
            ErrorSignature::RolePermissions { service: None } | ErrorSignature::Refused => Fit::Fits,
            _ => Fit::No,
        },
        judges: &["*"],
        ..InDiagnosis::NOTHING
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    let mut found = vec![];
    lacks_of_providers(facts, cx, &mut found);
    for action in facts.cross_account_actions() {
        destination(facts, &action, cx);
        told(facts, &action, &found, cx);
    }
}

/// What providers need. What is refused goes into `found` as well.
fn lacks_of_providers(facts: &Facts<'_>, cx: &mut RuleContext<'_>, found: &mut Vec<Denied>) {
    for group in facts.groups_by_role() {
        let (role, account) = (group.first.role_arn(), group.first.account);
        let location = role_location(role);
        let mut judgement = AccessResult::default();
        let (mut missing, mut actions): (Vec<Permission>, Vec<ActionFacts<'_>>) = (vec![], vec![]);
        let mut judged = BTreeSet::new();
        // What is not of AWS works in no other account: PL007.
        for action in group.actions.iter().filter(|it| it.action.owner() == "AWS") {
            let Some(needs) = needs(action) else {
                cx.unknown(format!(
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
                let (lacks, refusals) = lacks(action, &need);
                match lacks {
                    Ternary::Yes => {
                        judgement.refused.extend(refusals);
                        missing.push(need);
                        if actions.last().is_none_or(|it| it.label() != action.label()) {
                            actions.push(*action);
                        }
                    }
                    Ternary::No => {}
                    Ternary::Unknown => cx.unknown(&location),
                }
            }
        }
        let Some(first) = actions.first() else { continue };
        let denied = judgement.denied();
        found.extend(denied.clone());
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
        cx.report(Fault {
            message: format!("{} lacks what {label} needs for {providers}", first.role_label()),
            because: because(&judgement, role, &resources),
            fix,
            denied,
            location,
            ..Fault::default()
        });
    }
}

/// The key of the bucket that an S3 action reads from or deploys to.
fn destination(facts: &Facts<'_>, action: &ActionFacts<'_>, cx: &mut RuleContext<'_>) {
    let Some((key, result)) = destination_key(action) else { return };
    let role = action.role_arn();
    let location = role_location(role);
    if result.unsettled {
        cx.unknown(&location);
    }
    if result.is_clear() {
        return;
    }
    let (own, of_key) = result.by_side();
    let request = format!("on `{key}`");
    let (because, fix) = if own.is_clear() {
        let because = of_key.because(&format!("the policy of `{key}`"), &format!("to {role}"));
        (because, role_fixes::key_of_other(facts, &key, &of_key, role))
    } else {
        let statements = vec![key_statement(&key, None)];
        (own.because_of_role(role, &request), role_fixes::own(&own, role, "PipelineDeploy", statements, None))
    };
    cx.report(Fault {
        message: format!(
            "{} can't use the key that encrypts what {} works with",
            action.role_label(),
            action.label()
        ),
        because,
        fix,
        denied: [own.denied(), of_key.denied()].concat(),
        location,
        ..Fault::default()
    });
}

/// What AWS says it denied to the role, where that is not among what was found.
fn told(facts: &Facts<'_>, action: &ActionFacts<'_>, found: &[Denied], cx: &mut RuleContext<'_>) {
    let Some((actor, denial, result)) = denied_as_told(facts, action) else { return };
    let resource = denial.resource.as_deref().unwrap_or("*");
    let is_it = |it: &Denied| {
        it.action.eq_ignore_ascii_case(&denial.action) && pattern::matches(&it.resource, resource)
    };
    if found.iter().any(is_it) {
        return;
    }
    let location = role_location(&actor.arn);
    if result.is_clear() {
        cx.unknown(&location);
    }
    cx.report(Fault {
        message: format!(
            "{} was denied {}{}, which {} needs",
            action.role_label(),
            denial.action,
            denial.resource.as_deref().map(|it| format!(" on {it}")).unwrap_or_default(),
            action.label()
        ),
        because: denied_request::because(facts, &result, actor, denial),
        fix: denied_request::fix(&result, actor, denial),
        denied: result.denied(),
        location,
        is_told: true,
        ..Fault::default()
    });
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
