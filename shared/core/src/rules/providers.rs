//! What each provider needs of the action role, on the resources that the action's configuration names.
//!
//! Only what an action can't do without: a list that asks for more than that would find fault with
//! pipelines that work. Passing roles is another matter (IA011).
//! See <https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html>.

mod lists;

use std::borrow::Cow;

use serde_json::Value;

use super::access::{Access, OWN, allow};
use super::access_result::Refusal;
use super::{ActionFacts, Denied};
use crate::arn::bucket_of;
use crate::evaluation::statement::covers_action;
use crate::evaluation::{PolicySet, Side, Ternary};
use crate::incident::actor::is_role;
use crate::incident::message::PolicyKind;
use crate::policy::Effect;
use crate::snapshot::{Fact, RoleFacts};

/// One permission.
pub(super) struct Need {
    /// The action, `codedeploy:CreateDeployment`.
    pub action: Cow<'static, str>,
    /// The resources on any of which it may be allowed; none where the configuration does not say. `*` stands
    /// for what AWS makes up, such as a stack's id.
    pub resources: Vec<String>,
}

/// What the action's provider needs, as far as it is known, and what it was denied.
pub(super) fn needs(action: &ActionFacts<'_>) -> Vec<Need> {
    let mut needs = lists::of(action);
    needs.extend(denied(action).filter(|denied| needs.iter().all(|need| need.action != denied.action)));
    needs
}

/// What the failed action's role was denied of its provider, by its own policies or by a side that the message
/// does not name. Artifacts, keys, roles and connections are the affair of other rules.
fn denied(action: &ActionFacts<'_>) -> Option<Need> {
    const OTHERS: [&str; 5] = ["kms", "sts", "iam", "codestar-connections", "codeconnections"];
    let denial = action.facts().incident().filter(|it| it.is_of(action))?.denial.as_ref()?;
    let own = matches!(denial.side, None | Some(PolicyKind::IdentityBased));
    let (service, _) = denial.action.split_once(':')?;
    let artifact = action
        .store()
        .is_some_and(|store| denial.resource.as_deref().and_then(bucket_of) == Some(store.bucket()));
    if !own || artifact || OTHERS.contains(&service) || !is_role(denial.actor.as_deref()?, action.role_arn())
    {
        return None;
    }
    // Whoever was denied something elsewhere is mistaken about the place.
    let resource = denial.resource.clone().unwrap_or_else(|| "*".into());
    let mut place = resource.split(':').skip(3);
    let here = |part: Option<&str>, own: Option<&str>| part.is_none_or(str::is_empty) || part == own;
    if !(here(place.next(), action.region()) && here(place.next(), Some(action.account))) {
        return None;
    }
    Some(Need { action: denial.action.clone().into(), resources: vec![resource] })
}

/// Whether the role lacks a permission for sure, that is, on each resource that may be meant; and the request
/// that is refused then.
pub(super) fn lacks(action: &ActionFacts<'_>, need: &Need) -> (Ternary, Refusal) {
    let role = action.role_arn();
    let denied = Denied {
        principal: role.to_owned(),
        action: need.action.to_string(),
        resource: need.resources.first().map_or_else(|| "*".into(), |it| real(it)),
        side: Side::Identity,
        explicit: false,
    };
    let mut refusal = Refusal { denied, by: None };
    if need.resources.is_empty() {
        return (lacks_anywhere(&action.facts().role(role), &need.action), refusal);
    }
    let mut answers = vec![];
    for resource in &need.resources {
        let request = (need.action.to_string(), real(resource));
        let judgement = Access::new(action.facts(), role, vec![request]).judge(&OWN);
        answers.push(if judgement.unsettled { Ternary::Unknown } else { (!judgement.is_clear()).into() });
        if let Some(Refusal { denied, by }) = judgement.refused.into_iter().next() {
            (refusal.denied.side, refusal.denied.explicit, refusal.by) = (denied.side, denied.explicit, by);
        }
    }
    (Ternary::all(answers), refusal)
}

/// A resource that AWS may have made up.
fn real(resource: &str) -> String {
    const SOME_ID: &str = "12345678-1234-1234-1234-123456789012";
    if resource == "*" { resource.to_owned() } else { resource.replace('*', SOME_ID) }
}

/// The statements that allow these: what works on the same resources in one of them.
pub(super) fn statements(needs: &[Need]) -> Vec<Value> {
    let mut groups: Vec<(&[String], Vec<&str>)> = vec![];
    for need in needs {
        match groups.iter_mut().find(|(resources, _)| *resources == need.resources) {
            Some((_, actions)) => actions.push(&need.action),
            None => groups.push((&need.resources, vec![&need.action])),
        }
    }
    let any = ["*".to_owned()];
    let on = |resources: &'_ [String]| if resources.is_empty() { any.to_vec() } else { resources.to_vec() };
    groups.into_iter().map(|(resources, actions)| allow(None, &actions, &on(resources))).collect()
}

/// Whether no statement of the role allows an action on anything at all.
pub(super) fn lacks_anywhere(role: &Fact<&RoleFacts>, action: &str) -> Ternary {
    let Fact::Known(role) = role else {
        return if role.is_unknown() { Ternary::Unknown } else { Ternary::No };
    };
    let (documents, complete) = match role.identity() {
        PolicySet::Known(documents) => (documents, true),
        PolicySet::Incomplete(documents) => (documents, false),
    };
    let mut statements = documents.iter().flat_map(|(_, document)| document.statements());
    let covered = statements
        .any(|statement| statement.effect() == Some(Effect::Allow) && covers_action(statement, action));
    match (covered, complete) {
        (true, _) => Ternary::No,
        (false, true) => Ternary::Yes,
        (false, false) => Ternary::Unknown,
    }
}
