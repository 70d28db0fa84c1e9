//! Events that no further attempt would make readable: kept once, with the reason, and counted.

use crosspipe_aws::{Aws, AwsError};
use serde_json::{Value, json};

use crate::metrics::{self, Metric};

/// Keeps an event in the dead-letter queue, in the shape in which Lambda keeps those that it gave up on, so
/// that one way of looking at the queue serves both.
/// See <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>.
pub async fn keep(
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
    tracing::error!(request_id, reason, "kept an event that can't be read");
    metrics::count(&[(Metric::UnreadableEvents, 1)], &json!({"requestId": request_id}));
    Ok(())
}
