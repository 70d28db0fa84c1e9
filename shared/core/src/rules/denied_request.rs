//! A request that AWS says it denied, whoever asked for whatever, held against every policy that is known.

use super::access::OWN;
use super::access_result::{AccessResult, Refusal};
use super::action_facts::ActionGroup;
use super::commands::{self, option, show};
use super::diagnostics::{Fault, Fix};
use super::facts::{Facts, role_label, role_location};
use super::fix_statements::allow;
use super::policy_inputs::{key_grants, resource_policy};
use super::role_fixes;
use crate::arn::{Arn, bucket_of};
use crate::evaluation::statement::covers_action;
use crate::evaluation::{
    Decision, Evaluation, KeyGrant, Policies, PolicySet, Request, Requester, ResourcePolicy, Side, Ternary,
    evaluate, pattern,
};
use crate::incident::actor::without_redaction;
use crate::incident::message::{Denial, PolicyKind};
use crate::incident::{Actor, ActorKind, Incident};
use crate::policy::{Effect, PolicyDocument, Statement};
use crate::snapshot::Fact;

const EVERYTHING: &str = "*";

/// The sides that a denial may be of, for the rules that judge roles and resources. None for what boundaries,
/// organizations, endpoints and sessions deny: rules of their own speak of those.
pub(super) fn sides_of(denial: &Denial) -> Option<&'static [Side]> {
    match denial.side {
        None => Some(&[Side::Identity, Side::PermissionsBoundary, Side::Resource]),
        Some(PolicyKind::IdentityBased) => Some(&[Side::Identity]),
        Some(PolicyKind::ResourceBased) => Some(&[Side::Resource]),
        Some(_) => None,
    }
}

/// What shows that a role was denied this: the statement that denies, or that none allows; else AWS's word.
pub(super) fn because(facts: &Facts<'_>, result: &AccessResult, actor: &Actor, denial: &Denial) -> String {
    let by_aws = word_of(result, actor, denial);
    if is_allowed_everywhere(result, denial) {
        return format!(
            "{by_aws}; its own policies allow that on everything, so it is another side that refuses: the organization's policies, those of the resource, or a setting such as Block Public Access"
        );
    }
    let open = open_conditions(facts, &actor.arn, &denial.action).filter(|_| result.is_clear());
    match open.filter(|_| denial.side != Some(PolicyKind::ResourceBased)) {
        Some(open) => format!("{by_aws}; it depends on the condition {open}"),
        None => by_aws,
    }
}

fn word_of(result: &AccessResult, actor: &Actor, denial: &Denial) -> String {
    let on = denial.resource.as_deref().unwrap_or("anything");
    let request = Incident::request(denial);
    match (result.is_clear(), denial.side, denial.explicit) {
        (true, Some(PolicyKind::IdentityBased), Some(true)) => {
            format!("AWS says that a policy of its own denies {request}")
        }
        (true, Some(PolicyKind::IdentityBased), _) => {
            format!("AWS says that no policy of its own allows {request}")
        }
        (true, Some(_), Some(true)) => format!("AWS says that the policy of {on} denies {request}"),
        (true, Some(_), _) => format!("AWS says that the policy of {on} does not allow {request}"),
        (true, None, _) => format!("AWS says that it denied {request}"),
        (false, Some(PolicyKind::ResourceBased), _) => {
            result.because(&format!("the policy of {on}"), &format!("to {}", actor.arn))
        }
        (false, ..) => result.because_of_role(&actor.arn, &format!("on {on}")),
    }
}

