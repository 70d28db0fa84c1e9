//! What failed, as the rules see it that read its message.

use super::access::Access;
use super::access_result::AccessResult;
use super::facts::{ActionFacts, Facts};
use crate::evaluation::Side;
use crate::incident::Failure;
use crate::incident::error_evidence::ErrorEvidence;
use crate::incident::evidence;
use crate::incident::message::agreement::is_role;
use crate::incident::message::{Denial, ErrorSignature};
use crate::pipeline::Action;

/// A failure, the action that failed, and what its messages claim.
pub(super) struct Event<'a> {
    pub failure: &'a Failure,
    pub action: Action<'a>,
    pub claims: Vec<ErrorSignature>,
    /// The first denial that a message tells of.
    pub denial: Option<Denial>,
}

impl<'a> Event<'a> {
    /// None where nothing failed, or an action that the pipeline does not have (any more).
    pub(super) fn of(facts: &Facts<'a>) -> Option<Self> {
        let failure = facts.failure()?;
        let failed = |it: &Action<'_>| it.stage().name() == failure.stage && it.name() == failure.action;
        let action = facts.actions().find(failed)?;
        let details = evidence::details(failure, &action, facts.snapshot());
        let ErrorEvidence { claims, denial } = ErrorEvidence::of(failure, &details);
        Some(Event { failure, action, claims, denial })
    }

    /// Whether a message claims this.
    pub(super) fn claims(&self, claim: &ErrorSignature) -> bool {
        self.claims.contains(claim)
    }

    /// Whether this is the action that failed.
    pub(super) fn is_of(&self, action: &ActionFacts<'_>) -> bool {
        self.action.path() == action.action.path()
    }

    /// How to speak of the action: `Stage/Action`.
    pub(super) fn label(&self) -> String {
        format!("{}/{}", self.action.stage().name(), self.action.name())
    }

    /// What one side says to the request that was denied, where the snapshot knows who asked.
    pub(super) fn judge(&self, facts: &Facts<'_>, side: Side) -> Option<AccessResult> {
        let denial = self.denial.as_ref()?;
        let (actor, resource) = (denial.actor.as_deref()?, denial.resource.clone()?);
        let own = [self.action.role_arn(), Some(facts.pipeline().role_arn())];
        let role = own.into_iter().flatten().find(|role| is_role(actor, role))?;
        Some(Access::new(facts, role, vec![(denial.action.clone(), resource)]).judge(&[side]))
    }

    /// Who was denied what, as a sentence has it.
    pub(super) fn request(denial: &Denial) -> String {
        let actor = denial.actor.as_deref().unwrap_or("somebody");
        let resource = denial.resource.as_deref().map(|it| format!(" on {it}")).unwrap_or_default();
        format!("{} to {actor}{resource}", denial.action)
    }
}
