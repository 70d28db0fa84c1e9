//! What the event and the execution's details say about a failed action.
//!
//! See <https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html>.

use std::collections::BTreeMap;

use serde_json::Value;

use super::conditions::FailedCondition;
use crate::arn::{self, Arn};
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
    /// The action's log stream, for the providers that CodePipeline logs for.
    pub log_stream_arn: Option<String>,
    /// What has become of a later attempt at the same action in the same execution, `Succeeded`.
    pub retried: Option<String>,
    /// The action's configuration with its variables filled in; empty where that is not known.
    pub configuration: BTreeMap<String, String>,
    /// When the action began: epoch seconds as CodePipeline sends them, ISO 8601 as the AWS CLI prints them.
    pub started: Option<Value>,
}

impl Failure {
    /// Reads an action-level event, EventBridge's or a notification rule's.
    ///
    /// # Errors
    /// When the event is of another kind or state, or lacks what identifies the action.
    pub fn from_event(event: &Value) -> Result<Self, EventError> {
        let kind = super::event::kind(event).unwrap_or_default();
        if kind != "CodePipeline Action Execution State Change" {
            return Err(EventError::OtherKind(kind.to_owned()));
        }
        let state = text(event, "/detail/state").unwrap_or_default();
        if state != "FAILED" {
            return Err(EventError::NotFailed(state));
        }
        let origin = Origin::of(event)?;
        let result = |name: &str| text(event, &format!("/detail/execution-result/{name}"));
        Ok(Failure {
            action_execution_id: needed(event, "/detail/action-execution-id")?,
            stage: needed(event, "/detail/stage")?,
            action: needed(event, "/detail/action")?,
            provider: text(event, "/detail/type/provider").unwrap_or_default(),
            region: text(event, "/detail/region").unwrap_or_else(|| origin.region.clone()),
            error_code: result("error-code"),
            external_execution_id: result("external-execution-id"),
            external_execution_summary: result("external-execution-summary")
                .or_else(|| text(event, "/additionalAttributes/additionalInformation")),
            external_execution_url: result("external-execution-url"),
            ..origin.failure()
        })
    }

    /// The failures among `ListActionExecutions` details of a pipeline, the last one first.
    pub fn among(details: &[Value], pipeline: &Pipeline) -> Vec<Self> {
        let failed = details.iter().filter(|detail| text(detail, "/status").as_deref() == Some("Failed"));
        let failure = |detail: &Value| {
            let origin = Origin {
                pipeline: pipeline.name().to_owned(),
                execution_id: text(detail, "/pipelineExecutionId").unwrap_or_default(),
                account: pipeline.account().unwrap_or_default().to_owned(),
                region: pipeline.region().unwrap_or_default().to_owned(),
            };
            origin.listed(detail).map(|failure| failure.with_details(details))
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

    /// The ARN of the pipeline.
    pub fn pipeline_arn(&self) -> String {
        let partition = match self.pipeline_region.as_str() {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        arn::build(partition, "codepipeline", &self.pipeline_region, &self.account, &self.pipeline)
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

/// Where something failed: what events of actions, stages and pipelines have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) pipeline: String,
    pub(super) execution_id: String,
    account: String,
    region: String,
}

impl Origin {
    /// Reads an event. Account and Region are the pipeline's; an event that was passed on may have others.
    pub(super) fn of(event: &Value) -> Result<Self, EventError> {
        let arn = text(event, "/resources/0").and_then(|arn| Arn::parse(&arn).ok());
        let of_arn = |part: fn(&Arn) -> &str, pointer: &str| match &arn {
            Some(arn) if !part(arn).is_empty() => Ok(part(arn).to_owned()),
            _ => needed(event, pointer),
        };
        Ok(Origin {
            pipeline: needed(event, "/detail/pipeline")?,
            execution_id: needed(event, "/detail/execution-id")?,
            account: of_arn(Arn::account, "/account")?,
            region: of_arn(Arn::region, "/region")?,
        })
    }

    /// The failure that one entry of `ListActionExecutions` tells of; none if it does not say which action.
    pub(super) fn listed(&self, detail: &Value) -> Option<Failure> {
        Some(Failure {
            action_execution_id: text(detail, "/actionExecutionId")?,
            stage: text(detail, "/stageName")?,
            action: text(detail, "/actionName")?,
            provider: text(detail, "/input/actionTypeId/provider").unwrap_or_default(),
            region: text(detail, "/input/region").unwrap_or_else(|| self.region.clone()),
            ..self.failure()
        })
    }

    /// A stage that failed by a condition: the rule stands where an action's name stands otherwise.
    pub(super) fn of_condition(&self, condition: FailedCondition) -> Failure {
        Failure {
            action_execution_id: condition.id,
            stage: condition.stage,
            action: condition.rule,
            provider: condition.provider.unwrap_or_else(|| "a rule".to_owned()),
            region: self.region.clone(),
            error_code: condition.code,
            error_message: condition.message,
            ..self.failure()
        }
    }

    /// Account and Region.
    pub(super) fn place(&self) -> (&str, &str) {
        (&self.account, &self.region)
    }

    fn failure(&self) -> Failure {
        Failure {
            pipeline: self.pipeline.clone(),
            account: self.account.clone(),
            pipeline_region: self.region.clone(),
            execution_id: self.execution_id.clone(),
            ..Failure::default()
        }
    }
}

fn needed(event: &Value, pointer: &str) -> Result<String, EventError> {
    text(event, pointer).ok_or_else(|| EventError::Missing(pointer.to_owned()))
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
pub(super) fn text(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Why an event can't be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Another kind of event.
    #[error("detail-type `{0}` is not `CodePipeline Action Execution State Change`")]
    OtherKind(String),
    /// An action that did not fail.
    #[error("state `{0}` is not `FAILED`")]
    NotFailed(String),
    /// A field that says what failed, by its JSON pointer, is missing or no text.
    #[error(
        "the event has no `{0}`, so it does not say what failed: send it as CodePipeline or a notification rule does"
    )]
    Missing(String),
    /// A message, by its JSON pointer, is no JSON.
    #[error("`{0}` is not JSON: send it as a notification rule does")]
    NotJson(String),
}

impl EventError {
    /// The same of an event that is inside another one, at this JSON pointer.
    pub(super) fn under(self, pointer: &str) -> Self {
        match self {
            EventError::Missing(inner) => EventError::Missing(format!("{pointer}{inner}")),
            EventError::NotJson(inner) => EventError::NotJson(format!("{pointer}{inner}")),
            other => other,
        }
    }

    /// Where in the event it is, as a JSON pointer.
    pub fn pointer(&self) -> &str {
        match self {
            EventError::OtherKind(_) => "/detail-type",
            EventError::NotFailed(_) => "/detail/state",
            EventError::Missing(pointer) | EventError::NotJson(pointer) => pointer,
        }
    }
}
