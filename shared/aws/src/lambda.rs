//! Functions: their configuration.

use aws_sdk_lambda::Client;
use serde_json::Value;

use crate::{error::AwsError, raw_json::CaptureBody};

const SERVICE: &str = "lambda";

/// The functions of one account and Region.
#[derive(Debug, Clone)]
pub struct Lambda {
    client: Client,
}

impl Lambda {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// The configuration of a function, by name or ARN, as the AWS CLI prints it, environment included.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such function.
    /// See <https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html>.
    pub async fn configuration(&self, function: &str) -> Result<Value, AwsError> {
        const OPERATION: &str = "GetFunctionConfiguration";
        let body = CaptureBody::default();
        let request = self.client.get_function_configuration().function_name(function);
        let request = request.customize().interceptor(body.clone());
        request.send().await.map_err(AwsError::from_sdk(SERVICE, OPERATION))?;
        body.json(SERVICE, OPERATION)
    }
}
