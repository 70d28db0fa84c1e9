//! A failed action: read, diagnose, remediate, notify.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crosspipe_aws::gather::{self, Gathered};
use crosspipe_aws::lease::Leases;
use crosspipe_aws::{Aws, AwsError};
use crosspipe_core::alerts::Alert;
use crosspipe_core::diagnosis::{Report, diagnose};
use crosspipe_core::field_error::FieldError;
use crosspipe_core::incident::{EventError, Failure};
use crosspipe_core::pipeline::Pipeline;
use crosspipe_core::snapshot::{Snapshot, SnapshotError};
use futures_util::future::join;
use serde_json::Value;

use crate::alerts::{AlertError, Alerts, Invocation, Message};
use crate::metrics;
use crate::remediation::{RecheckResult, Remediator};
use crate::settings::{SameAccount, Settings};

/// The time that alerts need at the end of an invocation; of a short one a third.
const TIME_TO_NOTIFY: Duration = Duration::from_secs(20);

/// Reports failed actions.
pub(crate) struct Reporter<'a> {
    pub(crate) aws: &'a Aws,
    leases: &'a Leases,
    alerts: Alerts<'a>,
    settings: &'a Settings,
}

/// What a failure turned out to be.
enum Diagnosis {
    /// A failure to report.
    Report(Box<Report>),
    /// A failure in the pipeline's own account that has nothing to do with the pipeline's artifacts.
    Own(Box<Failure>),
}

