//! A failed action: look, diagnose, tell.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crosspipe_aws::gather::{self, Gathered};
use crosspipe_aws::lease::Leases;
use crosspipe_aws::{Aws, AwsError};
use crosspipe_core::alerts::Alert;
use crosspipe_core::diagnosis::{Report, diagnose};
use crosspipe_core::incident::{EventError, Failure};
use crosspipe_core::pipeline::{Pipeline, PipelineError};
use crosspipe_core::snapshot::{Snapshot, SnapshotError};
use serde_json::Value;

use crate::alerts::{AlertError, Alerts, Invocation, Message};
use crate::metrics;
use crate::remediation::{RecheckResult, Remedy};
use crate::settings::{SameAccount, Settings};

/// What is left of an invocation for telling; of a short one a third.
const FOR_TELLING: Duration = Duration::from_secs(20);

/// Explains failed actions.
pub struct Reporter<'a> {
    pub(crate) aws: &'a Aws,
    leases: &'a Leases,
    alerts: Alerts<'a>,
    settings: &'a Settings,
}

/// What there is to say of a failure.
enum Explained {
    /// What made it fail.
    Report(Box<Report>),
    /// It was in the pipeline's own account: there is nothing across accounts to explain.
    Own(Box<Failure>),
}

/// Why a failed action could not be reported: the event is tried again, and kept in the dead-letter queue.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReportError {
    /// The event does not say what failed.
    #[error(transparent)]
    Event(#[from] EventError),
    /// An earlier attempt at this event is at it, or died over it.
    #[error("an earlier attempt at this event has not finished")]
    Busy,
    /// An AWS call that the report can't do without failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// Somebody could not be told.
    #[error(transparent)]
    Alert(#[from] AlertError),
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
    pub fn new(aws: &'a Aws, leases: &'a Leases, alerts: Alerts<'a>, settings: &'a Settings) -> Self {
        Reporter { aws, leases, alerts, settings }
    }

    /// Reports one failure. A receiver that has, or is just getting, its report of it gets no second one. `listed`
    /// is what `ListActionExecutions` says, if it was asked before.
    pub async fn report(
        &self,
        failure: Failure,
        listed: Option<&[Value]>,
        invocation: Invocation<'_>,
    ) -> Result<(), ReportError> {
        let audience = self.alerts.audience(&failure.action_execution_id, invocation).await?;
        let outcome = if audience.unfinished { Err(ReportError::Busy) } else { Ok(()) };
        if audience.is_empty() {
            tracing::info!(
                action_execution_id = failure.action_execution_id,
                "reported already, or about to be"
            );
            return outcome;
        }
        match self.explain(failure, listed, invocation.deadline).await {
            Ok(Explained::Report(report)) => {
                self.alerts.tell(audience, &Message::from(&*report)).await?;
                metrics::count_report(&report, invocation.happened);
            }
            Ok(Explained::Own(failure)) if self.settings.same_account_failures == SameAccount::Note => {
                self.alerts.tell(audience, &Message::from(Alert::own_action(&failure))).await?;
            }
            Ok(Explained::Own(_)) => self.alerts.nothing_to_tell(audience).await?,
            Err(error) => {
                audience.abandon().await;
                return Err(error);
            }
        }
        outcome
    }

    async fn explain(
        &self,
        failure: Failure,
        listed: Option<&[Value]>,
        deadline: SystemTime,
    ) -> Result<Explained, ReportError> {
        let codepipeline = self.aws.codepipeline();
        let executions = async {
            match listed {
                Some(listed) => Ok(listed.to_vec()),
                None => {
                    let enough = |details: &[Value]| failure.is_listed(details);
                    self.executions(&failure.pipeline, &failure.execution_id, enough).await
                }
            }
        };
        let (live, executions) = tokio::try_join!(codepipeline.get_pipeline(&failure.pipeline), executions)?;
        let failure = failure.with_details(&executions);
        let pipeline = Pipeline::parse(live.clone())?;
        let Some((mut report, _)) = self.look(&failure, live, &pipeline, deadline).await? else {
            tracing::info!(
                execution_id = failure.execution_id,
                "the failed action is in the pipeline's own account"
            );
            return Ok(Explained::Own(Box::new(failure)));
        };
        tracing::info!(
            execution_id = report.execution_id,
            action_execution_id = report.action_execution_id,
            rule = report.root_cause.as_ref().map(|cause| cause.rule),
            unknown = report.unknown.len(),
            "diagnosed"
        );
        if let Some(role) = &self.settings.console_role_name {
            report.add_switch_role(role);
        }
        if let Some(provider) = &self.settings.access_provider_name {
            let remedy = Remedy::new(self.aws, self.leases, provider);
            let look = async || self.look_again(&failure, deadline).await;
            let in_time = deadline.checked_sub(FOR_TELLING).unwrap_or(UNIX_EPOCH);
            remedy.see_to(&failure, &pipeline, &mut report, in_time, look).await;
        }
        Ok(Explained::Report(Box::new(report)))
    }

    /// None for an action in the pipeline's own account.
    async fn look(
        &self,
        failure: &Failure,
        live: Value,
        pipeline: &Pipeline,
        deadline: SystemTime,
    ) -> Result<Option<(Report, Snapshot)>, ReportError> {
        let lookout = self.settings.lookout(self.aws, latest_answer(SystemTime::now(), deadline));
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
    async fn look_again(
        &self,
        failure: &Failure,
        deadline: SystemTime,
    ) -> Result<RecheckResult, ReportError> {
        let live = self.aws.codepipeline().get_pipeline(&failure.pipeline).await?;
        let pipeline = Pipeline::parse(live.clone())?;
        let seen = self.look(failure, live, &pipeline, deadline).await?;
        Ok(seen.map(|(report, snapshot)| RecheckResult::new(&report, snapshot)).unwrap_or_default())
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
