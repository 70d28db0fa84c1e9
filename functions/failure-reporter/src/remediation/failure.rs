//! A failed action: mended where that was what it failed for, and retried.

use std::time::{Duration, SystemTime};

use crosspipe_aws::{AwsError, ErrorKind};
use crosspipe_core::diagnosis::{Confidence, Outcome, Report};
use crosspipe_core::incident::Failure;
use crosspipe_core::pipeline::Pipeline;
use crosspipe_core::remediation::targets;
use crosspipe_core::rules::{Finding, Severity};

use super::{Mended, RecheckResult, Remedy, findings, left};

/// IAM and KMS take some seconds until a change is in force everywhere.
const SPREADS: Duration = Duration::from_secs(10);
/// Between two attempts at a pipeline that is busy.
const BUSY: Duration = Duration::from_secs(3);

impl Remedy<'_> {
    /// Has mended what is ours, retries the action once nothing stands in its way, and says so in the report.
    pub async fn see_to<E: std::fmt::Display>(
        &self,
        failure: &Failure,
        pipeline: &Pipeline,
        report: &mut Report,
        deadline: SystemTime,
        look: impl AsyncFnOnce() -> Result<RecheckResult, E>,
    ) {
        let execution = &failure.execution_id;
        if failed_for(report).next().is_none() {
            // What another failure of this execution had put back is not missing any more.
            if let Some(attempted) = self.recall(execution).await {
                report.remedied(attempted.steps, attempted.outcome);
            }
            return;
        }
        // Faults that have nothing to do with this failure are no occasion to change anything.
        if !failed_for(report).any(|finding| !targets(finding, pipeline).is_empty()) {
            return;
        }
        let mended = self.mend(&findings(report), pipeline, execution, deadline, look).await;
        let is_left = |finding: &&Finding| {
            mended.left.iter().any(|left| left.rule == finding.rule && left.location == finding.location)
        };
        let mended = match failed_for(report).find(is_left) {
            Some(finding) if mended.outcome == Outcome::Reapplied => {
                let step = format!("Not retried, because it would fail again: {}.", finding.message);
                mended.step(step)
            }
            _ => self.retry(failure, mended, deadline).await,
        };
        report.remedied(mended.steps, mended.outcome);
    }

    /// Retries the failed actions of a stage once, if everything is mended that they failed for.
    async fn retry(&self, failure: &Failure, mended: Mended, deadline: SystemTime) -> Mended {
        if mended.outcome != Outcome::Reapplied {
            return mended;
        }
        tokio::time::sleep(SPREADS.min(left(deadline) / 2)).await;
        match self.retried(failure, deadline).await {
            Ok(()) => {
                let step = format!(
                    "Retried the failed actions of stage `{}`; execution {} goes on.",
                    failure.stage, failure.execution_id
                );
                Mended { outcome: Outcome::Retried, ..mended.step(step) }
            }
            Err(error) => {
                let why = match (error.code.as_deref(), mended.patched) {
                    (Some("StageNotRetryableException"), true) => {
                        "the pipeline's structure has changed, so the failed execution can't go on".to_owned()
                    }
                    _ => error.to_string(),
                };
                let step = format!(
                    "Not retried: {why}. Start a new execution: aws codepipeline start-pipeline-execution --name {}",
                    failure.pipeline
                );
                Mended { outcome: Outcome::RetryRefused, ..mended.step(step) }
            }
        }
    }

    /// Patient with a pipeline that is busy, as it is while other actions of the stage end.
    async fn retried(&self, failure: &Failure, deadline: SystemTime) -> Result<(), AwsError> {
        let codepipeline = self.aws.codepipeline();
        loop {
            let (pipeline, stage) = (&failure.pipeline, &failure.stage);
            match codepipeline.retry_failed_actions(pipeline, stage, &failure.execution_id).await {
                Err(error) if error.kind == ErrorKind::Conflict && left(deadline) > BUSY => {
                    tokio::time::sleep(BUSY).await;
                }
                answer => return answer,
            }
        }
    }
}

/// What the action failed for, confirmed or likely.
fn failed_for(report: &Report) -> impl Iterator<Item = &Finding> {
    let ranked = report.findings.iter().filter(|ranked| ranked.confidence != Confidence::Possible);
    ranked.map(|ranked| &ranked.finding).filter(|finding| finding.severity == Severity::Error)
}
