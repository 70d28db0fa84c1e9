//! Event buses: where programs read alerts.

use aws_sdk_eventbridge::{Client, types::PutEventsRequestEntry};
use serde_json::Value;

use crate::error::{AwsError, ErrorKind};

const SERVICE: &str = "events";
const OPERATION: &str = "PutEvents";

/// The event buses of one account and Region.
#[derive(Debug, Clone)]
pub struct EventBridge {
    client: Client,
}

impl EventBridge {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Puts one event on a bus (name or ARN) and returns its id. `source` can't start with `aws.`;
    /// the whole entry is limited to 256 KB. A retry after a lost answer can put it twice.
    ///
    /// # Errors
    /// Also if the call went through but the entry was refused, with the entry's own code.
    /// See <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>.
    pub async fn put_event(
        &self,
        bus: &str,
        source: &str,
        detail_type: &str,
        detail: &Value,
        resources: &[String],
    ) -> Result<String, AwsError> {
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(bus)
            .source(source)
            .detail_type(detail_type)
            .detail(detail.to_string())
            .set_resources(Some(resources.to_vec()))
            .build();
        let answer = self.client.put_events().entries(entry).send().await;
        let answer = answer.map_err(AwsError::from_sdk(SERVICE, OPERATION))?;
        let refused = answer.failed_entry_count > 0;
        match answer.entries.unwrap_or_default().into_iter().next() {
            Some(entry) if refused || entry.error_code.is_some() => Err(AwsError {
                service: SERVICE,
                operation: OPERATION,
                kind: ErrorKind::classify(entry.error_code.as_deref(), None),
                code: entry.error_code,
                message: entry.error_message.unwrap_or_default(),
                request_id: None,
            }),
            Some(entry) => entry
                .event_id
                .ok_or_else(|| AwsError::unexpected(SERVICE, OPERATION, "the answer has no event id")),
            None => Err(AwsError::unexpected(SERVICE, OPERATION, "the answer has no entry")),
        }
    }
}
