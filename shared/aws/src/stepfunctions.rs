//! Executions of state machines.
//!
//! Answers are raw JSON, in the shape that the AWS CLI prints; times are epoch seconds.

use aws_sdk_sfn::Client;
use serde_json::Value;

use crate::{error::AwsError, raw_json::CaptureBody};

const SERVICE: &str = "states";

/// The state machines of one account and Region.
#[derive(Debug, Clone)]
pub struct StepFunctions {
    client: Client,
}

impl StepFunctions {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// An execution with its status, error and cause, and also with its input and output.
    ///
    /// # Errors
    /// `ExecutionDoesNotExist` if there is none.
    /// See <https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html>.
    pub async fn execution(&self, arn: &str) -> Result<Value, AwsError> {
        const OPERATION: &str = "DescribeExecution";
        let body = CaptureBody::default();
        let request = self.client.describe_execution().execution_arn(arn);
        let request = request.customize().interceptor(body.clone());
        request.send().await.map_err(AwsError::from_sdk(SERVICE, OPERATION))?;
        body.json(SERVICE, OPERATION)
    }

    /// The last `count` events of an execution, the last one first, without what the states were given.
    ///
    /// # Errors
    /// As [`Self::execution`].
    /// See <https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html>.
    pub async fn last_events(&self, arn: &str, count: i32) -> Result<Vec<Value>, AwsError> {
        const OPERATION: &str = "GetExecutionHistory";
        let body = CaptureBody::default();
        let request = self.client.get_execution_history().execution_arn(arn).reverse_order(true);
        let request = request.max_results(count).include_execution_data(false);
        let request = request.customize().interceptor(body.clone());
        request.send().await.map_err(AwsError::from_sdk(SERVICE, OPERATION))?;
        body.list(SERVICE, OPERATION, "events")
    }
}
