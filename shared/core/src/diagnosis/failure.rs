//! What the event and the execution's details say about a failed action.
//!
//! See <https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html>.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::arn::Arn;
use crate::pipeline::{Action, Pipeline};

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
    /// The action's configuration with its variables filled in; empty where that is not known.
    pub configuration: BTreeMap<String, String>,
    /// When the action began: epoch seconds as CodePipeline sends them, ISO 8601 as the AWS CLI prints them.
    pub started: Option<Value>,
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
            configuration: BTreeMap::new(),
            started: None,
        })
    }

    /// The failures among `ListActionExecutions` details of a pipeline, the last one first.
    pub fn among(details: &[Value], pipeline: &Pipeline) -> Vec<Self> {
        let failed = details.iter().filter(|detail| text(detail, "/status").as_deref() == Some("Failed"));
        let failure = |detail: &Value| {
            let region = pipeline.region().unwrap_or_default().to_owned();
            let failure = Failure {
                pipeline: pipeline.name().to_owned(),
                account: pipeline.account().unwrap_or_default().to_owned(),
                execution_id: text(detail, "/pipelineExecutionId").unwrap_or_default(),
                action_execution_id: text(detail, "/actionExecutionId")?,
                stage: text(detail, "/stageName")?,
                action: text(detail, "/actionName")?,
                provider: text(detail, "/input/actionTypeId/provider").unwrap_or_default(),
                region: text(detail, "/input/region").unwrap_or_else(|| region.clone()),
                pipeline_region: region,
                ..Failure::default()
            };
            Some(failure.with_details(std::slice::from_ref(detail)))
        };
        failed.filter_map(failure).collect()
    }

    /// Whether this is what failed.
    pub fn is_of(&self, action: &Action<'_>) -> bool {
        self.stage == action.stage().name() && self.action == action.name()
    }

    /// Adds what `ListActionExecutions` knows of this action execution.
    #[must_use]
    pub fn with_details(mut self, details: &[Value]) -> Self {
        let mine =
            |detail: &&Value| text(detail, "/actionExecutionId").as_ref() == Some(&self.action_execution_id);
        let Some(detail) = details.iter().find(mine) else { return self };
        let result = |name: &str| text(detail, &format!("/output/executionResult/{name}"));
        let fill = |field: &mut Option<String>, value: Option<String>| *field = value.or(field.take());
        fill(&mut self.error_code, result("errorDetails/code"));
        fill(&mut self.error_message, result("errorDetails/message"));
        fill(&mut self.external_execution_id, result("externalExecutionId"));
        fill(&mut self.external_execution_summary, result("externalExecutionSummary"));
        fill(&mut self.external_execution_url, result("externalExecutionUrl"));
        self.started = detail.get("startTime").cloned();
        let resolved = detail.pointer("/input/resolvedConfiguration").and_then(Value::as_object);
        self.configuration.extend(
            resolved
                .into_iter()
                .flatten()
                .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))),
        );
        self
    }

    /// A value of the configuration that an action runs with: as it was resolved for the execution that failed,
    /// else as the pipeline has it. None where it holds a variable whose value is not known.
    pub fn configuration<'a>(failure: Option<&'a Self>, action: &Action<'a>, key: &str) -> Option<&'a str> {
        let resolved = failure.and_then(|failure| failure.configuration.get(key)).map(String::as_str);
        let value = resolved.or_else(|| action.configuration(key));
        value.filter(|value| !value.is_empty() && !value.contains("#{"))
    }

    /// The id of the CodeDeploy deployment that failed, `d-…`: as such, or from the summary or the console page.
    pub fn deployment_id(&self) -> Option<&str> {
        let texts = [
            &self.external_execution_id,
            &self.external_execution_summary,
            &self.error_message,
            &self.external_execution_url,
        ];
        let words = texts.into_iter().flatten().flat_map(|text| {
            text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').filter(|word| word.len() > 2)
        });
        let is_id = |id: &str| id.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        words.into_iter().find(|word| word.strip_prefix("d-").is_some_and(is_id))
    }

    /// The best text there is on why it failed; empty when there is none.
    pub fn message(&self) -> &str {
        self.error_message.as_deref().or(self.external_execution_summary.as_deref()).unwrap_or_default()
    }
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
