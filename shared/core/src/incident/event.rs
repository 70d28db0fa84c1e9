//! What came in: any JSON value, read into what there is to do about it.
//!
//! CodePipeline's events come from EventBridge (`detail-type`) or from a notification rule (`detailType`, neither
//! `id` nor `version`), the latter wrapped in what SNS hands to a function. One failure comes as an event of its
//! action, of its stage and of its pipeline, in any order and more than once.
//!
//! An event is a hint: it says where to look. Whoever may put events or invoke the function can make one up, so what
//! failed, and why, is taken from `ListActionExecutions` alone.
//!
//! See <https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html> and
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html>.

use std::collections::BTreeSet;

use serde_json::Value;

use super::conditions::{FailedCondition, failed_conditions};
use super::failure::{EventError, Failure, Origin, text};

/// What there is to do about an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// Something is said to have failed.
    Failed(FailedExecution),
    /// Nothing is to be done.
    PassedOver(Reason),
}

/// Why nothing is to be done about an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// It tells of another state.
    NotFailed(String),
    /// Somebody rejected an approval, or let it run out: that is an answer, not a fault.
    Rejected,
    /// It is of another kind.
    OtherKind(String),
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Reason::NotFailed(state) => write!(f, "state `{state}` is no failure"),
            Reason::Rejected => write!(f, "an approval that was not given is no fault"),
            Reason::OtherKind(kind) => write!(f, "`{kind}` is no event of CodePipeline"),
        }
    }
}

/// An execution of a pipeline in which an event says that something failed: anything, a stage, an action of a stage, or
/// one execution of that action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedExecution {
    origin: Origin,
    stage: Option<String>,
    action: Option<String>,
    action_execution_id: Option<String>,
}

/// The kind of an event, whether EventBridge's or a notification rule's.
pub fn kind(event: &Value) -> Option<&str> {
    let kind = |name| event.get(name).and_then(Value::as_str);
    kind("detail-type").or_else(|| kind("detailType"))
}

/// Reads an event. SNS can hand over several at once, so the answer is one for each, and one that can't be read
/// does not keep the others from being served.
pub fn read(event: &Value) -> Vec<Result<Incoming, EventError>> {
    let records = event.get("Records").and_then(Value::as_array);
    match records {
        Some(records) if !records.is_empty() => {
            let read = |(index, record)| message(index, record);
            records.iter().enumerate().map(read).collect()
        }
        _ => vec![one(event)],
    }
}

/// One record of an SNS event: its message is the event, as text.
fn message(index: usize, record: &Value) -> Result<Incoming, EventError> {
    let at = format!("/Records/{index}/Sns/Message");
    let message = record.pointer("/Sns/Message").and_then(Value::as_str);
    let message = message.ok_or_else(|| EventError::Missing(at.clone()))?;
    let event = serde_json::from_str(message).map_err(|_| EventError::NotJson(at.clone()))?;
    one(&event).map_err(|error| error.under(&at))
}

fn one(event: &Value) -> Result<Incoming, EventError> {
    let Some(kind) = kind(event) else { return Err(EventError::Missing("/detail-type".to_owned())) };
    let level =
        kind.strip_prefix("CodePipeline ").and_then(|rest| rest.strip_suffix(" Execution State Change"));
    let Some(level @ ("Action" | "Stage" | "Pipeline")) = level else {
        return Ok(Incoming::PassedOver(Reason::OtherKind(kind.to_owned())));
    };
    let state =
        text(event, "/detail/state").ok_or_else(|| EventError::Missing("/detail/state".to_owned()))?;
    if state != "FAILED" {
        return Ok(Incoming::PassedOver(Reason::NotFailed(state)));
    }
    if level == "Action" && is_approval(event, "/detail/type") {
        return Ok(Incoming::PassedOver(Reason::Rejected));
    }
    let needed_at = |needed: bool, pointer: &str| match text(event, pointer) {
        None if needed => Err(EventError::Missing(pointer.to_owned())),
        found => Ok(found.filter(|_| needed)),
    };
    Ok(Incoming::Failed(FailedExecution {
        origin: Origin::of(event)?,
        stage: needed_at(level != "Pipeline", "/detail/stage")?,
        action: needed_at(level == "Action", "/detail/action")?,
        // Older events, and some of notification rules, do not have it.
        action_execution_id: text(event, "/detail/action-execution-id").filter(|_| level == "Action"),
    }))
}

/// Whether this action type is an approval.
fn is_approval(value: &Value, pointer: &str) -> bool {
    value.pointer(pointer).and_then(|kind| kind.get("category")).and_then(Value::as_str) == Some("Approval")
}

impl FailedExecution {
    /// The pipeline's name.
    pub fn pipeline(&self) -> &str {
        &self.origin.pipeline
    }

    /// The pipeline's account and Region, by what the event says.
    pub fn place(&self) -> (&str, &str) {
        self.origin.place()
    }

    /// The pipeline execution's id.
    pub fn execution_id(&self) -> &str {
        &self.origin.execution_id
    }

    /// Whether the event is one of an action.
    pub fn is_of_action(&self) -> bool {
        self.action.is_some()
    }

    /// The actions that failed in it, by what `ListActionExecutions` says of the execution. Approvals that were
    /// not given are none.
    pub fn failures(&self, details: &[Value]) -> Vec<Failure> {
        let failed = details.iter().filter(|detail| self.has_failed(detail));
        let failed = failed.filter(|detail| !is_approval(detail, "/input/actionTypeId"));
        let failures = failed.filter_map(|detail| self.origin.listed(detail));
        failures.map(|failure| failure.with_details(details)).collect()
    }

    /// Whether `ListActionExecutions` knows of anything that failed here; it lags behind the events.
    pub fn is_listed(&self, details: &[Value]) -> bool {
        details.iter().any(|detail| self.has_failed(detail))
    }

    /// The rules of stages' conditions that failed here, by what `ListRuleExecutions` says of the execution: they fail a
    /// stage and its pipeline without an action. None for the event of an action.
    pub fn failed_conditions(&self, details: &[Value]) -> Vec<FailedCondition> {
        match self.action {
            None => failed_conditions(details, self.execution_id(), self.stage.as_deref()),
            Some(_) => vec![],
        }
    }

    /// The stages that failed by a condition, as failures of the first rule of each that was not met.
    pub fn failures_of_conditions(&self, details: &[Value]) -> Vec<Failure> {
        let mut conditions = self.failed_conditions(details);
        let mut stages = BTreeSet::new();
        conditions.retain(|condition| stages.insert(condition.stage.clone()));
        conditions.into_iter().map(|condition| self.origin.of_condition(condition)).collect()
    }

    /// How the action execution that the event names has really ended, where that is no failure: such an event is
    /// wrong, and stays so.
    pub fn contradiction(&self, details: &[Value]) -> Option<String> {
        let id = self.action_execution_id.as_deref()?;
        let mine = details.iter().find(|detail| text(detail, "/actionExecutionId").as_deref() == Some(id))?;
        text(mine, "/status").filter(|status| status != "InProgress" && status != "Failed")
    }

    /// Whether this is an action of it that failed.
    fn has_failed(&self, detail: &Value) -> bool {
        let fits = |given: &Option<String>, pointer: &str| given.is_none() || text(detail, pointer) == *given;
        text(detail, "/status").as_deref() == Some("Failed")
            && fits(&self.stage, "/stageName")
            && fits(&self.action, "/actionName")
            && fits(&self.action_execution_id, "/actionExecutionId")
    }
}

#[cfg(test)]
mod tests;
