//! What failed, as the rules see it that read its messages.

use super::access_result::AccessResult;
use super::action_facts::ActionFacts;
use super::denied_request;
use super::facts::Facts;
use crate::evaluation::Side;
use crate::incident::message::{Denial, ErrorSignature};
use crate::incident::{Incident, Surroundings};

impl<'a> Incident<'a> {
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

    /// What the roles in this action are looked up in.
    pub(super) fn surroundings(&self, facts: &Facts<'a>) -> Surroundings<'a> {
        Surroundings {
            failure: self.failure,
            action: self.action,
            service_role: facts.pipeline().role_arn(),
            snapshot: facts.snapshot(),
        }
    }

    /// What one side says to the request that was denied, where it is told who asked for what.
    pub(super) fn judge(&self, facts: &Facts<'_>, side: Side) -> Option<AccessResult> {
        let (denial, actor) = (self.denial.as_ref()?, self.actor.as_ref()?);
        Some(match denial.resource.as_deref() {
            Some(resource) => denied_request::judge(facts, &actor.arn, (&denial.action, resource), &[side]),
            None => denied_request::judge_on_anything(facts, &actor.arn, &denial.action, &[side]),
        })
    }

    /// Whether the denial is of this side though the message does not say so: it refuses the very request.
    pub(super) fn is_denied_by(&self, facts: &Facts<'_>, side: Side) -> bool {
        let unsaid = self.denial.as_ref().is_some_and(|denial| denial.side.is_none());
        unsaid && self.judge(facts, side).is_some_and(|result| !result.is_clear())
    }

    /// Who was denied what, as a sentence has it.
    pub(super) fn request(denial: &Denial) -> String {
        let actor = denial.actor.as_deref().unwrap_or("somebody");
        let resource = denial.resource.as_deref().map(|it| format!(" on {it}")).unwrap_or_default();
        format!("{} to {actor}{resource}", denial.action)
    }
}
