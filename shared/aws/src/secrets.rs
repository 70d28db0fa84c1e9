//! Secrets: what must not be in a template or an environment.

use aws_sdk_secretsmanager::Client;

use crate::error::AwsError;

const SERVICE: &str = "secretsmanager";
const OPERATION: &str = "GetSecretValue";

/// The secrets of one account and Region.
#[derive(Debug, Clone)]
pub struct Secrets {
    client: Client,
}

impl Secrets {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// The current text of a secret, by its ARN or name. Not to be logged.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none; also if it holds bytes and no text.
    /// See <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>.
    pub async fn text(&self, id: &str) -> Result<String, AwsError> {
        let answer = self.client.get_secret_value().secret_id(id).send().await;
        let answer = answer.map_err(AwsError::from_sdk(SERVICE, OPERATION))?;
        answer
            .secret_string
            .ok_or_else(|| AwsError::unexpected(SERVICE, OPERATION, "the secret holds no text"))
    }
}
