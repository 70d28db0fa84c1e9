//! What one side says to a request.

use std::borrow::Cow;

use super::decision_reasons::{DecidingStatement, Side};
use super::grants::KeyGrant;
use super::policies::{PolicySet, ResourcePolicy};
use super::principal::PrincipalMatch;
use super::request::Asked;
use super::{Ternary, statement};
use crate::arn::Arn;
use crate::policy::{Effect, GrammarFault, PolicyDocument, PolicyKind};

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
    /// The policies that AWS would not have saved, each with the fault.
    pub refused: Vec<(Cow<'a, str>, GrammarFault)>,
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
            refused: Vec::new(),
        }
    }

    pub(super) fn of_set(side: Side, set: &PolicySet<'a>, request: &Asked<'_>) -> Self {
        let mut result = PolicyResult::none(side);
        for (name, document) in set.documents() {
            result.apply_policy(name, document, kind_of_side(side), request, false);
        }
        if !set.is_complete() {
            result.allows = result.allows.or(Ternary::Unknown);
            result.denies = result.denies.or(Ternary::Unknown);
        }
        result
    }

    /// What it says where it may not concern the requester: without it all is allowed and nothing denied.
    pub(super) fn if_limited(mut self, limited: Ternary) -> Self {
        self.allows = self.allows.or(!limited);
        self.denies = self.denies.and(limited);
        self
    }

    pub(super) fn of_resource(
        policy: &ResourcePolicy<'a>,
        grants: &[KeyGrant],
        request: &Asked<'_>,
        bounded: bool,
    ) -> Self {
        let mut result = PolicyResult::none(Side::Resource);
        match policy {
            ResourcePolicy::Known(document) => {
                let kind = kind_of_resource_policy(request.resource);
                result.apply_policy(&"resource policy".into(), document, kind, request, bounded);
            }
            ResourcePolicy::Absent => {}
            ResourcePolicy::Unknown => result.leave_unsettled(),
        }
        for grant in grants {
            let (covers, naming) = grant.covers(request);
            result.granted = result.granted.or(covers);
            result.allow(covers, naming);
            if covers == Ternary::Yes {
                let by = || DecidingStatement::Grant { grantee: grant.grantee_principal.clone() };
                result.allowed_by.get_or_insert_with(by);
            }
        }
        result
    }

    /// What a policy says that can't be read: maybe the request is allowed, in whatever way, maybe denied.
    fn leave_unsettled(&mut self) {
        self.allow(Ternary::Unknown, PrincipalMatch::Account);
        self.allow(Ternary::Unknown, PrincipalMatch::Direct);
        self.denies = self.denies.or(Ternary::Unknown);
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
        kind: PolicyKind,
        request: &Asked<'_>,
        bounded: bool,
    ) {
        if let Some(fault) = document.grammar_fault(kind) {
            self.refused.push((policy.clone(), fault));
            return self.leave_unsettled();
        }
        let version = document.version();
        for statement in document.statements() {
            let Some(effect) = statement.effect() else { continue };
            let (answer, naming) = statement::match_statement(
                statement,
                version,
                kind,
                request,
                bounded && effect == Effect::Deny,
            );
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

fn kind_of_side(side: Side) -> PolicyKind {
    match side {
        Side::Identity | Side::PermissionsBoundary | Side::Session => PolicyKind::Identity,
        Side::Resource => PolicyKind::Resource,
        Side::ServiceControl => PolicyKind::ServiceControl,
        Side::ResourceControl => PolicyKind::ResourceControl,
    }
}

fn kind_of_resource_policy(resource: &str) -> PolicyKind {
    let is_bucket = Arn::parts(resource).is_some_and(|[_, service, region, account, _]| {
        service == "s3" && region.is_empty() && account.is_empty()
    });
    if is_bucket { PolicyKind::Bucket } else { PolicyKind::Resource }
}
