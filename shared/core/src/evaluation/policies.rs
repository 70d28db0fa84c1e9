//! The policies that have a say in a decision.

use std::borrow::Cow;

use super::grants::KeyGrant;
use crate::policy::PolicyDocument;

/// Every policy that has a say.
#[derive(Debug, Clone)]
pub struct Policies<'a> {
    /// Inline and attached policies of the requester.
    pub identity: PolicySet<'a>,
    /// The resource's own policy: bucket policy, key policy, trust policy.
    pub resource: ResourcePolicy<'a>,
    /// The requester's permissions boundary: a set of none when it has no boundary.
    pub permissions_boundary: Option<PolicySet<'a>>,
    /// Service control policies, level by level from the organization's root to the account. Every
    /// level has to allow. No level: they are taken not to limit, since few may read them.
    pub service_control_policies: Vec<PolicySet<'a>>,
    /// The grants on a KMS key; empty for anything else.
    pub key_grants: Vec<KeyGrant>,
}

/// Policies of one kind, with the names by which to speak of them.
#[derive(Debug, Clone)]
pub enum PolicySet<'a> {
    /// All of them are known.
    Known(Vec<(Cow<'a, str>, &'a PolicyDocument)>),
    /// These are known, there may be others.
    Incomplete(Vec<(Cow<'a, str>, &'a PolicyDocument)>),
}

impl<'a> PolicySet<'a> {
    /// None of them is known.
    pub fn unknown() -> Self {
        PolicySet::Incomplete(Vec::new())
    }

    pub(super) fn documents(&self) -> &[(Cow<'a, str>, &'a PolicyDocument)] {
        match self {
            PolicySet::Known(documents) | PolicySet::Incomplete(documents) => documents,
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        matches!(self, PolicySet::Known(_))
    }
}

/// What is known of a resource's policy.
#[derive(Debug, Clone, Copy)]
pub enum ResourcePolicy<'a> {
    /// It is this one.
    Known(&'a PolicyDocument),
    /// The resource has none.
    Absent,
    /// It could not be read.
    Unknown,
}

/// What may limit a request beside the [`Policies`]; by default nothing.
#[derive(Debug, Clone, Default)]
pub struct Guardrails<'a> {
    /// The policies passed when the requester's session was made; None when there were none.
    pub session: Option<PolicySet<'a>>,
    /// Resource control policies of the organization that owns the resource, level by level. They only
    /// ever deny: the policy that allows everything can't be taken away.
    pub resource_control_policies: Vec<PolicySet<'a>>,
}
