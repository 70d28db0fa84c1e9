//! Mending: what our custom resources own is applied again, once, and looked at.
//!
//! The reporter itself writes to nothing. It names the target to the access provider, which applies again what it
//! has on record for it; see [`crosspipe_core::remedy`].

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crosspipe_aws::claim::{Claim, Claimed};
use crosspipe_aws::lease::Leases;
use crosspipe_aws::{Aws, AwsError, ErrorKind};
use crosspipe_core::diagnosis::{Failure, Outcome};
use crosspipe_core::pipeline::Pipeline;
use crosspipe_core::remedy::{Answer, Kind, Order, Target, targets};
use crosspipe_core::rules::Finding;
use crosspipe_core::snapshot::Snapshot;

/// What one target takes on a bad day: a lease to wait for, a write, and readings until it shows.
const ENOUGH: Duration = Duration::from_secs(30);
/// For how long an attempt is remembered: longer than any event is delivered again.
const REMEMBERED: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// IAM and KMS take some seconds until a change is in force everywhere.
const SPREADS: Duration = Duration::from_secs(10);
/// Between two attempts at a pipeline that is busy.
const BUSY: Duration = Duration::from_secs(3);

/// Has mended what is ours.
#[derive(Debug, Clone, Copy)]
pub struct Remedy<'a> {
    aws: &'a Aws,
    leases: &'a Leases,
    /// The access provider, by name.
    access_provider: &'a str,
}

/// What is wrong now.
#[derive(Debug, Clone, Default)]
pub struct Sight {
    /// Proven faults.
    pub findings: Vec<Finding>,
    /// What they were proven on.
    pub snapshot: Snapshot,
}

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

impl<'a> Remedy<'a> {
    /// Through this access provider, given by name.
    pub fn new(aws: &'a Aws, leases: &'a Leases, access_provider: &'a str) -> Self {
        Remedy { aws, leases, access_provider }
    }

    /// Has applied again whatever custom resources own that could mend these findings, and looks again.
    ///
    /// There is one attempt for each `occasion`, such as a pipeline execution, whatever comes of it. `deadline` is
    /// by when to be done. `look` sees anew where the findings were found.
    pub async fn mend<E: std::fmt::Display>(
        &self,
        findings: &[Finding],
        pipeline: &Pipeline,
        occasion: &str,
        deadline: SystemTime,
        look: impl AsyncFnOnce() -> Result<Sight, E>,
    ) -> Mended {
        let ours = findings.iter().filter(|finding| !targets(finding, pipeline).is_empty());
        let ours: Vec<&Finding> = ours.collect();
        let targets: BTreeSet<Target> = ours.iter().flat_map(|finding| targets(finding, pipeline)).collect();
        if targets.is_empty() {
            return Mended::new(Outcome::NotAttempted);
        }
        if left(deadline) < ENOUGH {
            let step = "Nothing was tried: there was too little time left.";
            return Mended::new(Outcome::NotAttempted).step(step);
        }
        let claim = match self.begin(occasion).await {
            Ok(Ok(claim)) => claim,
            Ok(Err(attempted)) => return attempted,
            Err(error) => {
                let step = format!("Nothing was tried, because the attempt could not be recorded: {error}.");
                return Mended::new(Outcome::NotAttempted).step(step);
            }
        };
        let applied = self.apply(&targets, deadline).await;
        if applied.outcome == Outcome::NothingOwned {
            claim.abandon().await;
            return applied;
        }
        let mended = match applied.outcome {
            Outcome::Reapplied => applied.verified(&ours, &targets, look().await),
            _ => applied,
        };
        tracing::info!(occasion, outcome = mended.outcome.word(), steps = ?mended.steps, "mended");
        if let Err(error) = claim.keep(&mended.steps.join(" ")).await {
            tracing::warn!(occasion, %error, "what came of mending is not on record");
        }
        mended
    }

