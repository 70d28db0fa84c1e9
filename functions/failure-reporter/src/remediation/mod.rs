//! Mending: what our custom resources own is applied again, once, and looked at.
//!
//! The reporter itself writes to nothing. It names the target to the access provider, which applies again what it
//! has on record for it; see [`crosspipe_core::remediation`].
//!
//! # Layout
//! - `failure.rs`: a failed action: mended where that was what it failed for, and retried
//! - `mended.rs`: what was done, in words

mod failure;
mod reapplied;

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crosspipe_aws::idempotency::{Claimed, IdempotencyClaim, REMEMBERED};
use crosspipe_aws::lease::Leases;
use crosspipe_aws::{Aws, AwsError};
use crosspipe_core::diagnosis::{Outcome, Report};
use crosspipe_core::pipeline::Pipeline;
use crosspipe_core::remediation::{ReapplyRequest, ReapplyResponse, Target, targets};
use crosspipe_core::rules::Finding;
use crosspipe_core::snapshot::Snapshot;

pub use reapplied::Mended;

/// What one target takes on a bad day: a lease to wait for, a write, and readings until it shows.
const ENOUGH: Duration = Duration::from_secs(30);

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
pub struct RecheckResult {
    /// Proven faults.
    pub findings: Vec<Finding>,
    /// What they were proven on.
    pub snapshot: Snapshot,
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
        look: impl AsyncFnOnce() -> Result<RecheckResult, E>,
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
    async fn begin(&self, occasion: &str) -> Result<Result<IdempotencyClaim, Mended>, AwsError> {
        let kept_until = SystemTime::now() + REMEMBERED;
        Ok(match self.leases.begin(&format!("mend:{occasion}"), occasion, kept_until).await? {
            Claimed::Ours(claim) => Ok(claim),
            Claimed::Busy(held) => Err(Mended::already(held.outcome())),
            Claimed::Done => Err(Mended::already(None)),
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
                    mended = Mended {
                        outcome: reapplied::worse(mended.outcome, Outcome::Failed),
                        ..mended.step(step)
                    };
                }
            }
        }
        mended
    }

    async fn order(&self, target: &Target, deadline: SystemTime) -> Result<ReapplyResponse, String> {
        let millis = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let order = ReapplyRequest::new(target.clone(), u64::try_from(millis).unwrap_or(u64::MAX));
        let order = serde_json::to_value(order).map_err(|error| error.to_string())?;
        let answer = self.aws.invoke(self.access_provider, &order, left(deadline)).await;
        let answer = answer.map_err(|error| error.to_string())?;
        let answer = serde_json::from_value::<ReapplyResponse>(answer)
            .map_err(|error| format!("the access provider's answer can't be read: {error}"))?;
        answer.error.clone().map_or(Ok(answer), Err)
    }
}

impl RecheckResult {
    /// What a report found.
    pub fn new(report: &Report, snapshot: Snapshot) -> Self {
        RecheckResult { findings: findings(report), snapshot }
    }
}

fn findings(report: &Report) -> Vec<Finding> {
    report.findings.iter().map(|ranked| ranked.finding.clone()).collect()
}

fn left(deadline: SystemTime) -> Duration {
    deadline.duration_since(SystemTime::now()).unwrap_or_default()
}
