//! Remediation: what custom resources own is applied again, once, and checked.
//!
//! The reporter has no write permission. It names the target to the access provider, which applies again what it
//! has on record for that target; see [`crosspipe_core::remediation`].
//!
//! # Layout
//! - `failed_action.rs`: remediates what an action failed for, and retries the action
//! - `history.rs`: how often a target was put back lately
//! - `result.rs`: what was done, in sentences

mod failed_action;
mod history;
mod result;

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crosspipe_aws::idempotency::{Claimed, IdempotencyClaim, REMEMBERED};
use crosspipe_aws::lease::{LeaseError, Leases};
use crosspipe_aws::{Aws, AwsError};
use crosspipe_core::diagnosis::{Outcome, Report};
use crosspipe_core::pipeline::Pipeline;
use crosspipe_core::remediation::{ReapplyRequest, ReapplyResponse, Target, targets};
use crosspipe_core::rules::Finding;
use crosspipe_core::snapshot::Snapshot;

use history::{History, exhausted_step};
pub(crate) use result::RemediationResult;

/// The time that one target can take: waiting for its lease, a write, and reading until the write shows.
const TIME_FOR_ONE_TARGET: Duration = Duration::from_secs(30);

/// Remediates findings through the access provider.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Remediator<'a> {
    aws: &'a Aws,
    leases: &'a Leases,
    /// The access provider's function name.
    access_provider: &'a str,
}

/// What a second check found.
#[derive(Debug, Clone, Default)]
pub(crate) struct RecheckResult {
    /// The findings of the second check.
    pub findings: Vec<Finding>,
    /// The facts that it rests on.
    pub snapshot: Snapshot,
}

impl<'a> Remediator<'a> {
    /// A remediator that invokes this access provider, given by function name.
    pub(crate) fn new(aws: &'a Aws, leases: &'a Leases, access_provider: &'a str) -> Self {
        Remediator { aws, leases, access_provider }
    }

    /// Asks the access provider to apply again whatever custom resources own that could resolve these findings,
    /// and checks the result with `recheck`.
    ///
    /// There is one attempt for each `idempotency_key`, such as a pipeline execution's id, whatever its outcome.
    /// It ends before `deadline`.
    pub(crate) async fn remediate<E: std::fmt::Display>(
        &self,
        findings: &[Finding],
        pipeline: &Pipeline,
        idempotency_key: &str,
        deadline: SystemTime,
        recheck: impl AsyncFnOnce() -> Result<RecheckResult, E>,
    ) -> RemediationResult {
        let remediable = findings.iter().filter(|finding| !targets(finding, pipeline).is_empty());
        let remediable: Vec<&Finding> = remediable.collect();
        let targets: BTreeSet<Target> =
            remediable.iter().flat_map(|finding| targets(finding, pipeline)).collect();
        if targets.is_empty() {
            return RemediationResult::new(Outcome::NotAttempted);
        }
        if time_left(deadline) < TIME_FOR_ONE_TARGET {
            let step = "Nothing was attempted: there was too little time left.";
            return RemediationResult::new(Outcome::NotAttempted).step(step);
        }
        let claim = match self.claim_attempt(idempotency_key).await {
            Ok(Ok(claim)) => claim,
            Ok(Err(attempted)) => return attempted,
            Err(error) => {
                let step =
                    format!("Nothing was attempted, because the attempt could not be recorded: {error}.");
                return RemediationResult::new(Outcome::NotAttempted).step(step);
            }
        };
        let applied = self.reapply_targets(&targets, idempotency_key, deadline).await;
        if applied.outcome == Outcome::NothingOwned {
            claim.abandon().await;
            return applied;
        }
        let result = match applied.outcome {
            Outcome::Reapplied => applied.verify(&remediable, &targets, recheck().await),
            _ => applied,
        };
        tracing::info!(
            idempotency_key,
            outcome = result.outcome.word(),
            steps = ?result.steps,
            "remediation attempted"
        );
        if let Err(error) = claim.keep(&result.steps.join(" ")).await {
            tracing::warn!(idempotency_key, %error, "the outcome of the remediation could not be recorded");
        }
        result
    }

    /// The recorded result of the attempt with this key; none if there was none.
    pub(crate) async fn previous_result(&self, idempotency_key: &str) -> Option<RemediationResult> {
        match self.claim_attempt(idempotency_key).await {
            Ok(Ok(claim)) => claim.abandon().await,
            Ok(Err(attempted)) => return Some(attempted),
            Err(error) => {
                tracing::warn!(idempotency_key, %error, "could not read if remediation was attempted");
            }
        }
        None
    }