/// What to do about a request that a role was denied: the statement that is missing, on the side that lacks it; a
/// denial by a statement is answered by that statement alone.
pub(super) fn fix(result: &AccessResult, actor: &Actor, denial: &Denial) -> Fix {
    let of_resource = denial.side == Some(PolicyKind::ResourceBased)
        || result.refused.first().is_some_and(|refusal| refusal.denied.side == Side::Resource);
    let place = denial.resource.as_deref().unwrap_or("the resource");
    // AWS says that a statement denies, and it is not among those that were read: no Allow helps.
    let unseen = denial.explicit == Some(true) && result.denying().is_empty();
    if actor.kind == ActorKind::ServiceLinkedRole || of_resource {
        let denying = result.denying();
        let summary = match &denying {
            _ if unseen => format!("exempt {} from what denies it in the policy of {place}", actor.arn),
            none if none.is_empty() => format!("add this statement to the policy of {place}"),
            denying => format!("exempt {} from {denying} of the policy of {place}", actor.arn),
        };
        let missing = Some(allow(Some(&actor.arn), &[&denial.action], &["*".to_owned()]));
        let statements = missing.filter(|_| denying.is_empty() && !unseen).into_iter().collect();
        return Fix { summary, statements, ..Fix::default() };
    }
    if unseen {
        let (account, name) = commands::role(&actor.arn);
        let name = option("role-name", &name);
        let listed = format!("aws iam list-role-policies {name}\naws iam list-attached-role-policies {name}");
        let summary =
            format!("remove or narrow what denies {} in the own policies of {}", denial.action, actor.arn);
        return Fix { summary, command: Some(show(account.as_deref(), &listed)), ..Fix::default() };
    }
    let service = denial.action.split(':').next().unwrap_or_default();
    if is_allowed_everywhere(result, denial) {
        let summary = format!(
            "see in CloudTrail which request of {service} was denied and by which side; {} needs no further statement of its own",
            actor.arn
        );
        return find_out(actor, service, summary);
    }
    if denial.action.ends_with(":*") {
        let summary = format!(
            "see in CloudTrail which request of {service} was denied, and allow that one in the own policies of {}",
            actor.arn
        );
        return find_out(actor, service, summary);
    }
    let resource = denial.resource.clone().filter(|it| it == "*" || it.starts_with("arn:"));
    let resource = [resource.unwrap_or_else(|| "*".to_owned())];
    let missing = vec![allow(None, &[&denial.action], &resource)];
    let fix = role_fixes::own(result, &actor.arn, "PipelineWork", missing, None);
    // What was not seen to be missing is for a person to add.
    if result.is_clear() { Fix { command: None, ..fix } } else { fix }
}

/// Whether the role's own policies allow what AWS denied, whatever it was that AWS does not name.
fn is_allowed_everywhere(result: &AccessResult, denial: &Denial) -> bool {
    denial.resource.is_none() && result.is_clear() && !result.unsettled
}

/// What to do where AWS does not say which of a service's actions it denied: all of them would be too much.
fn find_out(actor: &Actor, service: &str, summary: String) -> Fix {
    let (account, _) = commands::role(&actor.arn);
    let source = option(
        "lookup-attributes",
        &format!("AttributeKey=EventSource,AttributeValue={service}.amazonaws.com"),
    );
    let listed = format!("aws cloudtrail lookup-events {source}");
    Fix { summary, command: Some(show(account.as_deref(), &listed)), ..Fix::default() }
}

/// The fault of what AWS says this side denied to the failed action's role, on the artifact key (`kms`) or bucket
/// (`s3`), where what is known of the policies leaves it open.
pub(super) fn told_of_artifacts(
    facts: &Facts<'_>,
    group: &ActionGroup<'_>,
    service: &str,
    side: PolicyKind,
    result: &AccessResult,
) -> Option<Fault> {
    let incident = facts.incident().filter(|it| group.actions.iter().any(|action| it.is_of(action)))?;
    let (denial, actor) = (incident.denial.as_ref()?, incident.actor.as_ref()?);
    let store = group.first.store()?;
    let resource = denial.resource.as_deref().map(without_redaction);
    let is_it = |named: &str| match service {
        "kms" => group.first.key_arn().is_some_and(|key| pattern::matches(named, key.as_str())),
        _ => bucket_of(named) == Some(store.bucket()),
    };
    let is_of_service = denial.action.split(':').next() == Some(service);
    // Where the role's own policies allow it and AWS does not name the side, it is the resource's.
    let by_resource = || {
        let (Some(resource), PolicyKind::ResourceBased) = (denial.resource.as_deref(), side) else {
            return false;
        };
        let own = judge(facts, &actor.arn, (&denial.action, resource), &OWN);
        own.is_clear() && !own.unsettled
    };
    let told = actor.kind == ActorKind::ActionRole
        && denial.side.map_or_else(by_resource, |named| named == side)
        && is_of_service
        && resource.as_deref().is_none_or(is_it);
    let open = result.unsettled && result.is_clear() && !incident.in_own_words;
    (told && open).then(|| Fault {
        location: role_location(&actor.arn),
        message: format!(
            "{} was denied {}, which {} needs for its artifacts",
            role_label(&actor.arn),
            denial.action,
            group.label()
        ),
        because: because(facts, result, actor, denial),
        fix: fix(result, actor, denial),
        is_told: true,
        ..Fault::default()
    })
}

