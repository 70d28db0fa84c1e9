//! The service role's request to assume an action role: both sides, and what keeps the trust from holding.

use serde_json::{Map, Value, json};

use super::deleted_principals;
use super::diagnostics::Denied;
use super::policy_inputs::resource_policy;
use super::request_context::NEVER_SENT;
use super::request_context::without_other_tags;
use super::{ActionFacts, Facts};
use crate::arn::Arn;
use crate::evaluation::{
    Context, Evaluation, Policies, PolicySet, Request, Requester, ResourcePolicy, Side, Ternary, evaluate,
};
use crate::policy::PolicyDocument;
use crate::snapshot::Fact;

/// What an action role's trust policy says to the service role.
pub(super) enum Trust {
    /// It may assume the role.
    Given,
    /// What is known does not settle it.
    Unsettled,
    /// There is no such role.
    NoRole,
    /// It would be trusted, were it not for these condition keys.
    NeverMet(Vec<&'static str>),
    /// The trust names a principal that is gone, and nothing else lets the service role in.
    Dead,
    /// This statement denies it.
    Denied(String),
    /// Nothing speaks of it.
    Omitted,
}

/// Reads the trust policy of an action's role; None where an ARN can't be read.
pub(super) fn trust(facts: &Facts<'_>, action: &ActionFacts<'_>) -> Option<Trust> {
    let policy = match facts.role(action.role_arn()) {
        Fact::Absent => return Some(Trust::NoRole),
        role => role.part(|role| &role.trust_policy),
    };
    let evaluation = assume_role(facts, action)?;
    Some(match evaluation.permits(Side::Resource) {
        Ternary::Yes => Trust::Given,
        Ternary::Unknown => Trust::Unsettled,
        Ternary::No => match (evaluation.denied_by(Side::Resource), policy.known()) {
            (Some(denying), _) => Trust::Denied(denying.statement.clone()),
            (None, None) => Trust::Omitted,
            (None, Some(policy)) => omission(facts, action, policy),
        },
    })
}

fn omission(facts: &Facts<'_>, action: &ActionFacts<'_>, policy: &PolicyDocument) -> Trust {
    let asked: Vec<&'static str> =
        NEVER_SENT.into_iter().filter(|key| passes(facts, action, &without_key(policy, &[key]))).collect();
    if !asked.is_empty() {
        return Trust::NeverMet(asked);
    }
    if passes(facts, action, &without_key(policy, &NEVER_SENT)) {
        return Trust::NeverMet(NEVER_SENT.into_iter().filter(|key| asks_for(policy, key)).collect());
    }
    match deleted_principals::that_would_allow(policy, &["sts:AssumeRole"]) {
        dead if dead.is_empty() => Trust::Omitted,
        _ => Trust::Dead,
    }
}

fn passes(facts: &Facts<'_>, action: &ActionFacts<'_>, policy: &PolicyDocument) -> bool {
    let context = context(facts, &[vec![policy]], action.account);
    let Some(asking) = Arn::parse(facts.pipeline().role_arn()).ok().map(Requester::Role) else {
        return false;
    };
    trusts(policy, asking, action.role_arn(), context) == Ternary::Yes
}

/// Whether a trust policy lets somebody in.
pub(super) fn trusts(
    policy: &PolicyDocument,
    asking: Requester,
    role_arn: &str,
    context: Context,
) -> Ternary {
    let account = Arn::parse(role_arn).ok().map(|arn| arn.account().to_owned());
    let context = match &account {
        Some(account) => context.with("aws:ResourceAccount", account.as_str()),
        None => context,
    };
    let request = Request {
        requester: asking,
        action: "sts:AssumeRole",
        resource: role_arn,
        resource_account: account.as_deref(),
        context,
    };
    let policies = Policies {
        identity: PolicySet::unknown(),
        permissions_boundary: None,
        resource: ResourcePolicy::Known(policy),
        service_control_policies: vec![],
        key_grants: vec![],
    };
    evaluate(&request, &policies).permits(Side::Resource)
}

fn asks_for(policy: &PolicyDocument, key: &str) -> bool {
    policy.statements().any(|statement| statement.conditions().any(|(_, it, _)| it.eq_ignore_ascii_case(key)))
}

/// The policy without conditions on these keys.
fn without_key(policy: &PolicyDocument, keys: &[&str]) -> PolicyDocument {
    let mut document = policy.to_value();
    let relax = |statement: &Map<String, Value>| {
        let mut statement = statement.clone();
        let operators = statement.get_mut("Condition").and_then(Value::as_object_mut);
        for asked in operators.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut) {
            asked.retain(|name, _| !keys.iter().any(|key| name.eq_ignore_ascii_case(key)));
        }
        Value::Object(statement)
    };
    let statements = policy.statements().map(|statement| relax(statement.raw())).collect();
    if let Some(members) = document.as_object_mut() {
        members.insert("Statement".into(), Value::Array(statements));
    }
    PolicyDocument::from_value(document).unwrap_or_else(|_| PolicyDocument::empty())
}

/// The service role's request to assume the action role, decided; None where an ARN can't be read.
pub(super) fn assume_role<'a>(facts: &Facts<'a>, action: &ActionFacts<'_>) -> Option<Evaluation<'a>> {
    let service_role = facts.pipeline().role_arn();
    let (assumer, assumed) = (facts.role(service_role), facts.role(action.role_arn()));
    let assumer = assumer.known();
    let trust: Vec<_> = assumed.part(|role| &role.trust_policy).known().copied().into_iter().collect();
    let own = assumer.map(|role| role.documents().collect()).unwrap_or_default();
    let request = Request {
        requester: Requester::Role(Arn::parse(service_role).ok()?),
        action: "sts:AssumeRole",
        resource: action.role_arn(),
        resource_account: Some(action.account),
        context: context(facts, &[trust, own], action.account),
    };
    let policies = Policies {
        identity: assumer.map_or_else(PolicySet::unknown, |role| role.identity()),
        permissions_boundary: assumer.map_or_else(|| Some(PolicySet::unknown()), |role| role.boundary()),
        resource: resource_policy(&assumed.part(|role| &role.trust_policy)),
        service_control_policies: facts.service_control(service_role),
        key_grants: vec![],
    };
    Some(evaluate(&request, &policies))
}

/// What the service role's requests to assume a role carry: no tag that it does not have, of those that the policies
/// ask for.
fn context(facts: &Facts<'_>, policies: &[Vec<&PolicyDocument>], account: &str) -> Context {
    let service_role = facts.pipeline().role_arn();
    let context = facts.codepipeline_context(service_role);
    let context = facts.of_resource_account(context, Some(account));
    let tags = facts.role(service_role).part(|role| &role.tags);
    let Some(tags) = tags.known() else { return context };
    policies.iter().flatten().fold(context, |context, policy| without_other_tags(context, policy, tags))
}

/// That request, as denied by one side.
pub(super) fn denied(facts: &Facts<'_>, action: &ActionFacts<'_>, side: Side) -> Denied {
    Denied {
        principal: facts.pipeline().role_arn().to_owned(),
        action: "sts:AssumeRole".to_owned(),
        resource: action.role_arn().to_owned(),
        side,
        explicit: false,
    }
}

/// The statement that trusts a role.
pub(super) fn trust_statement(service_role: &str) -> Value {
    json!({"Effect": "Allow", "Principal": {"AWS": service_role}, "Action": "sts:AssumeRole"})
}
