//! What failed, as the rules see it that read its message.

use super::access::Access;
use super::facts::Facts;
use super::judgement::Judgement;
use crate::arn::Arn;
use crate::diagnosis::Failure;
use crate::diagnosis::message::{Claim, Denial, claim, denial};
use crate::evaluation::Side;
use crate::pipeline::Action;

/// A failure, the action that failed, and what its message claims.
pub(super) struct Event<'a> {
    pub failure: &'a Failure,
    pub action: Action<'a>,
    pub claim: Claim,
    /// The denial that the message tells of.
    pub denial: Option<Denial>,
}

impl<'a> Event<'a> {
    /// None where nothing failed, or an action that the pipeline does not have (any more).
    pub(super) fn of(facts: &Facts<'a>) -> Option<Self> {
        let failure = facts.failure()?;
        let failed = |it: &Action<'_>| it.stage().name() == failure.stage && it.name() == failure.action;
        let action = facts.actions().find(failed)?;
        let message = failure.message();
        Some(Event { failure, action, claim: claim(message), denial: denial(message) })
    }

    /// How to speak of the action: `Stage/Action`.
    pub(super) fn label(&self) -> String {
        format!("{}/{}", self.action.stage().name(), self.action.name())
    }

    /// What one side says to the request that was denied, where the snapshot knows who asked.
    pub(super) fn judge(&self, facts: &Facts<'_>, side: Side) -> Option<Judgement> {
        let denial = self.denial.as_ref()?;
        let (actor, resource) = (denial.actor.as_deref()?, denial.resource.clone()?);
        let own = [self.action.role_arn(), Some(facts.pipeline().role_arn())];
        let role = own.into_iter().flatten().find(|role| is_session_of(actor, role))?;
        Some(Access::new(facts, role, vec![(denial.action.clone(), resource)]).judge(&[side]))
    }

    /// Who was denied what, as a sentence has it.
    pub(super) fn request(denial: &Denial) -> String {
        let actor = denial.actor.as_deref().unwrap_or("somebody");
        let resource = denial.resource.as_deref().map(|it| format!(" on {it}")).unwrap_or_default();
        format!("{} to {actor}{resource}", denial.action)
    }
}

/// Whether an actor is this role or a session of it.
fn is_session_of(actor: &str, role_arn: &str) -> bool {
    let (Ok(actor), Ok(role)) = (Arn::parse(actor), Arn::parse(role_arn)) else { return false };
    let session = actor.resource().strip_prefix("assumed-role/").and_then(|it| it.split('/').next());
    actor == role || (actor.account() == role.account() && session.is_some() && session == role.role_name())
}
