//! Topics: where people read alerts.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_sdk_sns::{Client, types::MessageAttributeValue};

use crate::backoff;
use crate::error::{AwsError, ErrorKind};

const SERVICE: &str = "sns";
/// How often a message is sent that SNS refuses for the moment.
const ATTEMPTS: usize = 5;
/// The pause after the first refusal, which grows up to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(4));

/// The topics of one account and Region.
#[derive(Debug, Clone)]
pub struct Sns {
    client: Client,
}

impl Sns {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Publishes to a standard topic and returns the message id.
    ///
    /// `subject`: up to 100 printable ASCII characters. `message`: up to 256 KiB. `attributes`: strings for
    /// subscribers' filter policies; none may be empty. Sent again only where SNS answered that it did not take it: whether
    /// a message without an answer was delivered nobody knows.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>.
    pub async fn publish(
        &self,
        topic_arn: &str,
        subject: &str,
        message: &str,
        attributes: &BTreeMap<String, String>,
    ) -> Result<String, AwsError> {
        let mut request = self.client.publish().topic_arn(topic_arn).subject(subject).message(message);
        for (name, value) in attributes {
            let value = MessageAttributeValue::builder().data_type("String").string_value(value).build();
            let value = value.map_err(|error| AwsError::unexpected(SERVICE, "Publish", error.to_string()))?;
            request = request.message_attributes(name, value);
        }
        let once = aws_sdk_sns::config::Builder::new().retry_config(RetryConfig::disabled());
        let mut pauses = backoff(PAUSES.0, PAUSES.1).take(ATTEMPTS - 1);
        let answer = loop {
            let sent = request.clone().customize().config_override(once.clone()).send().await;
            match sent.map_err(AwsError::from_sdk(SERVICE, "Publish")) {
                Ok(answer) => break answer,
                Err(error) => match pauses.next().filter(|_| was_refused(&error)) {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return Err(error),
                },
            }
        };
        answer
            .message_id
            .ok_or_else(|| AwsError::unexpected(SERVICE, "Publish", "the answer has no message id"))
    }
}

/// Whether SNS answered, and may take the message a moment later.
fn was_refused(error: &AwsError) -> bool {
    error.code.is_some() && matches!(error.kind, ErrorKind::Throttled | ErrorKind::Unavailable)
}
