//! Facts as the evaluation wants them.

use crate::evaluation::{KeyGrant, PolicySet, ResourcePolicy};
use crate::policy::PolicyDocument;
use crate::snapshot::{Fact, KeyFacts, RoleFacts};

impl RoleFacts {
    /// The role's identity policies.
    pub(super) fn identity(&self) -> PolicySet<'_> {
        let inline = self.inline_policies.known().into_iter().flatten();
        let attached = self.attached_policies.known().into_iter().flatten();
        let documents =
            inline.chain(attached).map(|(name, document)| (name.as_str().into(), document)).collect();
        if self.inline_policies.is_unknown() || self.attached_policies.is_unknown() {
            PolicySet::Incomplete(documents)
        } else {
            PolicySet::Known(documents)
        }
    }

    /// Every policy of the role that is known.
    pub(super) fn documents(&self) -> impl Iterator<Item = &PolicyDocument> {
        let sets = [self.inline_policies.known(), self.attached_policies.known()];
        let own = sets.into_iter().flatten().flat_map(|policies| policies.values());
        own.chain(self.permissions_boundary.known())
    }

    /// The role's permissions boundary, if it has one.
    pub(super) fn boundary(&self) -> Option<PolicySet<'_>> {
        match &self.permissions_boundary {
            Fact::Known(document) => Some(PolicySet::Known(vec![("permissions boundary".into(), document)])),
            Fact::Absent => None,
            Fact::Unknown => Some(PolicySet::unknown()),
        }
    }
}

/// A policy fact as evaluation wants it.
pub(super) fn resource_policy<'a>(policy: &Fact<&'a PolicyDocument>) -> ResourcePolicy<'a> {
    match policy {
        Fact::Known(document) => ResourcePolicy::Known(document),
        Fact::Absent => ResourcePolicy::Absent,
        Fact::Unknown => ResourcePolicy::Unknown,
    }
}

/// The grants of a key.
pub(super) fn key_grants(key: &Fact<&KeyFacts>) -> Vec<KeyGrant> {
    let grants = key.known().and_then(|key| key.grants.known()).into_iter().flatten();
    let grants = grants.map(|grant| KeyGrant {
        grantee_principal: grant.grantee_principal.clone(),
        operations: grant.operations.clone(),
    });
    grants.collect()
}
