//! A request that AWS says it denied, whoever asked for whatever, held against every policy that is known.

use super::access_result::{AccessResult, Refusal};
use super::diagnostics::Denied;
use super::facts::Facts;
use super::policy_inputs::{key_grants, resource_policy};
use crate::arn::{Arn, bucket_of};
use crate::evaluation::{
    Decision, Evaluation, KeyGrant, Policies, PolicySet, Request, Requester, ResourcePolicy, Side, Ternary,
    evaluate,
};

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
        let by = evaluation.denied_by(side).map(|by| format!("{} of the {}", by.statement, by.policy));
        let denied = Denied {
            principal: role_arn.to_owned(),
            action: action.to_owned(),
            resource: resource.to_owned(),
            side,
            explicit: by.is_some(),
        };
        result.refused.push(Refusal { denied, by });
    } else if sides.iter().any(|side| evaluation.permits(*side) != Ternary::Yes) {
        result.unsettled = true;
    }
    result
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
