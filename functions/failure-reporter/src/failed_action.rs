//! A failed action: look, diagnose, tell.

use crosspipe_aws::gather::{self, Lookout};
use crosspipe_aws::{Aws, AwsError};
use crosspipe_core::alert::Alert;
use crosspipe_core::diagnosis::{EventError, Failure, diagnose};
use crosspipe_core::pipeline::{Pipeline, PipelineError};
use crosspipe_core::snapshot::SnapshotError;

use crate::alerts::{AlertError, Alerts, Invocation, Message};
use crate::settings::{SameAccount, Settings};

/// Explains failed actions.
pub struct Reporter<'a> {
    pub(crate) aws: &'a Aws,
    alerts: Alerts<'a>,
    settings: &'a Settings,
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

impl<'a> Reporter<'a> {
    /// A reporter with these settings.
    pub fn new(aws: &'a Aws, alerts: Alerts<'a>, settings: &'a Settings) -> Self {
        Reporter { aws, alerts, settings }
    }

    /// Reports one failure. A receiver that has, or is just getting, its report of it gets no second one.
    pub async fn report(&self, failure: Failure, invocation: Invocation<'_>) -> Result<(), ReportError> {
        let audience = self.alerts.audience(&failure.action_execution_id, invocation).await?;
        let outcome = if audience.unfinished { Err(ReportError::Busy) } else { Ok(()) };
        if audience.is_empty() {
            tracing::info!(
                action_execution_id = failure.action_execution_id,
                "reported already, or about to be"
            );
            return outcome;
        }
        match self.explain(failure).await {
            Ok(Some(message)) => self.alerts.tell(audience, &message).await?,
            Ok(None) => self.alerts.nothing_to_tell(audience).await?,
            Err(error) => {
                audience.abandon().await;
                return Err(error);
            }
        }
        outcome
    }

    /// None for an action in the pipeline's own account, unless those are noted.
    async fn explain(&self, failure: Failure) -> Result<Option<Message>, ReportError> {
        let (live, executions) = tokio::try_join!(
            self.aws.codepipeline().get_pipeline(&failure.pipeline),
            self.executions(&failure.pipeline, &failure.execution_id, |details| failure.is_listed(details)),
        )?;
        let failure = failure.with_details(&executions);
        let pipeline = Pipeline::parse(live.clone())?;
        let lookout = Lookout {
            tools: self.aws,
            diagnostics_role: self.settings.diagnostics_role_name.as_deref(),
            session_name: "crosspipe-failure-reporter",
        };
        let only = Some((failure.stage.as_str(), failure.action.as_str()));
        let gathered = gather::snapshot(lookout, live, &pipeline, only).await;
        for why in &gathered.unreadable {
            tracing::warn!(execution_id = failure.execution_id, why, "a part of the snapshot is unknown");
        }
        let report = diagnose(&failure, &gathered.snapshot, self.settings.remediation.clone())?;
        let Some(mut report) = report else {
            tracing::info!(
                execution_id = failure.execution_id,
                "the failed action is in the pipeline's own account"
            );
            let note = || Message::from(Alert::own_action(&failure));
            return Ok((self.settings.same_account_failures == SameAccount::Note).then(note));
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
        Ok(Some(Message::from(&report)))
    }
}
