//! The requests of a role, decided: each with every policy that has a say, and what came of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Access, AccessRequest};
use crate::arn::Arn;
use crate::evaluation::statement::covers_action;
use crate::evaluation::{
    Context, Decision, Evaluation, Policies, PolicySet, Request, Requester, ResourcePolicy, Side,
    StatementRef, Ternary, evaluate,
};
use crate::policy::PolicyDocument;
use crate::rules::access_result::{AccessResult, Refusal};
use crate::snapshot::Fact;

/// What a role's own policies are: those that allow, and the boundary that limits them.
pub(in crate::rules) const OWN: [Side; 2] = [Side::Identity, Side::PermissionsBoundary];

/// A request, decided in each context that it may have.
struct Decided<'a> {
    /// Action and resource.
    request: (String, String),
    evaluations: Vec<Evaluation<'a>>,
}

impl Decided<'_> {
    fn answer(&self, of: impl Fn(&Evaluation<'_>) -> Ternary) -> Ternary {
        let mut answers = self.evaluations.iter().map(of);
        let first = answers.next().unwrap_or(Ternary::Unknown);
        if answers.all(|it| it == first) { first } else { Ternary::Unknown }
    }

    /// Whether one side lets the request pass.
    fn permits(&self, side: Side) -> Ternary {
        self.answer(|it| it.permits(side))
    }

    /// Whether one side allows the request, whatever it denies.
    fn allows(&self, side: Side) -> Ternary {
        self.answer(|it| it.allows(side))
    }

    /// The statement of this side that denies the request.
    fn denied_by(&self, side: Side) -> Option<StatementRef> {
        self.evaluations.first().and_then(|it| it.denied_by(side))
    }

    /// What all sides together decide.
    fn decision(&self) -> Decision {
        let mut decisions = self.evaluations.iter().map(|it| it.decision);
        let first = decisions.next().unwrap_or(Decision::Unknown);
        if decisions.all(|it| it == first) { first } else { Decision::Unknown }
    }
}

