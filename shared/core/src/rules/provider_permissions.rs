//! Whether the action role has what its provider needs, on the resources that the action's configuration names.
//!
//! Only what an action can't do without counts: a list that asks for more than that would find fault with
//! pipelines that work. Passing roles is another matter (IA011).

use serde_json::{Value, json};

use super::access::{Access, OWN, allow};
use super::access_result::{AccessResult, Refusal};
use super::diagnostics::Fix;
use super::documents::Document;
use super::{ActionFacts, Denied, Facts};
use crate::arn::{Arn, bucket_of};
use crate::evaluation::statement::covers_action;
use crate::evaluation::{PolicySet, Side, Ternary};
use crate::incident::actor::is_role;
use crate::incident::message::PolicyKind;
use crate::policy::Effect;
use crate::providers::Permission;
use crate::snapshot::{Fact, RoleFacts};

/// What the action's provider needs, and what it was denied; None where it is not known what it needs, and nothing
/// was denied.
pub(super) fn needs(action: &ActionFacts<'_>) -> Option<Vec<Permission>> {
    let known = action.provider().permissions(&action.place());
    let denied =
        denied(action).filter(|denied| known.iter().flatten().all(|need| need.action != denied.action));
    match (known, denied) {
        (None, None) => None,
        (known, denied) => Some(known.into_iter().flatten().chain(denied).collect()),
    }
}

/// What the failed action's role was denied of its provider, by its own policies or by a side that the message
/// does not name. Artifacts, keys, roles and connections are the affair of other rules.
fn denied(action: &ActionFacts<'_>) -> Option<Permission> {
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
    Some(Permission { action: denial.action.clone().into(), resources: vec![resource] })
}

/// Whether the role lacks a permission for sure, that is, on each resource that may be meant; and the request
/// that is refused then.
pub(super) fn lacks(action: &ActionFacts<'_>, need: &Permission) -> (Ternary, Refusal) {
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
        let judgement = access(action, request).judge(&sides(action, resource));
        answers.push(if judgement.unsettled { Ternary::Unknown } else { (!judgement.is_clear()).into() });
        if let Some(Refusal { denied, by }) = judgement.refused.into_iter().next() {
            (refusal.denied.side, refusal.denied.explicit, refusal.by) = (denied.side, denied.explicit, by);
        }
    }
    (Ternary::all(answers), refusal)
}

/// The role's request to its provider: in the action's Region, for what the account that the resource's ARN names
/// owns, or the bucket's account.
pub(super) fn access<'a>(action: &ActionFacts<'a>, request: (String, String)) -> Access<'a> {
    let (facts, resource) = (action.facts(), request.1.clone());
    let arn = Arn::parse(&resource).ok();
    let in_arn = arn.as_ref().map(Arn::account).filter(|account| !account.is_empty());
    let of_bucket =
        || facts.bucket(bucket_of(&resource)?).part(|bucket| &bucket.account).known().map(|it| it.as_str());
    let region = match arn.as_ref().map(Arn::region).filter(|region| !region.is_empty()) {
        Some(region) => Some(region.to_owned()),
        None if resource == "*" => action.region().map(str::to_owned),
        None => None,
    };
    let context = facts.codepipeline_context(action.role_arn());
    let context = match region {
        Some(region) => context.with("aws:RequestedRegion", region),
        None => context,
    };
    let owner = in_arn.or_else(of_bucket).map(str::to_owned);
    let mut access = Access::new(facts, action.role_arn(), vec![request]);
    if let Some(bucket) = bucket_of(&resource) {
        access = access.with_policy(&facts.bucket(bucket).part(|bucket| &bucket.policy));
    }
    access.in_account(facts, owner.as_deref()).in_context(context)
}

/// The sides that have a say: the role's own, and where a bucket belongs to another account than the role, its policy.
fn sides(action: &ActionFacts<'_>, resource: &str) -> Vec<Side> {
    let facts = action.facts();
    let owner = bucket_of(resource).map(|bucket| facts.bucket(bucket).part(|bucket| &bucket.account));
    let foreign = owner.is_some_and(|it| it.known().is_some_and(|it| it.as_str() != action.account));
    let resource_side = foreign.then_some(Side::Resource);
    OWN.into_iter().chain(resource_side).collect()
}

/// A bucket of another account than the role's, with its account, where it is all that refuses the role.
pub(super) fn foreign_bucket(
    facts: &Facts<'_>,
    judgement: &AccessResult,
    account: &str,
) -> Option<(String, String)> {
    let of_resource = judgement.refused.iter().all(|it| it.denied.side == Side::Resource);
    let bucket = judgement.refused.first()?.denied.bucket()?.to_owned();
    let owner = facts.bucket(&bucket).part(|bucket| &bucket.account).known()?.to_string();
    (of_resource && owner != account).then_some((bucket, owner))
}

/// The fix for a role that deploys to a bucket of another account: a role of that account, or the bucket's policy.
pub(super) fn letting_into_bucket(
    facts: &Facts<'_>,
    action: &ActionFacts<'_>,
    judgement: &AccessResult,
    statements: &[Value],
    bucket: &str,
    owner: &str,
) -> Fix {
    let role = action.role_arn();
    let path = action.action.path();
    if !judgement.denying().is_empty() {
        let summary = format!(
            "give the action a role of account {owner}, which owns bucket `{bucket}`: set `{path}.roleArn`; or exempt {role} from {} of the bucket",
            judgement.denying()
        );
        return Fix { summary, ..Fix::default() };
    }
    let to_role = |statement: &Value| {
        let mut statement = statement.clone();
        if let Some(elements) = statement.as_object_mut() {
            elements.insert("Principal".into(), json!({ "AWS": role }));
        }
        statement
    };
    let statements: Vec<Value> = statements.iter().map(to_role).collect();
    Fix {
        summary: format!(
            "give the action a role of account {owner}, which owns bucket `{bucket}`: set `{path}.roleArn`; or add this statement to the bucket's policy"
        ),
        command: Some(Document::bucket_policy(facts, bucket).add(&statements)),
        statements,
        crosspipe: None,
    }
}

/// A resource that AWS may have made up.
fn real(resource: &str) -> String {
    const SOME_ID: &str = "12345678-1234-1234-1234-123456789012";
    if resource == "*" { resource.to_owned() } else { resource.replace('*', SOME_ID) }
}

/// The statements that allow these: what works on the same resources in one of them.
pub(super) fn statements(needs: &[Permission]) -> Vec<Value> {
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
