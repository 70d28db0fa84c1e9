//! From matching statements to a decision.

use serde::Serialize;

use super::policies::{KeyGrant, Policies, PolicySet, ResourcePolicy};
use super::principal::Naming;
use super::request::{Request, Requester};
use super::{Tri, statement};
use crate::arn::Arn;
use crate::policy::{Effect, PolicyDocument};

/// Decides a request.
pub fn evaluate(request: &Request<'_>, policies: &Policies<'_>) -> Evaluation {
    let context = request.context.clone().with_requester(&request.requester);
    let request = &Request { context, ..request.clone() };

    let identity = Opinion::of_set(Side::Identity, &policies.identity, request);
    let boundary = policies.permissions_boundary.as_ref();
    let boundary = boundary.map(|set| Opinion::of_set(Side::PermissionsBoundary, set, request));
    let levels = policies.service_control_policies.iter();
    let levels: Vec<Opinion> =
        levels.map(|set| Opinion::of_set(Side::ServiceControl, set, request)).collect();
    let resource = Opinion::of_resource(&policies.resource, &policies.key_grants, request);

    let within_limits = Tri::all(boundary.iter().chain(&levels).map(|opinion| opinion.allows));
    let allowed = within_limits.and(match ownership(request) {
        // A service has no identity policies.
        Ownership::NoAccount => resource.allows,
        Ownership::SameAccount if needs_resource_policy(request) => {
            resource.allows_directly.or(resource.allows.and(identity.allows))
        }
        Ownership::SameAccount => resource.allows_directly.or(identity.allows),
        Ownership::CrossAccount => identity.allows.and(resource.allows),
        Ownership::Unknown => {
            let (both, either) = (identity.allows.and(resource.allows), identity.allows.or(resource.allows));
            if both == either { both } else { Tri::Unknown }
        }
    });

    let mut opinions = vec![identity, resource];
    opinions.extend(boundary);
    opinions.extend(levels);
    let denied = Tri::any(opinions.iter().map(|opinion| opinion.denies));
    let decision = match (denied, allowed) {
        (Tri::Yes, _) => Decision::ExplicitlyDenied,
        (_, Tri::No) => Decision::ImplicitlyDenied,
        (Tri::No, Tri::Yes) => Decision::Allowed,
        _ => Decision::Unknown,
    };
    Evaluation { decision, opinions }
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
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The decision.
    pub decision: Decision,
    opinions: Vec<Opinion>,
}

impl Evaluation {
    /// Whether one side lets the request pass: it allows it and denies nothing. A side that has no say
    /// lets pass.
    pub fn lets_pass(&self, side: Side) -> Tri {
        let opinions = self.opinions.iter().filter(|opinion| opinion.side == side);
        Tri::all(opinions.map(|opinion| opinion.allows.and(!opinion.denies)))
    }

    /// The statement of this side that denies the request.
    pub fn denied_by(&self, side: Side) -> Option<&StatementRef> {
        self.opinions
            .iter()
            .filter(|opinion| opinion.side == side)
            .find_map(|opinion| opinion.denied_by.as_ref())
    }

    /// Which statement decided, or which side had none.
    pub fn because(&self) -> Because {
        let collect = |pick: fn(&Opinion) -> Option<&StatementRef>| {
            self.opinions.iter().filter_map(pick).cloned().collect()
        };
        let sides = |answer: Tri| {
            let sides = self.opinions.iter().filter(|opinion| opinion.allows == answer);
            sides.map(|opinion| opinion.side).collect()
        };
        Because {
            denied_by: collect(|opinion| opinion.denied_by.as_ref()),
            allowed_by: collect(|opinion| opinion.allowed_by.as_ref()),
            not_allowed_by: sides(Tri::No),
            not_settled_by: sides(Tri::Unknown),
        }
    }
}

/// Why a decision fell as it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Because {
    /// The statements that deny.
    pub denied_by: Vec<StatementRef>,
    /// The statements that allow.
    pub allowed_by: Vec<StatementRef>,
    /// The sides without a statement that allows.
    pub not_allowed_by: Vec<Side>,
    /// The sides that are not fully known.
    pub not_settled_by: Vec<Side>,
}

