//! From what each side says to a decision.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html>,
//! within one account
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html>,
//! and across two
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html>.

use serde::Serialize;

use super::Ternary;
use super::context::ContextValue;
use super::decision_reasons::{DecidingStatement, DecisionReasons, RefusedPolicy, Side, StatementRef};
use super::policies::{Guardrails, Policies, PolicySet};

use super::policy_result::PolicyResult;
use super::request::{Asked, Request};
use super::requester::Requester;
use crate::arn::Arn;

/// Decides a request.
pub fn evaluate<'a>(request: &Request<'_>, policies: &Policies<'a>) -> Evaluation<'a> {
    evaluate_within(request, policies, &Guardrails::default())
}

/// Decides a request that further policies may limit.
pub fn evaluate_within<'a>(
    request: &Request<'_>,
    policies: &Policies<'a>,
    guardrails: &Guardrails<'a>,
) -> Evaluation<'a> {
    decide_with_guardrails(&request.into(), policies, guardrails)
}

pub(super) fn decide_with_guardrails<'a>(
    request: &Asked<'_>,
    policies: &Policies<'a>,
    guardrails: &Guardrails<'a>,
) -> Evaluation<'a> {
    let bounded = policies.permissions_boundary.is_some();
    let limits: [(Side, &[PolicySet<'a>]); 4] = [
        (Side::PermissionsBoundary, policies.permissions_boundary.as_slice()),
        (Side::Session, guardrails.session.as_slice()),
        (Side::ServiceControl, &policies.service_control_policies),
        (Side::ResourceControl, &guardrails.resource_control_policies),
    ];
    let limits = limits.map(|(side, sets)| (side, is_limited_by(side, request), sets));
    let count = 2 + limits.iter().map(|(_, _, sets)| sets.len()).sum::<usize>();
    let mut results = Vec::with_capacity(count);
    results.push(PolicyResult::of_set(Side::Identity, &policies.identity, request));
    results.push(PolicyResult::of_resource(&policies.resource, &policies.key_grants, request, bounded));
    for (side, limited, sets) in limits {
        if limited != Ternary::No {
            let of_set = |set| PolicyResult::of_set(side, set, request).if_limited(limited);
            results.extend(sets.iter().map(of_set));
        }
    }
    for result in results.iter_mut().filter(|result| result.side == Side::ResourceControl) {
        result.allows = Ternary::Yes;
    }

    let denied = Ternary::any(results.iter().map(|result| result.denies));
    let decision = match (denied, is_allowed(request, &results)) {
        _ if needs_no_permission(request) => Decision::Allowed,
        (Ternary::Yes, _) => Decision::ExplicitlyDenied,
        (_, Ternary::No) => Decision::ImplicitlyDenied,
        (Ternary::No, Ternary::Yes) => Decision::Allowed,
        _ => Decision::Unknown,
    };
    Evaluation { decision, results }
}

fn is_allowed(request: &Asked<'_>, results: &[PolicyResult<'_>]) -> Ternary {
    let all = |side: Side| {
        Ternary::all(results.iter().filter(|result| result.side == side).map(|result| result.allows))
    };
    let [identity, resource, ..] = results else { return Ternary::Unknown };
    let is_root = matches!(request.requester, Requester::Root(_));
    let sides = Sides {
        identity: if is_root { Ternary::Yes } else { identity.allows },
        resource,
        boundary: all(Side::PermissionsBoundary),
        session: all(Side::Session),
    };
    let within = || sides.within_account(request);
    all(Side::ServiceControl).and(match ownership_of(request) {
        // Services, identity providers and nobody have no identity policies.
        Ownership::NoAccount => resource.through.or(resource.everyone).or(resource.direct),
        Ownership::SameAccount => within(),
        Ownership::CrossAccount => sides.across_accounts(),
        Ownership::Unknown => match (within(), sides.across_accounts()) {
            (within, across) if within == across => within,
            _ => Ternary::Unknown,
        },
    })
}

struct Sides<'a> {
    identity: Ternary,
    resource: &'a PolicyResult<'a>,
    boundary: Ternary,
    session: Ternary,
}

impl Sides<'_> {
    /// Within one account either side suffices. What the resource policy gives to whoever asks is not
    /// limited by the boundary or the session's policies; what it gives to a session through its role is.
    fn within_account(&self, request: &Asked<'_>) -> Ternary {
        let resource = self.resource;
        let limits = self.boundary.and(self.session);
        let handed_to_account = if needs_resource_policy(request) { resource.allows } else { Ternary::Yes };
        resource
            .direct
            .or(resource.through.and(limits))
            // AWS says what limits a grant by ARN, and nothing of a grant to everyone.
            .or(resource.everyone.and(limits.or(Ternary::Unknown)))
            .or(self.identity.and(limits).and(handed_to_account))
    }

    /// Across accounts both sides have to allow.
    fn across_accounts(&self) -> Ternary {
        let identity = self.identity.and(self.boundary);
        let both = identity.and(self.session).and(self.resource.allows);
        // A grant to a session's own ARN is not limited by its policies: that this holds across accounts,
        // too, is said nowhere.
        let to_session = identity.and(self.resource.direct).and(Ternary::Unknown);
        // Auto Scaling's service-linked role uses foreign keys by a grant alone; the documentation of
        // grants does not say that everybody may.
        let by_grant = self.resource.granted.and(Ternary::Unknown);
        both.or(to_session).or(by_grant)
    }
}

