//! What was done, in words.

use std::collections::BTreeSet;

use crosspipe_core::diagnosis::Outcome;
use crosspipe_core::remediation::{ReapplyResponse, ResourceType, Target};
use crosspipe_core::rules::Finding;

use super::RecheckResult;

/// What was done.
#[derive(Debug, Clone, PartialEq)]
pub struct Mended {
    /// One sentence each.
    pub steps: Vec<String>,
    /// What came of it.
    pub outcome: Outcome,
    /// The faults that are still there, where somebody looked again.
    pub left: Vec<Finding>,
    /// Whether a pipeline's structure was changed: its failed executions can't go on then.
    pub patched: bool,
}

impl Mended {
    pub(super) fn new(outcome: Outcome) -> Self {
        Mended { steps: vec![], outcome, left: vec![], patched: false }
    }

    /// It was tried before, and this came of it.
    pub(super) fn already(outcome: Option<&str>) -> Self {
        let came = outcome.map(|outcome| format!(" What came of it: {outcome}")).unwrap_or_default();
        let step = format!("It was attempted before, and is attempted once only.{came}");
        Mended::new(Outcome::AlreadyAttempted).step(step)
    }

    /// The same with a step more.
    pub fn step(mut self, step: impl Into<String>) -> Self {
        self.steps.push(step.into());
        self
    }

    /// Adds what became of one target.
    pub(super) fn note(&mut self, target: &Target, answer: &ReapplyResponse) {
        let what = target.label();
        if answer.resources.is_empty() {
            self.steps
                .push(format!("No custom resource has {what} on record, so nothing was changed there."));
        }
        for resource in &answer.resources {
            let who = resource.label();
            let (step, outcome) = match &resource.error {
                Some(error) => (format!("{who} could not put back {what}: {error}"), Outcome::Failed),
                None if resource.changed => (format!("{who} put back {what}."), Outcome::Reapplied),
                None => (format!("{who} has {what} in place; nothing was changed."), Outcome::Unchanged),
            };
            self.steps.push(step);
            self.patched |= target.kind == ResourceType::PipelinePatch && outcome == Outcome::Reapplied;
            self.outcome = worse(self.outcome, outcome);
        }
    }

    /// What is left of the findings that were to be mended.
    pub(super) fn verified<E: std::fmt::Display>(
        mut self,
        ours: &[&Finding],
        targets: &BTreeSet<Target>,
        now: Result<RecheckResult, E>,
    ) -> Self {
        let now = match now {
            Ok(now) => now,
            Err(error) => {
                let step =
                    format!("Whether that mended it is not known, because reading it again failed: {error}.");
                return Mended { outcome: Outcome::Failed, ..self.step(step) };
            }
        };
        for target in targets.iter().filter(|target| !target.is_shown(&now.snapshot)) {
            self.outcome = Outcome::Failed;
            self.steps.push(format!("Could not read {} again, so nothing is sure.", target.label()));
        }
        let same = |a: &Finding, b: &Finding| a.rule == b.rule && a.location == b.location;
        let is_left = |fault: &&&Finding| now.findings.iter().any(|other| same(other, fault));
        let (left, gone): (Vec<&&Finding>, Vec<&&Finding>) = ours.iter().partition(is_left);
        for fault in left {
            self.outcome = Outcome::Failed;
            self.steps.push(format!("{} is still there: {}.", fault.rule, fault.message));
        }
        if self.outcome == Outcome::Reapplied {
            let rules: BTreeSet<&str> = gone.iter().map(|fault| fault.rule).collect();
            let rules = rules.into_iter().collect::<Vec<_>>().join(", ");
            self.steps.push(format!("Looked again: {rules} is gone."));
        }
        self.left = now.findings;
        self
    }
}

/// What is said of several: that something was put back, before that something could not be, before that nothing
/// had to be.
pub(super) fn worse(a: Outcome, b: Outcome) -> Outcome {
    let rank = |outcome: Outcome| match outcome {
        Outcome::Reapplied => 3,
        Outcome::Failed => 2,
        Outcome::Unchanged => 1,
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

    fn noted(kind: ResourceType, resources: &[(bool, Option<&str>)]) -> Mended {
        let resources = resources.iter().map(|(changed, error)| Reapplied {
            stack_id: "arn:aws:cloudformation:eu-west-1:111111111111:stack/shop/1".to_owned(),
            logical_id: "Grant".to_owned(),
            changed: *changed,
            error: error.map(str::to_owned),
        });
        let mut mended = Mended::new(Outcome::NothingOwned);
        mended.note(&target(kind), &ReapplyResponse { resources: resources.collect(), error: None });
        mended
    }

    #[test]
    fn what_was_put_back_counts_before_what_was_not() {
        let outcome =
            |resources: &[(bool, Option<&str>)]| noted(ResourceType::ArtifactBucketGrant, resources).outcome;
        assert_eq!(outcome(&[]), Outcome::NothingOwned);
        assert_eq!(outcome(&[(false, None)]), Outcome::Unchanged);
        assert_eq!(outcome(&[(false, Some("denied")), (false, None)]), Outcome::Failed);
        assert_eq!(outcome(&[(true, None), (false, Some("denied"))]), Outcome::Reapplied);
    }

    #[test]
    fn each_owner_has_a_sentence() {
        let mended =
            noted(ResourceType::PipelinePatch, &[(true, None), (false, Some("denied. Next: allow it"))]);
        assert_eq!(
            mended.steps,
            [
                "`Grant` of stack `shop` put back the patch of pipeline `orders`.",
                "`Grant` of stack `shop` could not put back the patch of pipeline `orders`: denied. Next: allow it",
            ]
        );
        assert!(mended.patched, "another structure can't be retried");
        assert!(!noted(ResourceType::PipelinePatch, &[(false, None)]).patched);
    }

    #[test]
    fn what_can_not_be_read_again_is_not_taken_for_mended() {
        let applied = || noted(ResourceType::PipelinePatch, &[(true, None)]);
        let targets = BTreeSet::from([target(ResourceType::PipelinePatch)]);
        let unseen = applied().verified(&[], &targets, Ok::<_, String>(RecheckResult::default()));
        assert_eq!(unseen.outcome, Outcome::Failed, "{:?}", unseen.steps);
        let failed = applied().verified(&[], &targets, Err("Rate exceeded"));
        assert_eq!(failed.outcome, Outcome::Failed, "{:?}", failed.steps);
    }
}
