//! What one side says to a request.

use std::borrow::Cow;

use super::because::{By, Side};
use super::grants::KeyGrant;
use super::policies::{PolicySet, ResourcePolicy};
use super::principal::Naming;
use super::request::Asked;
use super::{Tri, statement};
use crate::policy::{Effect, PolicyDocument};

/// What one side says to a request.
#[derive(Debug, Clone)]
pub(super) struct Opinion<'a> {
    pub side: Side,
    pub allows: Tri,
    pub denies: Tri,
    pub allowed_by: Option<By<'a>>,
    pub denied_by: Option<By<'a>>,
    /// The allows of a resource policy, by how it names the requester.
    pub through: Tri,
    pub everyone: Tri,
    pub direct: Tri,
    /// Whether a grant on a key allows.
    pub granted: Tri,
}

impl<'a> Opinion<'a> {
    fn none(side: Side) -> Self {
        Opinion {
            side,
            allows: Tri::No,
            denies: Tri::No,
            allowed_by: None,
            denied_by: None,
            through: Tri::No,
            everyone: Tri::No,
            direct: Tri::No,
            granted: Tri::No,
        }
    }

    pub fn of_set(side: Side, set: &PolicySet<'a>, request: &Asked<'_>) -> Self {
        let mut opinion = Opinion::none(side);
        for (name, document) in set.documents() {
            opinion.hear(name, document, request, false);
        }
        if !set.is_complete() {
            opinion.allows = opinion.allows.or(Tri::Unknown);
            opinion.denies = opinion.denies.or(Tri::Unknown);
        }
        opinion
    }

    pub fn of_resource(
        policy: &ResourcePolicy<'a>,
        grants: &[KeyGrant],
        request: &Asked<'_>,
        bounded: bool,
    ) -> Self {
        let mut opinion = Opinion::none(Side::Resource);
        match policy {
            ResourcePolicy::Known(document) => {
                opinion.hear(&"resource policy".into(), document, request, bounded)
            }
            ResourcePolicy::Absent => {}
            ResourcePolicy::Unknown => {
                opinion.allow(Tri::Unknown, Naming::Account);
                opinion.allow(Tri::Unknown, Naming::Direct);
                opinion.denies = Tri::Unknown;
            }
        }
        for grant in grants {
            let (covers, naming) = grant.covers(request);
            opinion.granted = opinion.granted.or(covers);
            opinion.allow(covers, naming);
            if covers == Tri::Yes {
                let by = || By::Grant { grantee: grant.grantee_principal.clone() };
                opinion.allowed_by.get_or_insert_with(by);
            }
        }
        opinion
    }

    fn allow(&mut self, answer: Tri, naming: Naming) {
        self.allows = self.allows.or(answer);
        let named = match naming {
            Naming::Account => return,
            Naming::Through => &mut self.through,
            Naming::Everyone => &mut self.everyone,
            Naming::Direct => &mut self.direct,
        };
        *named = named.or(answer);
    }

    #[expect(clippy::ptr_arg, reason = "a name that is borrowed is kept without copying it")]
    fn hear(
        &mut self,
        policy: &Cow<'a, str>,
        document: &'a PolicyDocument,
        request: &Asked<'_>,
        bounded: bool,
    ) {
        let version = document.version();
        for statement in document.statements() {
            // AWS saves no statement without an effect.
            let Some(effect) = statement.effect() else { continue };
            let (answer, naming) =
                statement::matches(statement, version, request, bounded && effect == Effect::Deny);
            let decided_by = match effect {
                Effect::Allow => {
                    self.allow(answer, naming);
                    &mut self.allowed_by
                }
                Effect::Deny => {
                    self.denies = self.denies.or(answer);
                    &mut self.denied_by
                }
            };
            if answer == Tri::Yes {
                decided_by.get_or_insert_with(|| By::Statement { policy: policy.clone(), statement });
            }
        }
    }
}