/// The conditions under which a role's own policies allow an action, where what they ask for is not known: each with
/// its statement.
pub(super) fn open_conditions(facts: &Facts<'_>, role_arn: &str, action: &str) -> Option<String> {
    let role = facts.role(role_arn);
    let statements = role.known()?.documents().flat_map(PolicyDocument::statements);
    let allows = statements.filter(|it| it.effect() == Some(Effect::Allow) && covers_action(*it, action));
    let conditions: Vec<String> = allows
        .filter_map(|statement| {
            let keys: Vec<&str> = statement.conditions().map(|(_, key, _)| key).collect();
            (!keys.is_empty()).then(|| format!("{} of {}", keys.join(" and "), statement.label()))
        })
        .collect();
    (!conditions.is_empty()).then(|| conditions.join("; "))
}

/// What these sides say to a role's request; the first that refuses is named. What is not known of the role or
/// of the resource leaves it unsettled.
pub(super) fn judge(
    facts: &Facts<'_>,
    role_arn: &str,
    (action, resource): (&str, &str),
    sides: &[Side],
) -> AccessResult {
    let mut result = AccessResult::default();
    let Some(evaluation) = decide(facts, role_arn, action, resource) else {
        result.unsettled = true;
        return result;
    };
    let refuses = |side: &&Side| {
        evaluation.permits(**side) == Ternary::No && is_sure(facts, resource, **side, &evaluation)
    };
    if let Some(side) = sides.iter().find(refuses).copied() {
        let request = (action.to_owned(), resource.to_owned());
        result.refused.push(Refusal::new(role_arn, request, side, evaluation.denied_by(side)));
    } else if sides.iter().any(|side| evaluation.permits(*side) != Ternary::Yes) {
        result.unsettled = true;
    }
    result
}

/// What the sides of a role itself say to a request of which AWS does not say on what: a statement denies it on
/// everything, or none allows it on anything.
pub(super) fn judge_on_anything(
    facts: &Facts<'_>,
    role_arn: &str,
    action: &str,
    sides: &[Side],
) -> AccessResult {
    let mut result = AccessResult::default();
    let role = facts.role(role_arn);
    let documents = role.known().into_iter().flat_map(|role| role.documents());
    let mut allowing = documents
        .flat_map(PolicyDocument::statements)
        .filter(|it| it.effect() == Some(Effect::Allow) && covers_action(*it, action));
    let Some(evaluation) = decide(facts, role_arn, action, EVERYTHING) else {
        // A whole service: who may do all of it on everything was denied by somebody else.
        let boundary = role.part(|role| &role.permissions_boundary);
        result.unsettled = !(matches!(boundary, Fact::Absent) && allowing.any(is_of_everything));
        return result;
    };
    let is_omitted = allowing.next().is_none();
    let refuses = |side: &&Side| {
        let denies = evaluation.denied_by(**side).is_some();
        evaluation.permits(**side) == Ternary::No && (denies || **side == Side::Identity && is_omitted)
    };
    if let Some(side) = sides.iter().find(refuses).copied() {
        let request = (action.to_owned(), EVERYTHING.to_owned());
        result.refused.push(Refusal::new(role_arn, request, side, evaluation.denied_by(side)));
    } else if sides.iter().any(|side| evaluation.permits(*side) != Ternary::Yes) {
        result.unsettled = true;
    }
    result
}

