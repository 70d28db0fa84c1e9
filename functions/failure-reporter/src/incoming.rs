//! Finds out which actions failed, from each kind of event; each failure is reported on its own.
//!
//! An event only says where to look: what failed is what `ListActionExecutions` says. An event of which that says
//! nothing is neither claimed nor reported, so a made-up one can't stand in the way of a real one.

use std::time::Duration;

use crosspipe_core::incident::Failure;
use crosspipe_core::incident::event::{self, FailedExecution, Incoming};
use serde_json::Value;

use crate::alerts::Invocation;
use crate::failed_action::{ReportError, Reporter};

/// An event can come before `ListActionExecutions` lists its action execution. What is not listed after these pauses is
/// for the next attempt at the event.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

impl Reporter<'_> {
    /// Handles one event. Of several failures in it, one that can't be reported stops no other.
    pub(crate) async fn handle(&self, event: &Value, invocation: Invocation<'_>) -> Result<(), ReportError> {
        let mut outcome = Ok(());
        for incoming in event::read(event) {
            let handled = match incoming {
                Ok(Incoming::Failed(execution)) => self.report_failures(&execution, invocation).await,
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

    /// Reports the failed actions that an event is about.
    async fn report_failures(
        &self,
        execution: &FailedExecution,
        invocation: Invocation<'_>,
    ) -> Result<(), ReportError> {
        let (account, region) = execution.place();
        // Whoever may put events here could name any pipeline.
        if !invocation.is_own_place((account, region)) {
            tracing::warn!(account, region, "passed over an event of another account or Region");
            return Ok(());
        }
        let mut outcome = Ok(());
        for failure in self.find_failures(execution).await? {
            if let Err(error) = self.report(failure, invocation).await {
                outcome = prefer_retryable(outcome, error);
            }
        }
        outcome
    }

    /// The failed actions that an event is about, by what CodePipeline says of the execution, or the stages that failed
    /// by a condition. None where an approval was not given: that needs no report.
    async fn find_failures(&self, execution: &FailedExecution) -> Result<Vec<Failure>, ReportError> {
        let (pipeline, id) = (execution.pipeline(), execution.execution_id());
        let codepipeline = self.aws.codepipeline();
        let mut pauses = PAUSES.iter();
        loop {
            let details = codepipeline.list_action_executions(pipeline, id).await?;
            if let Some(status) = execution.contradiction(&details) {
                return Err(ReportError::NotFailed(status));
            }
            if execution.is_listed(&details) {
                let failures = execution.failures(&details);
                tracing::info!(execution_id = id, failures = failures.len(), "read which actions failed");
                return Ok(failures);
            }
            let Some(pause) = pauses.next() else { break };
            tokio::time::sleep(*pause).await;
        }
        if execution.is_of_action() {
            return Err(ReportError::NotListed);
        }
        let rules = codepipeline.list_rule_executions(pipeline, id).await?;
        let failures = execution.failures_of_conditions(&rules);
        if failures.is_empty() {
            return Err(ReportError::NotListed);
        }
        tracing::info!(
            execution_id = id,
            failures = failures.len(),
            "read which stages failed by a condition"
        );
        Ok(failures)
    }
}

/// Of two errors the one that another attempt may resolve, so that there is another attempt.
fn prefer_retryable(so_far: Result<(), ReportError>, error: ReportError) -> Result<(), ReportError> {
    match so_far {
        Err(so_far) if !so_far.is_final() => Err(so_far),
        _ => Err(error),
    }
}
