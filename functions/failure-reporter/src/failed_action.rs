//! A failed action: look, diagnose, tell.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crosspipe_aws::claim::Claimed;
use crosspipe_aws::gather::{self, Lookout};
use crosspipe_aws::lease::Leases;
use crosspipe_aws::{Aws, AwsError};
use crosspipe_core::diagnosis::{Confidence, EventError, Failure, Outcome, Report, diagnose};
use crosspipe_core::pipeline::{Pipeline, PipelineError};
use crosspipe_core::remedy::targets;
use crosspipe_core::rules::{Finding, Severity};
use crosspipe_core::snapshot::{Snapshot, SnapshotError};
use serde_json::Value;

use crate::alerts;
use crate::remedy::{Remedy, Sight};
use crate::settings::Settings;

/// For how long a failure that was reported is not reported again. EventBridge delivers for up to a day.
const REMEMBERED: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// What is left of an invocation for telling.
const FOR_TELLING: Duration = Duration::from_secs(20);

/// Explains failed actions.
pub struct Reporter<'a> {
    aws: &'a Aws,
    leases: &'a Leases,
    settings: &'a Settings,
}

/// Why a failed action could not be reported: the event is tried again, and kept in the dead-letter queue.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReportError {
    /// The event does not say which action failed.
    #[error(transparent)]
    Event(#[from] EventError),
    /// Another invocation is at it, or died over it.
    #[error("another invocation is reporting this failure")]
    Busy,
    /// An AWS call that the report can't do without failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The pipeline can't be read.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The snapshot can't be read.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
}

impl<'a> Reporter<'a> {
    /// A reporter with these settings.
    pub fn new(aws: &'a Aws, leases: &'a Leases, settings: &'a Settings) -> Self {
        Reporter { aws, leases, settings }
    }

    /// Serves one event. A receiver that has, or is just getting, its report of this failure gets no second one.
    pub async fn handle(
        &self,
        event: &Value,
        request_id: &str,
        deadline: SystemTime,
    ) -> Result<(), ReportError> {
        let failure = match Failure::from_event(event) {
            Ok(failure) => failure,
            Err(incomplete @ EventError::Missing(_)) => return Err(incomplete.into()),
            Err(other) => {
                tracing::info!(%other, "passed over an event that is no failed action");
                return Ok(());
            }
        };
        let mut claims = Vec::new();
        // If that invocation dies, only another attempt at this event will ever report.
        let mut busy = Ok(());
        for receiver in self.settings.receivers() {
            let key = format!("report:{}:{}", receiver.name(), failure.action_execution_id);
            match self.leases.begin(&key, request_id, deadline).await? {
                Claimed::Ours(claim) => claims.push((receiver, claim)),
                Claimed::Done => {}
                Claimed::Busy(_) => busy = Err(ReportError::Busy),
            }
        }
        if claims.is_empty() {
            tracing::info!(
                action_execution_id = failure.action_execution_id,
                "reported already, or about to be"
            );
            return busy;
        }
        let report = self.explain(failure, deadline).await;
        let mut outcome = busy;
        for (receiver, claim) in claims {
            let sent = match &report {
                Ok(Some(report)) => alerts::send(self.aws, receiver, report).await.map_err(ReportError::from),
                // Nothing to tell.
                Ok(None) => Ok(()),
                Err(error) => Err(error.clone()),
            };
            match sent {
                Ok(()) => claim.finish(SystemTime::now() + REMEMBERED).await?,
                Err(error) => {
                    claim.abandon().await;
                    outcome = Err(error);
                }
            }
        }
        outcome
    }

