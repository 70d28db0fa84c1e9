//! Events that no further attempt could process: sent to the dead-letter queue once, with the reason, and counted.

use crosspipe_aws::{Aws, AwsError};
use serde_json::{Value, json};

use crate::metrics::{self, Metric};

/// Sends an event to the dead-letter queue, in the shape of the events that Lambda gave up on, so that one reader
/// of the queue serves both.
/// See <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>.
pub(crate) async fn send_to_queue(
    aws: &Aws,
    queue_url: &str,
    event: &Value,
    request_id: &str,
    reason: &str,
) -> Result<(), AwsError> {
    let record = json!({
        "version": "1.0",
        "requestContext": {"requestId": request_id, "condition": "Unreadable"},
        "requestPayload": event,
        "responsePayload": {"errorMessage": reason},
    });
    aws.sqs().send(queue_url, &record.to_string()).await?;
    tracing::error!(request_id, reason, "sent an event that can't be processed to the dead-letter queue");
    metrics::write_counts(&[(Metric::UnreadableEvents, 1)], &json!({"requestId": request_id}));
    Ok(())
}
