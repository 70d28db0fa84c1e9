//! Queues: where events are kept that could not be reported.

use aws_sdk_sqs::Client;

use crate::error::AwsError;

/// The queues of one account and Region.
#[derive(Debug, Clone)]
pub struct Sqs {
    client: Client,
}

impl Sqs {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Sends a message of up to 1 MiB. A retry after a lost answer can send it twice.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>.
    pub async fn send(&self, queue_url: &str, body: &str) -> Result<(), AwsError> {
        let request = self.client.send_message().queue_url(queue_url).message_body(body);
        request.send().await.map_err(AwsError::from_sdk("sqs", "SendMessage"))?;
        Ok(())
    }
}
