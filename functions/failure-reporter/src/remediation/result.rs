//! What a remediation did, in sentences.

use std::collections::BTreeSet;

use crosspipe_core::diagnosis::Outcome;
use crosspipe_core::remediation::{ReapplyResponse, ResourceType, Target};
use crosspipe_core::rules::Finding;

use super::RecheckResult;

/// What a remediation did.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RemediationResult {
    /// What was done, one sentence each.
    pub steps: Vec<String>,
    /// The outcome of all targets together.
    pub outcome: Outcome,
    /// The findings of the second check; empty where there was none.
    pub left: Vec<Finding>,
    /// Whether a pipeline's structure was changed: its failed executions can't go on then.
    pub pipeline_changed: bool,
}

impl RemediationResult {
    pub(super) fn new(outcome: Outcome) -> Self {
        RemediationResult { steps: vec![], outcome, left: vec![], pipeline_changed: false }
    }

    /// The result where remediation was attempted before; `outcome` is what was recorded of it.
    pub(super) fn already_attempted(outcome: Option<&str>) -> Self {
        let outcome = outcome.map(|outcome| format!(" Its outcome: {outcome}")).unwrap_or_default();
        let step = format!("Remediation was attempted before, and is attempted once only.{outcome}");
        RemediationResult::new(Outcome::AlreadyAttempted).step(step)
    }

    /// Adds a step.
    pub(crate) fn step(mut self, step: impl Into<String>) -> Self {
        self.steps.push(step.into());
        self
    }

    /// Adds the access provider's response about one target.
    pub(super) fn add_response(&mut self, target: &Target, response: &ReapplyResponse) {
        let what = target.label();
        if response.resources.is_empty() {
            self.steps
                .push(format!("No custom resource has {what} on record, so nothing was changed there."));
        }
        for resource in &response.resources {
            let who = resource.label();
            let (step, outcome) = match &resource.error {
                Some(error) => (format!("{who} could not put back {what}: {error}"), Outcome::Failed),
                None if resource.changed => (format!("{who} put back {what}."), Outcome::Reapplied),
                None => (format!("{who} has {what} in place; nothing was changed."), Outcome::Unchanged),
            };
            self.steps.push(step);
            self.pipeline_changed |=
                target.kind == ResourceType::PipelinePatch && outcome == Outcome::Reapplied;
            self.add_outcome(outcome);
        }
    }

    /// Adds the outcome of one target.
    pub(super) fn add_outcome(&mut self, outcome: Outcome) {
        self.outcome = more_important(self.outcome, outcome);
    }

    /// Compares the second check with the findings that were to be resolved.
    pub(super) fn verify<E: std::fmt::Display>(
        mut self,
        remediable: &[&Finding],
        targets: &BTreeSet<Target>,
        now: Result<RecheckResult, E>,
    ) -> Self {
        let now = match now {
            Ok(now) => now,
            Err(error) => {
                let step =
                    format!("It is not known if that resolved it, because the second check failed: {error}.");
                return RemediationResult { outcome: Outcome::Failed, ..self.step(step) };
            }
        };
        for target in targets.iter().filter(|target| !target.is_readable_in(&now.snapshot)) {
            self.outcome = Outcome::Failed;
            self.steps.push(format!(
                "Could not read {} again, so it is not known if that resolved it.",
                target.label()
            ));
        }
        let same = |a: &Finding, b: &Finding| a.rule == b.rule && a.location == b.location;
        let is_left = |finding: &&&Finding| now.findings.iter().any(|other| same(other, finding));
        let (left, gone): (Vec<&&Finding>, Vec<&&Finding>) = remediable.iter().partition(is_left);
        for finding in left {
            self.outcome = Outcome::Failed;
            self.steps.push(format!("{} was not resolved: {}.", finding.rule, finding.message));
        }
        if self.outcome == Outcome::Reapplied {
            let rules: BTreeSet<&str> = gone.iter().map(|finding| finding.rule.as_str()).collect();
            let rules = rules.into_iter().collect::<Vec<_>>().join(", ");
            self.steps.push(format!("Checked again: {rules} is resolved."));
        }
        self.left = now.findings;
        self
    }
}

/// The outcome that is reported of two: `Reapplied` before `Failed` before `Unchanged` before `NotAttempted`.
fn more_important(a: Outcome, b: Outcome) -> Outcome {
    let rank = |outcome: Outcome| match outcome {
        Outcome::Reapplied => 4,
        Outcome::Failed => 3,
        Outcome::Unchanged => 2,
        Outcome::NotAttempted => 1,
        _ => 0,
    };
    if rank(b) > rank(a) { b } else { a }
}

#[cfg(test)]
mod tests {
    use crosspipe_core::remediation::Reapplied;

    use super::*;

    fn target(kind: ResourceType) -> Target {
        Target { kind, name: "orders".to_owned() }
    }

    fn respond(kind: ResourceType, resources: &[(bool, Option<&str>)]) -> RemediationResult {
        let resources = resources.iter().map(|(changed, error)| Reapplied {
            stack_id: "arn:aws:cloudformation:eu-west-1:111111111111:stack/shop/1".to_owned(),
            logical_id: "Grant".to_owned(),
            changed: *changed,
            error: error.map(str::to_owned),
        });
        let mut result = RemediationResult::new(Outcome::NothingOwned);
        result.add_response(&target(kind), &ReapplyResponse { resources: resources.collect(), error: None });
        result
    }

    #[test]
    fn reapplied_outranks_failed() {
        let outcome = |resources: &[(bool, Option<&str>)]| {
            respond(ResourceType::ArtifactBucketGrant, resources).outcome
        };
        assert_eq!(outcome(&[]), Outcome::NothingOwned);
        assert_eq!(outcome(&[(false, None)]), Outcome::Unchanged);
        assert_eq!(outcome(&[(false, Some("denied")), (false, None)]), Outcome::Failed);
        assert_eq!(outcome(&[(true, None), (false, Some("denied"))]), Outcome::Reapplied);
    }

    #[test]
    fn each_owner_gets_a_step() {
        let result =
            respond(ResourceType::PipelinePatch, &[(true, None), (false, Some("denied. Next: allow it"))]);
        assert_eq!(
            result.steps,
            [
                "`Grant` of stack `shop` put back the patch of pipeline `orders`.",
                "`Grant` of stack `shop` could not put back the patch of pipeline `orders`: denied. Next: allow it",
            ]
        );
        assert!(result.pipeline_changed, "another structure can't be retried");
        assert!(!respond(ResourceType::PipelinePatch, &[(false, None)]).pipeline_changed);
    }

    #[test]
    fn unreadable_recheck_is_failed() {
        let applied = || respond(ResourceType::PipelinePatch, &[(true, None)]);
        let targets = BTreeSet::from([target(ResourceType::PipelinePatch)]);
        let unseen = applied().verify(&[], &targets, Ok::<_, String>(RecheckResult::default()));
        assert_eq!(unseen.outcome, Outcome::Failed, "{:?}", unseen.steps);
        let failed = applied().verify(&[], &targets, Err("Rate exceeded"));
        assert_eq!(failed.outcome, Outcome::Failed, "{:?}", failed.steps);
    }
}