impl Access<'_> {
    /// What one of these sides refuses. A role that does not exist asks for nothing.
    pub(in crate::rules) fn judge(&self, sides: &[Side]) -> AccessResult {
        let mut judgement = AccessResult::default();
        if matches!(self.role, Fact::Absent) {
            return judgement;
        }
        for decided in self.decide() {
            let answer = |side: &Side| self.answer(&decided, *side);
            if let Some(side) = sides.iter().copied().find(|side| answer(side) == Ternary::No) {
                let denying = decided.denied_by(side);
                judgement.refused.push(Refusal::new(&self.role_arn, decided.request, side, denying));
            } else if sides.iter().any(|side| answer(side) == Ternary::Unknown) {
                judgement.unsettled = true;
                judgement.open.extend(self.open_conditions(&decided.request.0, sides));
                judgement.allow_unsettled |= sides.iter().any(|side| decided.allows(*side) != Ternary::Yes);
            }
        }
        judgement
    }

    /// What all sides together refuse, for what the role's own account owns: each request by the side that has to be
    /// changed. Where none denies, and either side could allow, that is `preferred`.
    pub(in crate::rules) fn judge_together(&self, preferred: Side) -> AccessResult {
        let mut judgement = AccessResult::default();
        if matches!(self.role, Fact::Absent) {
            return judgement;
        }
        let own = |decided: &Decided<'_>| Ternary::all(OWN.map(|side| decided.permits(side)));
        for decided in self.decide() {
            match decided.decision() {
                Decision::Allowed => {}
                // Whether a bucket's policy denies it is asked of that side alone.
                Decision::Unknown
                    if decided.request.0.starts_with("s3:") && own(&decided) == Ternary::Yes => {}
                Decision::Unknown => {
                    judgement.unsettled = true;
                    let sides = [OWN.as_slice(), &[Side::Resource]].concat();
                    judgement.open.extend(self.open_conditions(&decided.request.0, &sides));
                }
                Decision::ImplicitlyDenied if self.unread_grants => judgement.unsettled = true,
                Decision::ExplicitlyDenied | Decision::ImplicitlyDenied => {
                    let side = refusing(&decided, preferred);
                    let denying = decided.denied_by(side);
                    judgement.refused.push(Refusal::new(&self.role_arn, decided.request, side, denying));
                }
            }
        }
        judgement
    }

    /// The conditions of statements on an action in the policies of these sides, where those are known, as far as
    /// they are not certain. Each with its statement.
    fn open_conditions(&self, action: &str, sides: &[Side]) -> Vec<String> {
        let own = self.role.known().filter(|_| sides.contains(&Side::Identity));
        let own = own.into_iter().flat_map(|role| role.documents());
        let resource = match self.resource {
            ResourcePolicy::Known(policy) if sides.contains(&Side::Resource) => Some(policy),
            _ => None,
        };
        let statements = own.chain(resource).flat_map(PolicyDocument::statements);
        let Ok(arn) = Arn::parse(&self.role_arn) else { return vec![] };
        let requester = Requester::Role(arn);
        let is_open = |key: &str| self.context.is_unknown(key, &requester);
        let open = statements.filter(|statement| covers_action(*statement, action)).filter_map(|statement| {
            let keys: BTreeSet<&str> =
                statement.conditions().map(|(_, key, _)| key).filter(|key| is_open(key)).collect();
            let keys: Vec<&str> = keys.into_iter().collect();
            (!keys.is_empty()).then(|| format!("{} of {}", keys.join(" and "), statement.label()))
        });
        open.collect()
    }

    fn answer(&self, decided: &Decided<'_>, side: Side) -> Ternary {
        match decided.permits(side) {
            Ternary::No
                if side == Side::Resource && self.unread_grants && decided.denied_by(side).is_none() =>
            {
                Ternary::Unknown
            }
            answer => answer,
        }
    }

    /// Each request, decided with everything that has a say.
    fn decide(&self) -> Vec<Decided<'_>> {
        let Ok(arn) = Arn::parse(&self.role_arn) else { return vec![] };
        let role = self.role.known();
        let policies = Policies {
            identity: role.map_or_else(PolicySet::unknown, |role| role.identity()),
            permissions_boundary: role.map_or_else(|| Some(PolicySet::unknown()), |role| role.boundary()),
            resource: self.resource,
            service_control_policies: self.service_control.clone(),
            key_grants: self.key_grants.clone(),
        };
        let evaluation = |asked: &AccessRequest, context: Context| {
            let request = Request {
                requester: Requester::Role(arn.clone()),
                action: &asked.action,
                resource: &asked.resource,
                resource_account: self.resource_account.as_deref(),
                context,
            };
            evaluate(&request, &policies)
        };
        let decide = |asked: &AccessRequest| {
            let variants = asked.variants.iter().map(|it| self.context.clone().and(it.clone()));
            let mut evaluations: Vec<_> = variants.map(|context| evaluation(asked, context)).collect();
            if evaluations.is_empty() {
                evaluations.push(evaluation(asked, self.context.clone()));
            }
            Decided { request: (asked.action.clone(), asked.resource.clone()), evaluations }
        };
        self.requests.iter().map(decide).collect()
    }
}

/// The side that has to be changed for a role of the resource's own account: the one that denies, or limits; else
/// either will do, but for a key whose policy does not hand it to the account.
fn refusing(decided: &Decided<'_>, preferred: Side) -> Side {
    let limits = [Side::ServiceControl, Side::PermissionsBoundary];
    let limit = limits.into_iter().find(|side| decided.permits(*side) == Ternary::No);
    let denying =
        [Side::Identity, Side::Resource].into_iter().find(|side| decided.denied_by(*side).is_some());
    let is_key = decided.request.0.starts_with("kms:");
    let either =
        if is_key && decided.allows(Side::Resource) == Ternary::No { Side::Resource } else { preferred };
    limit.or(denying).unwrap_or(either)
}

/// Whether a policy denies this request explicitly.
pub(in crate::rules) fn denies(policy: &PolicyDocument, request: &Request<'_>) -> Ternary {
    let mut document = policy.to_value();
    let everything = json!({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"});
    let statements: Vec<Value> = policy
        .statements()
        .map(|statement| Value::Object(statement.raw().clone()))
        .chain([everything])
        .collect();
    if let Some(members) = document.as_object_mut() {
        members.insert("Statement".into(), Value::Array(statements));
    }
    let Ok(document) = PolicyDocument::from_value(document) else { return Ternary::Unknown };
    // With everything allowed, only a Deny keeps the request from passing.
    let policies = Policies {
        identity: PolicySet::unknown(),
        permissions_boundary: None,
        resource: ResourcePolicy::Known(&document),
        service_control_policies: vec![],
        key_grants: vec![],
    };
    !evaluate(request, &policies).permits(Side::Resource)
}