/// Whether a role's own policies allow all of an action's service on everything: then a denial is not for want of a
/// statement, and nobody has added one since.
pub(super) fn allows_whole_service(facts: &Facts<'_>, role_arn: &str, action: &str) -> bool {
    let whole = format!("{}:*", action.split(':').next().unwrap_or_default());
    let role = facts.role(role_arn);
    let documents = role.known().into_iter().flat_map(|role| role.documents());
    documents
        .flat_map(PolicyDocument::statements)
        .any(|it| it.effect() == Some(Effect::Allow) && covers_action(it, &whole) && is_of_everything(it))
}

/// Whether a statement is for every resource, without conditions.
fn is_of_everything(statement: Statement<'_>) -> bool {
    let everything = statement.strings("Resource").is_some_and(|mut it| it.any(|it| it == EVERYTHING));
    everything && statement.conditions().next().is_none()
}

/// Whether the policies that are known allow the request, so that what the message says is no longer so.
pub(super) fn is_allowed(facts: &Facts<'_>, role_arn: &str, action: &str, resource: &str) -> bool {
    decide(facts, role_arn, action, resource).is_some_and(|it| it.decision == Decision::Allowed)
}

/// A grant that could not be read may allow what a key policy does not.
fn is_sure(facts: &Facts<'_>, resource: &str, side: Side, evaluation: &Evaluation<'_>) -> bool {
    let unread = facts
        .snapshot()
        .keys
        .get(resource)
        .is_some_and(|key| key.as_ref().part(|key| &key.grants).is_unknown());
    !(side == Side::Resource && unread && evaluation.denied_by(side).is_none())
}

fn decide<'a>(facts: &Facts<'a>, role_arn: &str, action: &str, resource: &str) -> Option<Evaluation<'a>> {
    let requester = Requester::Role(Arn::parse(role_arn).ok()?);
    // Part of an action, or of a resource, would match what it does not mean.
    if action.contains('*') {
        return None;
    }
    let known = facts.role(role_arn);
    let role = known.known();
    let (policy, grants, owner) = of_resource(facts, action, resource);
    let policies = Policies {
        identity: role.map_or_else(PolicySet::unknown, |role| role.identity()),
        permissions_boundary: role.map_or_else(|| Some(PolicySet::unknown()), |role| role.boundary()),
        resource: policy,
        service_control_policies: facts.service_control(role_arn),
        key_grants: grants,
    };
    let request = Request {
        requester,
        action,
        resource,
        resource_account: owner.as_deref(),
        context: facts.context(role_arn),
    };
    Some(evaluate(&request, &policies))
}

/// The policy of a resource, the grants on it, and the account that owns it, as far as they are known.
fn of_resource<'a>(
    facts: &Facts<'a>,
    action: &str,
    resource: &str,
) -> (ResourcePolicy<'a>, Vec<KeyGrant>, Option<String>) {
    if let Some(name) = bucket_of(resource) {
        let bucket = facts.bucket(name);
        let owner = bucket.part(|bucket| &bucket.account).known().map(|owner| (*owner).clone());
        return (resource_policy(&bucket.part(|bucket| &bucket.policy)), vec![], owner);
    }
    let owner =
        Arn::parse(resource).ok().map(|arn| arn.account().to_owned()).filter(|owner| !owner.is_empty());
    if resource.contains(":kms:") && resource.contains(":key/") {
        let key = facts.key(resource);
        return (resource_policy(&key.part(|key| &key.policy)), key_grants(&key), owner);
    }
    if action.eq_ignore_ascii_case("sts:AssumeRole") {
        let trust = facts.role(resource).part(|role| &role.trust_policy);
        return (resource_policy(&trust), vec![], owner);
    }
    // Few other services have policies on their resources, and none of them is in a snapshot.
    (ResourcePolicy::Unknown, vec![], owner)
}
