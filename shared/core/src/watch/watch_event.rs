//! What starts a check of pipelines: an API call that CloudTrail recorded, or a schedule.
//!
//! CloudTrail's records reach EventBridge as
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html>; their fields are
//! those of <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::continuation::Continuation;
use super::resource::{Resource, changed_resource};
use crate::evaluation::date;

/// An event that starts a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum WatchEvent {
    /// Something was changed that pipelines may depend on.
    Change(Resource, Trigger),
    /// The schedule: every pipeline is checked.
    Schedule(Trigger),
}

/// What started a check, as alerts say it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// The API call, `PutBucketPolicy`, or `Scheduled Event`.
    pub event: String,
    /// What was changed: a name or an ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// When, as CloudTrail puts it (ISO 8601, UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The ARN of who called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The AWS service that called on the actor's behalf, `cloudformation.amazonaws.com`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
}

impl Trigger {
    /// When, in seconds since 1970.
    pub fn epoch_seconds(&self) -> Option<u64> {
        let nanoseconds = date::parse(self.time.as_deref()?)?;
        u64::try_from(nanoseconds / 1_000_000_000).ok()
    }
}

/// Why an event starts no check.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WatchEventError {
    /// Another kind of event.
    #[error("detail-type `{0}` is neither `AWS API Call via CloudTrail` nor `Scheduled Event`")]
    OtherKind(String),
    /// A call that changes nothing that pipelines depend on.
    #[error("`{0}` is not one of the calls that are watched")]
    OtherCall(String),
    /// A call that failed changed nothing.
    #[error("the call failed with `{0}`, so nothing changed")]
    Failed(String),
    /// The record does not say what was changed.
    #[error("the record of `{call}` does not say what was changed: it has no `{field}`")]
    Missing {
        /// The call.
        call: String,
        /// Where it should be.
        field: &'static str,
    },
}

impl WatchEvent {
    /// Whether the event's `detail-type` is one that starts a check or continues one, whatever its content.
    pub fn is_watch_event(event: &Value) -> bool {
        if Continuation::is_continuation(event) {
            return true;
        }
        matches!(
            event.get("detail-type").and_then(Value::as_str),
            Some("AWS API Call via CloudTrail" | "Scheduled Event")
        )
    }

    /// Reads an event.
    ///
    /// # Errors
    /// When it starts no check, or doesn't say what was changed.
    pub fn from_event(event: &Value) -> Result<Self, WatchEventError> {
        let detail_type = text_at(event, "/detail-type").unwrap_or_default();
        match detail_type.as_str() {
            "Scheduled Event" => {
                let time = text_at(event, "/time");
                Ok(WatchEvent::Schedule(Trigger { event: detail_type, time, ..Trigger::default() }))
            }
            "AWS API Call via CloudTrail" => read_change(event),
            _ => Err(WatchEventError::OtherKind(detail_type)),
        }
    }

    /// What started the check.
    pub fn trigger(&self) -> &Trigger {
        match self {
            WatchEvent::Change(_, trigger) | WatchEvent::Schedule(trigger) => trigger,
        }
    }
}

fn read_change(event: &Value) -> Result<WatchEvent, WatchEventError> {
    let detail = event.get("detail").unwrap_or(&Value::Null);
    if let Some(code) = text_at(detail, "/errorCode") {
        return Err(WatchEventError::Failed(code));
    }
    // The record's own account: events can be forwarded from other accounts.
    let account = text_at(detail, "/recipientAccountId").or_else(|| text_at(event, "/account"));
    let resource = changed_resource(detail, account.as_deref().unwrap_or_default())?;
    let trigger = Trigger {
        event: text_at(detail, "/eventName").unwrap_or_default(),
        resource: Some(resource.to_string()),
        time: text_at(detail, "/eventTime").or_else(|| text_at(event, "/time")),
        actor: text_at(detail, "/userIdentity/arn").or_else(|| text_at(detail, "/userIdentity/principalId")),
        via: text_at(detail, "/userIdentity/invokedBy"),
    };
    Ok(WatchEvent::Change(resource, trigger))
}

/// A text that is there and not empty.
pub(super) fn text_at(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}
