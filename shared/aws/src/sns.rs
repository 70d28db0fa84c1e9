//! Topics: where people read alerts.

use std::collections::BTreeMap;

use aws_sdk_sns::{Client, types::MessageAttributeValue};

use crate::error::AwsError;

const SERVICE: &str = "sns";

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
    /// subscribers' filter policies; none may be empty. A retry after a lost answer can deliver twice.
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
        let answer = request.send().await.map_err(AwsError::from_sdk(SERVICE, "Publish"))?;
        answer
            .message_id
            .ok_or_else(|| AwsError::unexpected(SERVICE, "Publish", "the answer has no message id"))
    }
}
