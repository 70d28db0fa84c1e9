//! Finds out which actions failed, from each kind of event; each failure is reported on its own.

use std::time::Duration;

use crosspipe_aws::AwsError;
use crosspipe_core::incident::event::{self, FailedExecution, Incoming};
use serde_json::Value;

use crate::alerts::Invocation;
use crate::failed_action::{ReportError, Reporter};

/// An event can come before `ListActionExecutions` lists its action execution. After these pauses the report is
/// made of what the event says.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

impl Reporter<'_> {
    /// Handles one event. Of several failures in it, one that can't be reported stops no other.
    pub(crate) async fn handle(&self, event: &Value, invocation: Invocation<'_>) -> Result<(), ReportError> {
        let mut outcome = Ok(());
        for incoming in event::read(event) {
            let place = match &incoming {
                Ok(Incoming::Action(failure)) => {
                    Some((failure.account.as_str(), failure.pipeline_region.as_str()))
                }
                Ok(Incoming::Execution(execution)) => Some(execution.place()),
                _ => None,
            };
            // Whoever may put events here could name any pipeline.
            if let Some((account, region)) = place.filter(|place| !invocation.is_own_place(*place)) {
                tracing::warn!(account, region, "passed over an event of another account or Region");
                continue;
            }
            let handled = match incoming {
                Ok(Incoming::Action(failure)) => self.report(*failure, None, invocation).await,
                Ok(Incoming::Execution(execution)) => {
                    self.report_failed_actions(&execution, invocation).await
                }
                Ok(Incoming::PassedOver(reason)) => {
                    tracing::info!(%reason, "passed over an event");
                    Ok(())
                }
                Err(error) => Err(error.into()),
            };
            if let Err(error) = handled {
                tracing::error!(%error, "an event could not be handled");
                outcome = prefer_retryable(outcome, error);
            }
        }
        outcome
    }

    /// Reports the failed actions of a failed stage or pipeline; each of them has an event of its own, too.
    async fn report_failed_actions(
        &self,
        execution: &FailedExecution,
        invocation: Invocation<'_>,
    ) -> Result<(), ReportError> {
        let (pipeline, id) = (execution.pipeline(), execution.execution_id());
        let details =
            self.list_action_executions(pipeline, id, |details| execution.is_listed(details)).await?;
        let failures = execution.failures(&details);
        tracing::info!(execution_id = id, failures = failures.len(), "read which actions failed");
        let mut outcome = Ok(());
        for failure in failures {
            if let Err(error) = self.report(failure, Some(&details), invocation).await {
                outcome = prefer_retryable(outcome, error);
            }
        }
        outcome
    }

    /// The action executions of a pipeline execution; asks again after a pause until they are `enough`.
    pub(crate) async fn list_action_executions(
        &self,
        pipeline: &str,
        execution_id: &str,
        enough: impl Fn(&[Value]) -> bool,
    ) -> Result<Vec<Value>, AwsError> {
        let codepipeline = self.aws.codepipeline();
        let mut pauses = PAUSES.iter();
        loop {
            let details = codepipeline.list_action_executions(pipeline, execution_id).await?;
            match pauses.next() {
                Some(pause) if !enough(&details) => tokio::time::sleep(*pause).await,
                _ => return Ok(details),
            }
        }
    }
}

/// Of two errors the one that another attempt may resolve, so that there is another attempt.
fn prefer_retryable(so_far: Result<(), ReportError>, error: ReportError) -> Result<(), ReportError> {
    match so_far {
        Err(so_far) if !so_far.is_final() => Err(so_far),
        _ => Err(error),
    }
}
