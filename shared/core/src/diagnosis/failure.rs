//! What the event and the execution's details say about a failed action.
//!
//! See <https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html>.

use serde_json::Value;

use crate::arn::Arn;

/// A failed action execution.
///
/// The event names neither the action's role nor the cause; both come from `ListActionExecutions`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Failure {
    /// The pipeline's name.
    pub pipeline: String,
    /// The pipeline's account.
    pub account: String,
    /// The pipeline's Region.
    pub pipeline_region: String,
    /// The pipeline execution's id.
    pub execution_id: String,
    /// The action execution's id: one failure, one id.
    pub action_execution_id: String,
    /// The stage's name.
    pub stage: String,
    /// The action's name.
    pub action: String,
    /// The action's provider, `CodeDeploy`.
    pub provider: String,
    /// The action's Region.
    pub region: String,
    /// `PermissionError`, `JobFailed`, …
    pub error_code: Option<String>,
    /// The message of `errorDetails`.
    pub error_message: Option<String>,
    /// The provider's own id of what failed, such as a deployment id.
    pub external_execution_id: Option<String>,
    /// The provider's one-line summary.
    pub external_execution_summary: Option<String>,
    /// A console page of the provider.
    pub external_execution_url: Option<String>,
    /// The action's log stream, for the providers that CodePipeline logs for.
    pub log_stream_arn: Option<String>,
    /// What has become of a later attempt at the same action in the same execution, `Succeeded`.
    pub retried: Option<String>,
}

impl Failure {
    /// Reads an action-level event.
    ///
    /// # Errors
    /// When the event is of another kind or state, or lacks what identifies the action.
    pub fn from_event(event: &Value) -> Result<Self, EventError> {
        let detail_type = text(event, "/detail-type").unwrap_or_default();
        if detail_type != "CodePipeline Action Execution State Change" {
            return Err(EventError::OtherKind(detail_type));
        }
        let state = text(event, "/detail/state").unwrap_or_default();
        if state != "FAILED" {
            return Err(EventError::NotFailed(state));
        }
        let needed = |pointer: &'static str| text(event, pointer).ok_or(EventError::Missing(pointer));
        let pipeline_arn = text(event, "/resources/0").and_then(|arn| Arn::parse(&arn).ok());
        let of_arn = |part: fn(&Arn) -> &str| pipeline_arn.as_ref().map(|arn| part(arn).to_owned());
        let account = of_arn(Arn::account).or_else(|| text(event, "/account"));
        let pipeline_region = of_arn(Arn::region).or_else(|| text(event, "/region"));
        let pipeline_region = pipeline_region.ok_or(EventError::Missing("/region"))?;
        Ok(Failure {
            pipeline: needed("/detail/pipeline")?,
            account: account.ok_or(EventError::Missing("/account"))?,
            execution_id: needed("/detail/execution-id")?,
            action_execution_id: needed("/detail/action-execution-id")?,
            stage: needed("/detail/stage")?,
            action: needed("/detail/action")?,
            provider: text(event, "/detail/type/provider").unwrap_or_default(),
            region: text(event, "/detail/region").unwrap_or_else(|| pipeline_region.clone()),
            pipeline_region,
            error_code: text(event, "/detail/execution-result/error-code"),
            error_message: None,
            external_execution_id: text(event, "/detail/execution-result/external-execution-id"),
            external_execution_summary: text(event, "/detail/execution-result/external-execution-summary"),
            external_execution_url: text(event, "/detail/execution-result/external-execution-url"),
            log_stream_arn: text(event, "/detail/execution-result/log-stream-arn"),
            retried: None,
        })
    }

    /// Adds what `ListActionExecutions` knows of this action execution.
    #[must_use]
    pub fn with_details(mut self, details: &[Value]) -> Self {
        let mine =
            |detail: &Value| text(detail, "/actionExecutionId").as_ref() == Some(&self.action_execution_id);
        let Some(index) = details.iter().position(mine) else { return self };
        let Some(detail) = details.get(index) else { return self };
        let result = |name: &str| text(detail, &format!("/output/executionResult/{name}"));
        let fill = |field: &mut Option<String>, value: Option<String>| *field = value.or(field.take());
        fill(&mut self.error_code, result("errorDetails/code"));
        fill(&mut self.error_message, result("errorDetails/message"));
        fill(&mut self.external_execution_id, result("externalExecutionId"));
        fill(&mut self.external_execution_summary, result("externalExecutionSummary"));
        fill(&mut self.external_execution_url, result("externalExecutionUrl"));
        fill(&mut self.log_stream_arn, result("logStreamARN"));
        self.retried = later_attempt(details, index, detail);
        self
    }

    /// The ARN of the pipeline.
    pub fn pipeline_arn(&self) -> String {
        let partition = match self.pipeline_region.as_str() {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        format!("arn:{partition}:codepipeline:{}:{}:{}", self.pipeline_region, self.account, self.pipeline)
    }

    /// The best text there is on why it failed; empty when there is none.
    pub fn message(&self) -> &str {
        self.error_message.as_deref().or(self.external_execution_summary.as_deref()).unwrap_or_default()
    }
}

/// The status of the newest later attempt at the action of `details[index]`, if there was one.
fn later_attempt(details: &[Value], index: usize, mine: &Value) -> Option<String> {
    let same = |other: &Value, pointer| text(other, pointer) == text(mine, pointer);
    // `ListActionExecutions` has the newest first; a snapshot may have them in any order.
    let is_later = |(at, other): &(usize, &Value)| match (start(other), start(mine)) {
        (Some(other), Some(mine)) => other > mine,
        _ => *at < index,
    };
    let others = details
        .iter()
        .enumerate()
        .filter(|(at, other)| *at != index && same(other, "/stageName") && same(other, "/actionName"));
    let later = others.filter(is_later).map(|(_, other)| other);
    let newest = later.reduce(|best, other| if start(other) > start(best) { other } else { best })?;
    Some(text(newest, "/status").unwrap_or_else(|| "unknown".to_owned()))
}

/// When an attempt started: epoch seconds as the API has them, or ISO 8601 as the AWS CLI prints them. No list has
/// both.
fn start(detail: &Value) -> Option<(u64, &str)> {
    let start = detail.get("startTime")?;
    let number = start.as_f64().map(|seconds| ((seconds * 1_000.0) as u64, ""));
    number.or_else(|| start.as_str().map(|text| (0, text)))
}

/// A text that is there and not empty.
fn text(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Why an event is not a failed action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Another kind of event.
    #[error("detail-type `{0}` is not `CodePipeline Action Execution State Change`")]
    OtherKind(String),
    /// An action that did not fail.
    #[error("state `{0}` is not `FAILED`")]
    NotFailed(String),
    /// A field that identifies the action is missing.
    #[error("the event has no `{0}`")]
    Missing(&'static str),
}