    /// Claims the one attempt of this key; the inner error is the result of the attempt that was made before.
    async fn claim_attempt(
        &self,
        idempotency_key: &str,
    ) -> Result<Result<IdempotencyClaim, RemediationResult>, AwsError> {
        let kept_until = SystemTime::now() + REMEMBERED;
        let row = format!("remediation:{idempotency_key}");
        Ok(match self.leases.begin(&row, idempotency_key, kept_until).await? {
            Claimed::Ours(claim) => Ok(claim),
            Claimed::Busy(held) => Err(RemediationResult::already_attempted(held.outcome())),
            Claimed::Done => Err(RemediationResult::already_attempted(None)),
        })
    }

    /// Has each target applied again, and says what came of it. A target that was put back too often lately is left
    /// alone.
    async fn reapply_targets(
        &self,
        targets: &BTreeSet<Target>,
        idempotency_key: &str,
        deadline: SystemTime,
    ) -> RemediationResult {
        let mut result = RemediationResult::new(Outcome::NothingOwned);
        for target in targets {
            match self.reapply_if_wanted(target, idempotency_key, deadline).await {
                Ok(Some(response)) => result.add_response(target, &response),
                Ok(None) => {
                    result.add_outcome(Outcome::NotAttempted);
                    result = result.step(exhausted_step(target));
                }
                Err(error) => {
                    let step = format!("Could not have {} put back: {error}.", target.label());
                    result.add_outcome(Outcome::Failed);
                    result = result.step(step);
                }
            }
        }
        result
    }

    /// Has one target applied again, and records that; none where that was done too often lately.
    async fn reapply_if_wanted(
        &self,
        target: &Target,
        idempotency_key: &str,
        deadline: SystemTime,
    ) -> Result<Option<ReapplyResponse>, ReapplyError> {
        let history = History::open(self.leases, target, idempotency_key, deadline).await?;
        if history.is_exhausted() {
            history.release().await;
            return Ok(None);
        }
        let response = self.request_reapply(target, deadline).await;
        let changed = |response: &ReapplyResponse| response.resources.iter().any(|it| it.changed);
        if response.as_ref().is_ok_and(changed) {
            if let Err(error) = history.record().await {
                tracing::warn!(target = target.name, %error, "a remediation could not be recorded");
            }
        } else {
            history.release().await;
        }
        response.map(Some)
    }

    async fn request_reapply(
        &self,
        target: &Target,
        deadline: SystemTime,
    ) -> Result<ReapplyResponse, ReapplyError> {
        let millis = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let request = ReapplyRequest::new(target.clone(), u64::try_from(millis).unwrap_or(u64::MAX));
        let request = serde_json::to_value(request).map_err(ReapplyError::Request)?;
        let response = self.aws.invoke(self.access_provider, &request, time_left(deadline)).await?;
        let response = serde_json::from_value::<ReapplyResponse>(response).map_err(ReapplyError::Response)?;
        match response.error {
            Some(error) => Err(ReapplyError::Refused(error)),
            None => Ok(response),
        }
    }
}

/// Why a target could not be applied again.
#[derive(Debug, thiserror::Error)]
enum ReapplyError {
    /// The request can't be written as JSON.
    #[error("the request can't be written: {0}")]
    Request(serde_json::Error),
    /// The access provider could not be invoked.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// Another invocation remediates the same target.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// The access provider's response has another shape.
    #[error("the access provider's response can't be read: {0}")]
    Response(serde_json::Error),
    /// The access provider could not do it.
    #[error("{0}")]
    Refused(String),
}

impl RecheckResult {
    /// The findings of a report, and the facts that it rests on. A failure in the pipeline's own account has no report
    /// any more once it has nothing to do with artifacts.
    pub(crate) fn new(report: Option<&Report>, snapshot: Snapshot) -> Self {
        RecheckResult { findings: report.map(all_findings).unwrap_or_default(), snapshot }
    }
}

fn all_findings(report: &Report) -> Vec<Finding> {
    report.findings.iter().map(|ranked| ranked.finding.clone()).collect()
}

fn time_left(deadline: SystemTime) -> Duration {
    deadline.duration_since(SystemTime::now()).unwrap_or_default()
}
