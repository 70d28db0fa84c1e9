//! What one side says to a request.

use std::borrow::Cow;

use super::decision_reasons::{DecidingStatement, Side};
use super::grants::KeyGrant;
use super::policies::{PolicySet, ResourcePolicy};
use super::principal::PrincipalMatch;
use super::request::Asked;
use super::{Ternary, statement};
use crate::policy::{Effect, PolicyDocument};

/// What one side says to a request.
#[derive(Debug, Clone)]
pub(super) struct PolicyResult<'a> {
    pub side: Side,
    pub allows: Ternary,
    pub denies: Ternary,
    pub allowed_by: Option<DecidingStatement<'a>>,
    pub denied_by: Option<DecidingStatement<'a>>,
    /// The allows of a resource policy, by how it names the requester.
    pub through: Ternary,
    pub everyone: Ternary,
    pub direct: Ternary,
    /// Whether a grant on a key allows.
    pub granted: Ternary,
}

impl<'a> PolicyResult<'a> {
    fn none(side: Side) -> Self {
        PolicyResult {
            side,
            allows: Ternary::No,
            denies: Ternary::No,
            allowed_by: None,
            denied_by: None,
            through: Ternary::No,
            everyone: Ternary::No,
            direct: Ternary::No,
            granted: Ternary::No,
        }
    }

    pub fn of_set(side: Side, set: &PolicySet<'a>, request: &Asked<'_>) -> Self {
        let mut opinion = PolicyResult::none(side);
        for (name, document) in set.documents() {
            opinion.apply_policy(name, document, request, false);
        }
        if !set.is_complete() {
            opinion.allows = opinion.allows.or(Ternary::Unknown);
            opinion.denies = opinion.denies.or(Ternary::Unknown);
        }
        opinion
    }

    pub fn of_resource(
        policy: &ResourcePolicy<'a>,
        grants: &[KeyGrant],
        request: &Asked<'_>,
        bounded: bool,
    ) -> Self {
        let mut opinion = PolicyResult::none(Side::Resource);
        match policy {
            ResourcePolicy::Known(document) => {
                opinion.apply_policy(&"resource policy".into(), document, request, bounded)
            }
            ResourcePolicy::Absent => {}
            ResourcePolicy::Unknown => {
                opinion.allow(Ternary::Unknown, PrincipalMatch::Account);
                opinion.allow(Ternary::Unknown, PrincipalMatch::Direct);
                opinion.denies = Ternary::Unknown;
            }
        }
        for grant in grants {
            let (covers, naming) = grant.covers(request);
            opinion.granted = opinion.granted.or(covers);
            opinion.allow(covers, naming);
            if covers == Ternary::Yes {
                let by = || DecidingStatement::Grant { grantee: grant.grantee_principal.clone() };
                opinion.allowed_by.get_or_insert_with(by);
            }
        }
        opinion
    }

    fn allow(&mut self, answer: Ternary, naming: PrincipalMatch) {
        self.allows = self.allows.or(answer);
        let named = match naming {
            PrincipalMatch::Account => return,
            PrincipalMatch::Through => &mut self.through,
            PrincipalMatch::Everyone => &mut self.everyone,
            PrincipalMatch::Direct => &mut self.direct,
        };
        *named = named.or(answer);
    }

    #[expect(clippy::ptr_arg, reason = "a name that is borrowed is kept without copying it")]
    fn apply_policy(
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
            if answer == Ternary::Yes {
                decided_by.get_or_insert_with(|| DecidingStatement::Statement {
                    policy: policy.clone(),
                    statement,
                });
            }
        }
    }
}
