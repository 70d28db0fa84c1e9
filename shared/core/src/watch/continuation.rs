//! The rest of a check that does not fit into one invocation.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::watch_event::WatchEvent;

/// The `source` of its event.
pub const SOURCE: &str = "crosspipe";
/// The `detail-type` of its event.
pub const DETAIL_TYPE: &str = "Crosspipe Check Continued";

/// Where a check of many pipelines goes on, as the detail of an event that the next invocation gets.
///
/// Pipelines are checked in the order of their names, so that one name says which are left, however many there are and
/// whatever was created or deleted meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Continuation {
    /// What started the check.
    pub event: WatchEvent,
    /// All pipelines up to this name are done with.
    pub after: String,
    /// But for these, whose check failed: they are checked again at the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
}

impl Continuation {
    /// Whether the event is one, whatever its content.
    pub fn is_continuation(event: &Value) -> bool {
        let is = |member: &str, value: &str| event.get(member).is_some_and(|it| it == value);
        is("detail-type", DETAIL_TYPE) && is("source", SOURCE)
    }

    /// Reads an event.
    ///
    /// # Errors
    /// When its detail is not what [`Self::to_detail`] makes.
    pub fn from_event(event: &Value) -> Result<Self, serde_json::Error> {
        Self::deserialize(event.get("detail").unwrap_or(&Value::Null))
    }

    /// The event's detail.
    pub fn to_detail(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}