/// A side that has a say in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Side {
    /// The requester's identity policies.
    Identity,
    /// The resource's policy.
    Resource,
    /// The requester's permissions boundary.
    PermissionsBoundary,
    /// The organization's service control policies.
    ServiceControl,
}

/// One statement of one policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatementRef {
    /// The policy's name.
    pub policy: String,
    /// The statement's Sid or place.
    pub statement: String,
}

/// What one side says to a request.
#[derive(Debug, Clone, PartialEq)]
struct Opinion {
    side: Side,
    allows: Tri,
    /// Allows in a way that needs no identity policy within the same account.
    allows_directly: Tri,
    denies: Tri,
    allowed_by: Option<StatementRef>,
    denied_by: Option<StatementRef>,
}

impl Opinion {
    fn none(side: Side) -> Self {
        Opinion {
            side,
            allows: Tri::No,
            allows_directly: Tri::No,
            denies: Tri::No,
            allowed_by: None,
            denied_by: None,
        }
    }

    fn of_set(side: Side, set: &PolicySet<'_>, request: &Request<'_>) -> Self {
        let mut opinion = Opinion::none(side);
        for (name, document) in set.documents() {
            opinion.hear(name, document, request);
        }
        if !set.is_complete() {
            opinion.allows = opinion.allows.or(Tri::Unknown);
            opinion.denies = opinion.denies.or(Tri::Unknown);
        }
        opinion
    }

    fn of_resource(policy: &ResourcePolicy<'_>, grants: &[KeyGrant], request: &Request<'_>) -> Self {
        let mut opinion = Opinion::none(Side::Resource);
        match policy {
            ResourcePolicy::Known(document) => opinion.hear("resource policy", document, request),
            ResourcePolicy::Absent => {}
            ResourcePolicy::Unknown => {
                let unknown = Tri::Unknown;
                opinion = Opinion { allows: unknown, allows_directly: unknown, denies: unknown, ..opinion };
            }
        }
        if grants.iter().any(|grant| grant.covers(request)) {
            opinion.allows = Tri::Yes;
            opinion.allows_directly = Tri::Yes;
        }
        opinion
    }

    fn hear(&mut self, policy: &str, document: &PolicyDocument, request: &Request<'_>) {
        for statement in document.statements() {
            let (answer, naming) = statement::matches(statement, document.version(), request);
            let reference = || StatementRef { policy: policy.to_owned(), statement: statement.label() };
            match statement.effect() {
                Some(Effect::Allow) => {
                    self.allows = self.allows.or(answer);
                    if naming == Naming::Direct {
                        self.allows_directly = self.allows_directly.or(answer);
                    }
                    if answer == Tri::Yes {
                        self.allowed_by.get_or_insert_with(reference);
                    }
                }
                Some(Effect::Deny) => {
                    self.denies = self.denies.or(answer);
                    if answer == Tri::Yes {
                        self.denied_by.get_or_insert_with(reference);
                    }
                }
                // AWS saves no statement without an effect.
                None => {}
            }
        }
    }
}

impl KeyGrant {
    fn covers(&self, request: &Request<'_>) -> bool {
        let (Requester::Role(arn) | Requester::User(arn)) = &request.requester else { return false };
        let operation = request.action.strip_prefix("kms:").unwrap_or_default();
        self.grantee_principal == arn.as_str() && self.operations.iter().any(|granted| granted == operation)
    }
}

enum Ownership {
    SameAccount,
    CrossAccount,
    NoAccount,
    Unknown,
}

fn ownership(request: &Request<'_>) -> Ownership {
    let Some(requester) = request.requester.account() else { return Ownership::NoAccount };
    let in_arn = Arn::parse(request.resource).ok();
    let in_arn = in_arn.as_ref().map(Arn::account).filter(|account| !account.is_empty());
    match request.resource_account.or(in_arn) {
        Some(owner) if owner == requester => Ownership::SameAccount,
        Some(_) => Ownership::CrossAccount,
        None => Ownership::Unknown,
    }
}

/// Identity policies alone never give access to a KMS key or let a role be assumed: the key policy or
/// the trust policy has to agree, by name or by handing it to the account.
fn needs_resource_policy(request: &Request<'_>) -> bool {
    let action = request.action.to_ascii_lowercase();
    action.starts_with("kms:") || action.starts_with("sts:assumerole")
}

#[cfg(test)]
mod tests;