/// Why a failed action could not be reported: Lambda tries the event again, then keeps it in the dead-letter queue.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum ReportError {
    /// The event does not say what failed.
    #[error(transparent)]
    Event(#[from] EventError),
    /// CodePipeline does not know of the failure, or not yet.
    #[error(
        "CodePipeline lists nothing that failed where the event says so: ListActionExecutions of the pipeline execution shows what did"
    )]
    NotListed,
    /// CodePipeline says that the action ended otherwise.
    #[error(
        "the event says that the action failed, and ListActionExecutions that it is {0}: somebody made this event up"
    )]
    NotFailed(String),
    /// An earlier attempt at this event still runs, or died.
    #[error("an earlier attempt at this event has not finished")]
    Busy,
    /// A necessary AWS call failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// A destination could not be notified.
    #[error(transparent)]
    Alert(#[from] AlertError),
    /// The pipeline can't be read.
    #[error("the pipeline can't be read: {}", .0.with_help())]
    Pipeline(#[from] FieldError),
    /// The snapshot can't be read.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
}

impl ReportError {
    /// Whether another attempt at the same event would fail the same way.
    pub(crate) fn is_final(&self) -> bool {
        matches!(
            self,
            ReportError::Event(_)
                | ReportError::NotFailed(_)
                | ReportError::Pipeline(_)
                | ReportError::Snapshot(_)
        )
    }
}

impl<'a> Reporter<'a> {
    /// A reporter with these settings.
    pub(crate) fn new(aws: &'a Aws, leases: &'a Leases, alerts: Alerts<'a>, settings: &'a Settings) -> Self {
        Reporter { aws, leases, alerts, settings }
    }

    /// Reports one failure. A destination that has its report, or is just getting it, gets no second one.
    pub(crate) async fn report(
        &self,
        failure: Failure,
        invocation: Invocation<'_>,
    ) -> Result<(), ReportError> {
        let (codepipeline, id) = (self.aws.codepipeline(), &failure.action_execution_id);
        let claim = self.alerts.claim_deliveries(id, invocation);
        // Read beside the claim, so that the alert does not wait for one call after the other.
        let (deliveries, live) = join(claim, codepipeline.get_pipeline(&failure.pipeline)).await;
        let deliveries = deliveries?;
        let outcome = if deliveries.unfinished { Err(ReportError::Busy) } else { Ok(()) };
        if deliveries.is_empty() {
            tracing::info!(
                action_execution_id = failure.action_execution_id,
                "reported already, or about to be"
            );
            return outcome;
        }
        let diagnosed = match live {
            Ok(live) => self.diagnose_and_remediate(failure, live, invocation.deadline).await,
            Err(error) => Err(error.into()),
        };
        match diagnosed {
            Ok(Diagnosis::Report(report)) => {
                self.alerts.notify(deliveries, &Message::from(&*report)).await?;
                metrics::count_report(&report, invocation.happened);
            }
            Ok(Diagnosis::Own(failure)) if self.settings.same_account_failures == SameAccount::Note => {
                self.alerts.notify(deliveries, &Message::from(Alert::own_action(&failure))).await?;
            }
            Ok(Diagnosis::Own(_)) => self.alerts.finish_without_alert(deliveries).await?,
            Err(error) => {
                deliveries.abandon().await;
                return Err(error);
            }
        }
        outcome
    }

    async fn diagnose_and_remediate(
        &self,
        failure: Failure,
        live: Value,
        deadline: SystemTime,
    ) -> Result<Diagnosis, ReportError> {
        let pipeline = Pipeline::parse(live.clone())?;
        let (report, _) = self.read_and_diagnose(&failure, live, &pipeline, deadline).await?;
        let Some(mut report) = report else {
            tracing::info!(
                execution_id = failure.execution_id,
                "the failed action is in the pipeline's own account"
            );
            return Ok(Diagnosis::Own(Box::new(failure)));
        };
        tracing::info!(
            execution_id = report.execution_id,
            action_execution_id = report.action_execution_id,
            rule = report.root_cause.as_ref().map(|cause| cause.rule.as_str()),
            unknown = report.unknown.len(),
            "diagnosed"
        );
        if let Some(role) = &self.settings.console_role_name {
            report.add_switch_role(role);
        }
        if let Some(provider) = &self.settings.access_provider_name {
            let remediator = Remediator::new(self.aws, self.leases, provider);
            let recheck = async || self.recheck(&failure, deadline).await;
            let remediate_until = deadline.checked_sub(TIME_TO_NOTIFY).unwrap_or(UNIX_EPOCH);
            remediator.remediate_and_retry(&failure, &pipeline, &mut report, remediate_until, recheck).await;
        }
        Ok(Diagnosis::Report(Box::new(report)))
    }

    /// Gathers a snapshot and diagnoses the failure; no report of one that [`diagnose`] does not report.
    async fn read_and_diagnose(
        &self,
        failure: &Failure,
        live: Value,
        pipeline: &Pipeline,
        deadline: SystemTime,
    ) -> Result<(Option<Report>, Snapshot), ReportError> {
        let gather_options =
            self.settings.gather_options(self.aws, gather_until(SystemTime::now(), deadline));
        let only = Some((failure.stage.as_str(), failure.action.as_str()));
        let Gathered { mut snapshot, unreadable } =
            gather::gather_snapshot(gather_options, live, pipeline, only, std::slice::from_ref(failure))
                .await;
        for why in &unreadable {
            tracing::warn!(execution_id = failure.execution_id, why, "a part of the snapshot is unknown");
        }
        snapshot.unreadable = unreadable;
        let report = diagnose(failure, &snapshot, self.settings.remediation.clone())?;
        Ok((report, snapshot))
    }

    /// Reads and diagnoses again, after a remediation.
    async fn recheck(&self, failure: &Failure, deadline: SystemTime) -> Result<RecheckResult, ReportError> {
        let live = self.aws.codepipeline().get_pipeline(&failure.pipeline).await?;
        let pipeline = Pipeline::parse(live.clone())?;
        let (report, snapshot) = self.read_and_diagnose(failure, live, &pipeline, deadline).await?;
        Ok(RecheckResult::new(report.as_ref(), snapshot))
    }
}

/// Until when to wait for answers, so that the report goes out before the invocation ends.
fn gather_until(now: SystemTime, deadline: SystemTime) -> SystemTime {
    let left = deadline.duration_since(now).unwrap_or_default();
    now + (left - TIME_TO_NOTIFY.min(left / 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gathering_leaves_time_to_notify() {
        let now = SystemTime::UNIX_EPOCH;
        let latest = |seconds| {
            gather_until(now, now + Duration::from_secs(seconds)).duration_since(now).unwrap().as_secs()
        };
        assert_eq!((latest(120), latest(30), latest(0)), (100, 20, 0));
    }
}