    /// What was done on this occasion, where something was: after that, the faults that were there are gone.
    pub async fn recall(&self, occasion: &str) -> Option<Mended> {
        match self.begin(occasion).await {
            Ok(Ok(claim)) => claim.abandon().await,
            Ok(Err(attempted)) => return Some(attempted),
            Err(error) => tracing::warn!(occasion, %error, "whether mending was attempted is not known"),
        }
        None
    }

    /// The one attempt of an occasion, or what came of it.
    async fn begin(&self, occasion: &str) -> Result<Result<Claim, Mended>, AwsError> {
        let kept_until = SystemTime::now() + REMEMBERED;
        Ok(match self.leases.begin(&format!("mend:{occasion}"), occasion, kept_until).await? {
            Claimed::Ours(claim) => Ok(claim),
            Claimed::Busy(held) => Err(already_attempted(held.outcome())),
            Claimed::Done => Err(already_attempted(None)),
        })
    }

    /// Orders every target, and tells what came of it.
    async fn apply(&self, targets: &BTreeSet<Target>, deadline: SystemTime) -> Mended {
        let mut mended = Mended::new(Outcome::NothingOwned);
        for target in targets {
            match self.order(target, deadline).await {
                Ok(answer) => mended.note(target, &answer),
                Err(error) => {
                    let step = format!("Could not have {} put back: {error}.", target.label());
                    mended = Mended { outcome: worse(mended.outcome, Outcome::Failed), ..mended.step(step) };
                }
            }
        }
        mended
    }

    async fn order(&self, target: &Target, deadline: SystemTime) -> Result<Answer, String> {
        let millis = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let order = Order::new(target.clone(), u64::try_from(millis).unwrap_or(u64::MAX));
        let order = serde_json::to_value(order).map_err(|error| error.to_string())?;
        let answer = self.aws.invoke(self.access_provider, &order, left(deadline)).await;
        let answer = answer.map_err(|error| error.to_string())?;
        let answer = serde_json::from_value::<Answer>(answer)
            .map_err(|error| format!("the access provider's answer can't be read: {error}"))?;
        answer.error.clone().map_or(Ok(answer), Err)
    }

    /// Retries the failed actions of a stage once, if everything is mended that they failed for.
    pub async fn retry(&self, failure: &Failure, mended: Mended, deadline: SystemTime) -> Mended {
        if mended.outcome != Outcome::Reapplied {
            return mended;
        }
        tokio::time::sleep(SPREADS.min(left(deadline) / 2)).await;
        match self.retried(failure, deadline).await {
            Ok(()) => {
                let step = format!(
                    "Retried the failed actions of stage `{}`; execution {} goes on.",
                    failure.stage, failure.execution_id
                );
                Mended { outcome: Outcome::Retried, ..mended.step(step) }
            }
            Err(error) => {
                let why = match (error.code.as_deref(), mended.patched) {
                    (Some("StageNotRetryableException"), true) => {
                        "the pipeline's structure has changed, so the failed execution can't go on".to_owned()
                    }
                    _ => error.to_string(),
                };
                let step = format!(
                    "Not retried: {why}. Start a new execution: aws codepipeline start-pipeline-execution --name {}",
                    failure.pipeline
                );
                Mended { outcome: Outcome::RetryRefused, ..mended.step(step) }
            }
        }
    }

    /// Patient with a pipeline that is busy, as it is while other actions of the stage end.
    async fn retried(&self, failure: &Failure, deadline: SystemTime) -> Result<(), AwsError> {
        let codepipeline = self.aws.codepipeline();
        loop {
            let (pipeline, stage) = (&failure.pipeline, &failure.stage);
            match codepipeline.retry_failed_actions(pipeline, stage, &failure.execution_id).await {
                Err(error) if error.kind == ErrorKind::Conflict && left(deadline) > BUSY => {
                    tokio::time::sleep(BUSY).await;
                }
                answer => return answer,
            }
        }
    }
}

impl Mended {
    fn new(outcome: Outcome) -> Self {
        Mended { steps: vec![], outcome, left: vec![], patched: false }
    }