/// Whether policies of this side limit the requester at all. "SCPs affect only IAM users and roles": neither
/// services nor identity providers nor nobody; and like resource control policies they do not affect
/// service-linked roles. That the account manages its organization, which no policy limits, is not known
/// here: of such an account, no service control policies are given.
///
/// See <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html> and
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html>.
fn is_limited_by(side: Side, request: &Asked<'_>) -> Ternary {
    match side {
        Side::ServiceControl if request.requester.account().is_none() => Ternary::No,
        Side::ResourceControl if request.action.eq_ignore_ascii_case("kms:RetireGrant") => Ternary::No,
        Side::ServiceControl | Side::ResourceControl => !is_service_linked_role(request),
        Side::Identity | Side::Resource | Side::PermissionsBoundary | Side::Session => Ternary::Yes,
    }
}

/// A service-linked role has a path of its own, which nobody else can use. The ARN of its session does not
/// show it, and the name that is usual for one is not reserved.
fn is_service_linked_role(request: &Asked<'_>) -> Ternary {
    let has_path = |arn: &Arn| arn.service() == "iam" && arn.resource().starts_with("role/aws-service-role/");
    match request.requester {
        Requester::Role(role) => has_path(role).into(),
        Requester::Session(session) => match request.keys.get("aws:PrincipalArn") {
            ContextValue::One(arn) => Arn::parse(arn).is_ok_and(|arn| has_path(&arn)).into(),
            _ if session.resource().starts_with("assumed-role/AWSServiceRoleFor") => Ternary::Unknown,
            _ => Ternary::No,
        },
        _ => Ternary::No,
    }
}

enum Ownership {
    SameAccount,
    CrossAccount,
    NoAccount,
    Unknown,
}

fn ownership_of(request: &Asked<'_>) -> Ownership {
    let Some(requester) = request.requester.account() else { return Ownership::NoAccount };
    let in_arn = || Arn::parts(request.resource).map(|[.., account, _]| account).filter(|it| !it.is_empty());
    match request.resource_account.or_else(in_arn) {
        // What AWS owns for everyone has `aws` for an account, as its managed policies have. Nobody shares it
        // by a policy of its own: identity policies decide.
        // See <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html#aws-managed-policies>.
        Some("aws") => Ownership::SameAccount,
        Some(owner) if owner == requester => Ownership::SameAccount,
        Some(_) => Ownership::CrossAccount,
        None => Ownership::Unknown,
    }
}

/// Whoever signs may ask who they are, even where a statement denies it.
/// See <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>.
fn needs_no_permission(request: &Asked<'_>) -> bool {
    *request.requester != Requester::Anonymous && request.action.eq_ignore_ascii_case("sts:GetCallerIdentity")
}

/// Identity policies alone never give access to a KMS key or let a role be assumed: the key policy or
/// the trust policy has to agree, by name or by handing it to the account.
fn needs_resource_policy(request: &Asked<'_>) -> bool {
    let is_service = |name: &str| {
        request.action.split_once(':').is_some_and(|(service, _)| service.eq_ignore_ascii_case(name))
    };
    let is_resource =
        |kind: &str| Arn::parts(request.resource).is_some_and(|[.., resource]| resource.starts_with(kind));
    is_service("kms") && is_resource("key/") || is_service("sts") && is_resource("role/")
}

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Decision {
    /// The request is allowed.
    Allowed,
    /// A statement denies it.
    ExplicitlyDenied,
    /// No statement allows it where one would have to.
    ImplicitlyDenied,
    /// What is known does not settle it.
    Unknown,
}

/// A decision with what each side had to say.
#[derive(Debug, Clone)]
pub struct Evaluation<'a> {
    /// The decision.
    pub decision: Decision,
    results: Vec<PolicyResult<'a>>,
}

impl Evaluation<'_> {
    /// Whether one side lets the request pass: it allows it and denies nothing. A side that has no say
    /// lets pass.
    pub fn permits(&self, side: Side) -> Ternary {
        let results = self.results.iter().filter(|result| result.side == side);
        Ternary::all(results.map(|result| result.allows.and(!result.denies)))
    }

    /// Whether one side allows the request, whatever it denies. A side that has no say allows.
    pub fn allows(&self, side: Side) -> Ternary {
        Ternary::all(self.results.iter().filter(|result| result.side == side).map(|result| result.allows))
    }

    /// The statement of this side that denies the request.
    pub fn denied_by(&self, side: Side) -> Option<StatementRef> {
        let results = self.results.iter().filter(|result| result.side == side);
        results.filter_map(|result| result.denied_by.as_ref()).map(DecidingStatement::reference).next()
    }

    /// Which statement decided, or which side had none.
    pub fn because(&self) -> DecisionReasons {
        let references = |by: &dyn Fn(&PolicyResult<'_>) -> Option<StatementRef>| {
            self.results.iter().filter_map(by).collect()
        };
        let sides = |answer: Ternary| {
            let sides = self.results.iter().filter(|result| result.allows == answer);
            sides.map(|result| result.side).collect()
        };
        let refused = self.results.iter().flat_map(|result| &result.refused);
        let refused_policies = refused
            .map(|(policy, fault)| RefusedPolicy { policy: policy.to_string(), fault: fault.to_string() })
            .collect();
        DecisionReasons {
            denied_by: references(&|result| result.denied_by.as_ref().map(DecidingStatement::reference)),
            allowed_by: references(&|result| result.allowed_by.as_ref().map(DecidingStatement::reference)),
            not_allowed_by: sides(Ternary::No),
            not_settled_by: sides(Ternary::Unknown),
            refused_policies,
        }
    }
}

#[cfg(test)]
mod tests;