    /// None for an action in the pipeline's own account.
    async fn explain(&self, failure: Failure, deadline: SystemTime) -> Result<Option<Report>, ReportError> {
        let codepipeline = self.aws.codepipeline();
        let (live, executions) = tokio::try_join!(
            codepipeline.get_pipeline(&failure.pipeline),
            codepipeline.list_action_executions(&failure.pipeline, &failure.execution_id),
        )?;
        let failure = failure.with_details(&executions);
        let pipeline = Pipeline::parse(live.clone())?;
        let (mut report, _) = self.look(&failure, live, &pipeline).await?;
        match &mut report {
            Some(report) => {
                tracing::info!(
                    execution_id = report.execution_id,
                    action_execution_id = report.action_execution_id,
                    rule = report.root_cause.as_ref().map(|cause| cause.rule),
                    unknown = report.unknown.len(),
                    "diagnosed"
                );
                self.mend(&failure, &pipeline, report, deadline).await;
            }
            None => tracing::info!(
                execution_id = failure.execution_id,
                "the failed action is in the pipeline's own account"
            ),
        }
        Ok(report)
    }

    async fn look(
        &self,
        failure: &Failure,
        live: Value,
        pipeline: &Pipeline,
    ) -> Result<(Option<Report>, Snapshot), ReportError> {
        let lookout = Lookout {
            tools: self.aws,
            diagnostics_role: self.settings.diagnostics_role_name.as_deref(),
            session_name: "crosspipe-failure-reporter",
        };
        let only = Some((failure.stage.as_str(), failure.action.as_str()));
        let gathered = gather::snapshot(lookout, live, pipeline, only).await;
        for why in &gathered.unreadable {
            tracing::warn!(execution_id = failure.execution_id, why, "a part of the snapshot is unknown");
        }
        let report = diagnose(failure, &gathered.snapshot, self.settings.remediation.clone())?;
        Ok((report, gathered.snapshot))
    }

    /// Has mended what is ours, where that is asked for, and retries the action once nothing stands in its way.
    async fn mend(&self, failure: &Failure, pipeline: &Pipeline, report: &mut Report, deadline: SystemTime) {
        let Some(provider) = &self.settings.access_provider_name else { return };
        let remedy = Remedy::new(self.aws, self.leases, provider);
        // What another failure of this execution had put back is not missing any more.
        if report.findings.is_empty() {
            if let Some(attempted) = remedy.recall(&failure.execution_id).await {
                report.remediation.done(attempted.steps, attempted.outcome);
            }
            return;
        }
        // Faults that have nothing to do with this failure are no occasion to change anything.
        if !stands_in_the_way(report).any(|finding| !targets(finding, pipeline).is_empty()) {
            return;
        }
        let deadline = deadline.checked_sub(FOR_TELLING).unwrap_or(UNIX_EPOCH);
        let look = async || {
            let live = self.aws.codepipeline().get_pipeline(&failure.pipeline).await?;
            let pipeline = Pipeline::parse(live.clone())?;
            let (report, snapshot) = self.look(failure, live, &pipeline).await?;
            Ok::<Sight, ReportError>(Sight {
                findings: report.as_ref().map(findings).unwrap_or_default(),
                snapshot,
            })
        };
        let mended = remedy.mend(&findings(report), pipeline, &failure.execution_id, deadline, look).await;
        let left = |finding: &&Finding| {
            mended.left.iter().any(|left| left.rule == finding.rule && left.location == finding.location)
        };
        let mended = match stands_in_the_way(report).find(left) {
            Some(finding) if mended.outcome == Outcome::Reapplied => {
                let step = format!("Not retried, because it would fail again: {}.", finding.message);
                mended.step(step)
            }
            _ => remedy.retry(failure, mended, deadline).await,
        };
        report.remediation.done(mended.steps, mended.outcome);
    }
}

/// What the action failed for, confirmed or likely.
fn stands_in_the_way(report: &Report) -> impl Iterator<Item = &Finding> {
    let ranked = report.findings.iter().filter(|ranked| ranked.confidence != Confidence::Possible);
    ranked.map(|ranked| &ranked.finding).filter(|finding| finding.severity == Severity::Error)
}

fn findings(report: &Report) -> Vec<Finding> {
    report.findings.iter().map(|ranked| ranked.finding.clone()).collect()
}