    /// The same with a step more.
    pub fn step(mut self, step: impl Into<String>) -> Self {
        self.steps.push(step.into());
        self
    }

    /// Adds what became of one target.
    fn note(&mut self, target: &Target, answer: &Answer) {
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
            self.patched |= target.kind == Kind::PipelinePatch && outcome == Outcome::Reapplied;
            self.outcome = worse(self.outcome, outcome);
        }
    }

    /// What is left of the findings that were to be mended.
    fn verified<E: std::fmt::Display>(
        mut self,
        ours: &[&Finding],
        targets: &BTreeSet<Target>,
        now: Result<Sight, E>,
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
fn worse(a: Outcome, b: Outcome) -> Outcome {
    let rank = |outcome: Outcome| match outcome {
        Outcome::Reapplied => 3,
        Outcome::Failed => 2,
        Outcome::Unchanged => 1,
        _ => 0,
    };
    if rank(b) > rank(a) { b } else { a }
}

fn already_attempted(outcome: Option<&str>) -> Mended {
    let came = outcome.map(|outcome| format!(" What came of it: {outcome}")).unwrap_or_default();
    let step = format!("It was attempted before, and is attempted once only.{came}");
    Mended::new(Outcome::AlreadyAttempted).step(step)
}

fn left(deadline: SystemTime) -> Duration {
    deadline.duration_since(SystemTime::now()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crosspipe_core::remedy::Reapplied;

    use super::*;

    fn target(kind: Kind) -> Target {
        Target { kind, name: "orders".to_owned() }
    }

    fn noted(kind: Kind, resources: &[(bool, Option<&str>)]) -> Mended {
        let resources = resources.iter().map(|(changed, error)| Reapplied {
            stack_id: "arn:aws:cloudformation:eu-west-1:111111111111:stack/shop/1".to_owned(),
            logical_id: "Grant".to_owned(),
            changed: *changed,
            error: error.map(str::to_owned),
        });
        let mut mended = Mended::new(Outcome::NothingOwned);
        mended.note(&target(kind), &Answer { resources: resources.collect(), error: None });
        mended
    }

    #[test]
    fn what_was_put_back_counts_before_what_was_not() {
        let outcome =
            |resources: &[(bool, Option<&str>)]| noted(Kind::ArtifactBucketGrant, resources).outcome;
        assert_eq!(outcome(&[]), Outcome::NothingOwned);
        assert_eq!(outcome(&[(false, None)]), Outcome::Unchanged);
        assert_eq!(outcome(&[(false, Some("denied")), (false, None)]), Outcome::Failed);
        assert_eq!(outcome(&[(true, None), (false, Some("denied"))]), Outcome::Reapplied);
    }

    #[test]
    fn each_owner_has_a_sentence() {
        let mended = noted(Kind::PipelinePatch, &[(true, None), (false, Some("denied. Next: allow it"))]);
        assert_eq!(
            mended.steps,
            [
                "`Grant` of stack `shop` put back the patch of pipeline `orders`.",
                "`Grant` of stack `shop` could not put back the patch of pipeline `orders`: denied. Next: allow it",
            ]
        );
        assert!(mended.patched, "another structure can't be retried");
        assert!(!noted(Kind::PipelinePatch, &[(false, None)]).patched);
    }

    #[test]
    fn what_can_not_be_read_again_is_not_taken_for_mended() {
        let applied = || noted(Kind::PipelinePatch, &[(true, None)]);
        let targets = BTreeSet::from([target(Kind::PipelinePatch)]);
        let unseen = applied().verified(&[], &targets, Ok::<_, String>(Sight::default()));
        assert_eq!(unseen.outcome, Outcome::Failed, "{:?}", unseen.steps);
        let failed = applied().verified(&[], &targets, Err("Rate exceeded"));
        assert_eq!(failed.outcome, Outcome::Failed, "{:?}", failed.steps);
    }
}
