//! What came in: any JSON value, read into what there is to do about it.
//!
//! CodePipeline's events come from EventBridge (`detail-type`) or from a notification rule (`detailType`, neither
//! `id` nor `version`), the latter wrapped in what SNS hands to a function. One failure comes as an event of its
//! action, of its stage and of its pipeline, in any order and more than once; only the first says which action.
//!
//! See <https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html> and
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html>.

use serde_json::Value;

use super::failure::{EventError, Failure, Origin, text};

/// What there is to do about an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// An action failed.
    Action(Box<Failure>),
    /// A stage, a pipeline, or an action without the id of its execution failed; which action execution did is for
    /// `ListActionExecutions` to say.
    Execution(FailedExecution),
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

/// An execution of a pipeline in which something failed: anything, a stage, or an action of a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedExecution {
    origin: Origin,
    stage: Option<String>,
    action: Option<String>,
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
    if level == "Action" {
        if is_approval(event, "/detail/type") {
            return Ok(Incoming::PassedOver(Reason::Rejected));
        }
        if text(event, "/detail/action-execution-id").is_some() {
            return Ok(Incoming::Action(Box::new(Failure::from_event(event)?)));
        }
        // Older events, and some of notification rules, do not have it.
        let part = |pointer: &str| {
            text(event, pointer).ok_or_else(|| EventError::Missing(pointer.to_owned())).map(Some)
        };
        let (stage, action) = (part("/detail/stage")?, part("/detail/action")?);
        return Ok(Incoming::Execution(FailedExecution { origin: Origin::of(event)?, stage, action }));
    }
    let origin = Origin::of(event)?;
    let stage = text(event, "/detail/stage");
    if level == "Stage" && stage.is_none() {
        return Err(EventError::Missing("/detail/stage".to_owned()));
    }
    Ok(Incoming::Execution(FailedExecution { origin, stage, action: None }))
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

    /// The actions that failed in it, by what `ListActionExecutions` says of the execution. Approvals that were
    /// not given are none. Each has the id that its own event has.
    pub fn failures(&self, details: &[Value]) -> Vec<Failure> {
        let failed = details.iter().filter(|detail| self.is_of(detail));
        let failed = failed.filter(|detail| !is_approval(detail, "/input/actionTypeId"));
        let failures = failed.filter_map(|detail| self.origin.listed(detail));
        failures.map(|failure| failure.with_details(details)).collect()
    }

    /// Whether `ListActionExecutions` knows yet of anything that failed here; it lags behind the events.
    pub fn is_listed(&self, details: &[Value]) -> bool {
        details.iter().any(|detail| self.is_of(detail))
    }

    /// Whether this is an action of it that failed.
    fn is_of(&self, detail: &Value) -> bool {
        text(detail, "/status").as_deref() == Some("Failed")
            && (self.stage.is_none() || text(detail, "/stageName") == self.stage)
            && (self.action.is_none() || text(detail, "/actionName") == self.action)
    }
}

#[cfg(test)]
mod tests;
