//! Remediates what an action failed for, and retries the action.

use std::time::{Duration, SystemTime};

use crosspipe_aws::{AwsError, ErrorKind};
use crosspipe_core::diagnosis::{Confidence, Outcome, Report};
use crosspipe_core::incident::Failure;
use crosspipe_core::pipeline::Pipeline;
use crosspipe_core::remediation::targets;
use crosspipe_core::rules::{Finding, Severity};

use super::{RecheckResult, RemediationResult, Remediator, all_findings, time_left};

/// The time until a change of IAM or KMS is in force everywhere.
const PROPAGATION: Duration = Duration::from_secs(10);
/// The pause between two attempts at a pipeline that is busy.
const BUSY_PAUSE: Duration = Duration::from_secs(3);

impl Remediator<'_> {
    /// Remediates what Crosspipe owns, retries the action once nothing stands in its way, and records both in the
    /// report.
    pub(crate) async fn remediate_and_retry<E: std::fmt::Display>(
        &self,
        failure: &Failure,
        pipeline: &Pipeline,
        report: &mut Report,
        deadline: SystemTime,
        recheck: impl AsyncFnOnce() -> Result<RecheckResult, E>,
    ) {
        let execution = &failure.execution_id;
        if explaining_findings(report).next().is_none() {
            // Another failure of this execution may have had it put back already.
            if let Some(attempted) = self.previous_result(execution).await {
                report.record_remediation(attempted.steps, attempted.outcome);
            }
            return;
        }
        // Findings that have nothing to do with this failure are no reason to change anything.
        if !explaining_findings(report).any(|finding| !targets(finding, pipeline).is_empty()) {
            return;
        }
        let result = self.remediate(&all_findings(report), pipeline, execution, deadline, recheck).await;
        let is_left = |finding: &&Finding| {
            result.left.iter().any(|left| left.rule == finding.rule && left.location == finding.location)
        };
        let result = match explaining_findings(report).find(is_left) {
            Some(finding) if result.outcome == Outcome::Reapplied => {
                let step = format!("Not retried, because it would fail again: {}.", finding.message);
                result.step(step)
            }
            _ => self.retry_failed_actions(failure, result, deadline).await,
        };
        report.record_remediation(result.steps, result.outcome);
    }

    /// Retries the failed actions of a stage once, if everything that they failed for was put back.
    async fn retry_failed_actions(
        &self,
        failure: &Failure,
        result: RemediationResult,
        deadline: SystemTime,
    ) -> RemediationResult {
        if result.outcome != Outcome::Reapplied {
            return result;
        }
        tokio::time::sleep(PROPAGATION.min(time_left(deadline) / 2)).await;
        match self.retry_while_busy(failure, deadline).await {
            Ok(()) => {
                let step = format!(
                    "Retried the failed actions of stage `{}`; execution {} goes on.",
                    failure.stage, failure.execution_id
                );
                RemediationResult { outcome: Outcome::Retried, ..result.step(step) }
            }
            Err(error) => {
                let why = match (error.code.as_deref(), result.pipeline_changed) {
                    (Some("StageNotRetryableException"), true) => {
                        "the pipeline's structure has changed, so the failed execution can't go on".to_owned()
                    }
                    _ => error.to_string(),
                };
                let step = format!(
                    "Not retried: {why}. Start a new execution: aws codepipeline start-pipeline-execution --name {}",
                    failure.pipeline
                );
                RemediationResult { outcome: Outcome::RetryRefused, ..result.step(step) }
            }
        }
    }

    /// `RetryStageExecution`, repeated while other actions of the stage still run.
    async fn retry_while_busy(&self, failure: &Failure, deadline: SystemTime) -> Result<(), AwsError> {
        let codepipeline = self.aws.codepipeline();
        loop {
            let (pipeline, stage) = (&failure.pipeline, &failure.stage);
            match codepipeline.retry_failed_actions(pipeline, stage, &failure.execution_id).await {
                Err(error) if error.kind == ErrorKind::Conflict && time_left(deadline) > BUSY_PAUSE => {
                    tokio::time::sleep(BUSY_PAUSE).await;
                }
                answer => return answer,
            }
        }
    }
}

/// The findings at error level that explain the failure with some confidence.
fn explaining_findings(report: &Report) -> impl Iterator<Item = &Finding> {
    let ranked = report.findings.iter().filter(|ranked| ranked.confidence != Confidence::Possible);
    ranked.map(|ranked| &ranked.finding).filter(|finding| finding.severity == Severity::Error)
}
