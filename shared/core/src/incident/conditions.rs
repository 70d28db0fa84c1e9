//! The conditions of a stage, and which of their rules failed.
//!
//! See <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_RuleExecutionDetail.html>.

use serde_json::Value;

use super::failure::text;

/// A rule of a stage's condition that failed, or could not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedCondition {
    /// The rule execution's id.
    pub id: String,
    /// The stage.
    pub stage: String,
    /// The rule's name.
    pub rule: String,
    /// The rule's provider, `CloudWatchAlarm`.
    pub provider: Option<String>,
    /// The role that it works as.
    pub role_arn: Option<String>,
    /// What is said of it.
    pub message: Option<String>,
    /// The code that is said with it.
    pub code: Option<String>,
}

/// The rules that failed in a pipeline execution, of `ListRuleExecutions` details; in a stage, where one is given.
pub fn failed_conditions(details: &[Value], execution: &str, stage: Option<&str>) -> Vec<FailedCondition> {
    let failed = |detail: &&Value| {
        let of = |member: &str| text(detail, member);
        of("/pipelineExecutionId").is_none_or(|id| execution.is_empty() || id == execution)
            && stage.is_none_or(|stage| of("/stageName").as_deref() == Some(stage))
            && of("/status").is_some_and(|status| status == "Failed")
    };
    let read = |detail: &Value| {
        let of = |member: &str| text(detail, member);
        let (stage, rule) = (of("/stageName")?, of("/ruleName")?);
        Some(FailedCondition {
            // What CodePipeline prints has it always; without, the rule tells one from another.
            id: of("/ruleExecutionId").unwrap_or_else(|| format!("{stage}/{rule}")),
            stage,
            rule,
            provider: of("/input/ruleTypeId/provider"),
            role_arn: of("/input/roleArn"),
            message: of("/output/executionResult/errorDetails/message")
                .or_else(|| of("/output/executionResult/externalExecutionSummary")),
            code: of("/output/executionResult/errorDetails/code"),
        })
    };
    details.iter().filter(failed).filter_map(read).collect()
}
