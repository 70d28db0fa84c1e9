//! A failed action: look, diagnose, tell.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crosspipe_aws::claim::Claimed;
use crosspipe_aws::gather::{self, Gathered, Lookout};
use crosspipe_aws::lease::Leases;
use crosspipe_aws::{Aws, AwsError};
use crosspipe_core::diagnosis::{EventError, Failure, Report, diagnose};
use crosspipe_core::pipeline::{Pipeline, PipelineError};
use crosspipe_core::snapshot::{Snapshot, SnapshotError};
use serde_json::Value;

use crate::alerts;
use crate::metrics;
use crate::remedy::{Remedy, Sight};
use crate::settings::Settings;

/// For how long a failure that was reported is not reported again. EventBridge delivers for up to a day.
const REMEMBERED: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// What is left of an invocation for telling; of a short one a third.
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

impl ReportError {
    /// Whether another attempt at the same event would fail the same way.
    pub fn is_final(&self) -> bool {
        matches!(self, ReportError::Event(_) | ReportError::Pipeline(_) | ReportError::Snapshot(_))
    }
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
        if let (Ok(Some(report)), Ok(())) = (&report, &outcome) {
            metrics::count_report(report, event.get("time").and_then(Value::as_str));
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
        let Some((mut report, _)) = self.look(&failure, live, &pipeline, deadline).await? else {
            tracing::info!(
                execution_id = failure.execution_id,
                "the failed action is in the pipeline's own account"
            );
            return Ok(None);
        };
        tracing::info!(
            execution_id = report.execution_id,
            action_execution_id = report.action_execution_id,
            rule = report.root_cause.as_ref().map(|cause| cause.rule),
            unknown = report.unknown.len(),
            "diagnosed"
        );
        if let Some(provider) = &self.settings.access_provider_name {
            let remedy = Remedy::new(self.aws, self.leases, provider);
            let look = async || self.look_again(&failure, deadline).await;
            let in_time = deadline.checked_sub(FOR_TELLING).unwrap_or(UNIX_EPOCH);
            remedy.see_to(&failure, &pipeline, &mut report, in_time, look).await;
        }
        Ok(Some(report))
    }

    /// None for an action in the pipeline's own account.
    async fn look(
        &self,
        failure: &Failure,
        live: Value,
        pipeline: &Pipeline,
        deadline: SystemTime,
    ) -> Result<Option<(Report, Snapshot)>, ReportError> {
        let lookout = Lookout {
            tools: self.aws,
            diagnostics_role: self.settings.diagnostics_role_name.as_deref(),
            session_name: "crosspipe-failure-reporter",
            until: Some(latest_answer(SystemTime::now(), deadline)),
        };
        let only = Some((failure.stage.as_str(), failure.action.as_str()));
        let Gathered { mut snapshot, unreadable } =
            gather::snapshot(lookout, live, pipeline, only, std::slice::from_ref(failure)).await;
        for why in &unreadable {
            tracing::warn!(execution_id = failure.execution_id, why, "a part of the snapshot is unknown");
        }
        snapshot.unreadable = unreadable;
        let report = diagnose(failure, &snapshot, self.settings.remediation.clone())?;
        Ok(report.map(|report| (report, snapshot)))
    }

    /// The same once something was changed.
    async fn look_again(&self, failure: &Failure, deadline: SystemTime) -> Result<Sight, ReportError> {
        let live = self.aws.codepipeline().get_pipeline(&failure.pipeline).await?;
        let pipeline = Pipeline::parse(live.clone())?;
        let seen = self.look(failure, live, &pipeline, deadline).await?;
        Ok(seen.map(|(report, snapshot)| Sight::new(&report, snapshot)).unwrap_or_default())
    }
}

/// When to go on with what is known, so that the report goes out before the invocation ends.
fn latest_answer(now: SystemTime, deadline: SystemTime) -> SystemTime {
    let left = deadline.duration_since(now).unwrap_or_default();
    now + (left - FOR_TELLING.min(left / 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_goes_out_before_the_invocation_ends() {
        let now = SystemTime::UNIX_EPOCH;
        let latest = |seconds| {
            latest_answer(now, now + Duration::from_secs(seconds)).duration_since(now).unwrap().as_secs()
        };
        assert_eq!((latest(120), latest(30), latest(0)), (100, 20, 0));
    }
}
