//! Functions that are asked something and answer.

use std::time::Duration;

use aws_sdk_lambda::primitives::Blob;
use serde_json::Value;

use crate::{connect::Aws, error::AwsError};

const SERVICE: &str = "lambda";
const OPERATION: &str = "Invoke";

impl Aws {
    /// Invokes a function of this account and Region by name, waits for its answer for at most `wait`, and tries
    /// only once.
    ///
    /// # Errors
    /// If Lambda refuses, the answer does not come in time, or the function failed (with what it said).
    /// See <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>.
    pub async fn invoke(&self, function: &str, payload: &Value, wait: Duration) -> Result<Value, AwsError> {
        let request = self.lambda_waiting(wait).invoke().function_name(function);
        let payload = Blob::new(payload.to_string());
        let answer = request.payload(payload).send().await.map_err(AwsError::from_sdk(SERVICE, OPERATION))?;
        let body = answer.payload.map(Blob::into_inner).unwrap_or_default();
        let unexpected = |message: String| AwsError::unexpected(SERVICE, OPERATION, message);
        let value: Value = serde_json::from_slice(&body)
            .map_err(|error| unexpected(format!("the answer of `{function}` is not JSON: {error}")))?;
        match answer.function_error {
            None => Ok(value),
            // `{"errorType": "…", "errorMessage": "…"}`
            Some(kind) => {
                let said = value.get("errorMessage").and_then(Value::as_str).unwrap_or(&kind);
                Err(unexpected(format!("`{function}` failed: {said}")))
            }
        }
    }
}
