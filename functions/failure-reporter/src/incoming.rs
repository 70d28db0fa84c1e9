//! What came in: which actions failed, each reported on its own.

use std::time::Duration;

use crosspipe_aws::AwsError;
use crosspipe_core::incident::event::{self, FailedExecution, Incoming};
use serde_json::Value;

use crate::alerts::Invocation;
use crate::failed_action::{ReportError, Reporter};

/// Events come before `ListActionExecutions` knows of what they tell. After that many looks, as far apart, the
/// report is made of what the event says.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

impl Reporter<'_> {
    /// Serves one event. What of it can't be served keeps nothing else from being served.
    pub async fn handle(&self, event: &Value, invocation: Invocation<'_>) -> Result<(), ReportError> {
        let mut outcome = Ok(());
        for incoming in event::read(event) {
            let served = match incoming {
                Ok(Incoming::Action(failure)) => self.report(*failure, None, invocation).await,
                Ok(Incoming::Execution(execution)) => self.look_up(&execution, invocation).await,
                Ok(Incoming::PassedOver(reason)) => {
                    tracing::info!(%reason, "passed over an event");
                    Ok(())
                }
                Err(error) => Err(error.into()),
            };
            if let Err(error) = served {
                tracing::error!(%error, "an event was not served");
                outcome = worth_trying_again(outcome, error);
            }
        }
        outcome
    }

    /// A stage or a pipeline failed: so did actions of it, each of which has an event of its own, too.
    async fn look_up(
        &self,
        execution: &FailedExecution,
        invocation: Invocation<'_>,
    ) -> Result<(), ReportError> {
        let (pipeline, id) = (execution.pipeline(), execution.execution_id());
        let details = self.executions(pipeline, id, |details| execution.is_listed(details)).await?;
        let failures = execution.failures(&details);
        tracing::info!(execution_id = id, failures = failures.len(), "looked up which actions failed");
        let mut outcome = Ok(());
        for failure in failures {
            if let Err(error) = self.report(failure, Some(&details), invocation).await {
                outcome = worth_trying_again(outcome, error);
            }
        }
        outcome
    }

    /// The actions of an execution; waits a little until they are `enough`.
    pub async fn executions(
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

/// Of two errors the one that another attempt may mend, so that there is one.
fn worth_trying_again(so_far: Result<(), ReportError>, error: ReportError) -> Result<(), ReportError> {
    match so_far {
        Err(so_far) if !so_far.is_final() => Err(so_far),
        _ => Err(error),
    }
}
