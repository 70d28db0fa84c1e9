//! Builds and their projects.
//!
//! Answers are raw JSON, in the shape that the AWS CLI prints; times are epoch seconds.

use aws_config::retry::RetryConfig;
use aws_sdk_codebuild::Client;
use serde_json::Value;

use crate::{error::AwsError, raw_json::CaptureBody};

const SERVICE: &str = "codebuild";

/// The builds of one account and Region.
#[derive(Debug, Clone)]
pub struct CodeBuild {
    client: Client,
}

impl CodeBuild {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// A project; `None` if there is none of that name.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BatchGetProjects.html>.
    pub async fn project(&self, name: &str) -> Result<Option<Value>, AwsError> {
        const OPERATION: &str = "BatchGetProjects";
        let body = CaptureBody::default();
        let request = self.client.batch_get_projects().names(name).customize().interceptor(body.clone());
        request.send().await.map_err(AwsError::from_sdk(SERVICE, OPERATION))?;
        Ok(body.list(SERVICE, OPERATION, "projects")?.into_iter().next())
    }

    /// Sets the key that a project encrypts its output under: an ARN of a key or an alias. Nothing else of the project
    /// is sent, so the rest stays. One attempt.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none of that name.
    /// See <https://docs.aws.amazon.com/codebuild/latest/APIReference/API_UpdateProject.html>.
    pub async fn set_encryption_key(&self, name: &str, key_arn: &str) -> Result<(), AwsError> {
        let request = self.client.update_project().name(name).encryption_key(key_arn).customize();
        let once = aws_sdk_codebuild::config::Builder::new().retry_config(RetryConfig::disabled());
        let answer = request.config_override(once).send().await;
        answer.map(drop).map_err(AwsError::from_sdk(SERVICE, "UpdateProject"))
    }

    /// A build, by its id (`project:…`); `None` if there is none.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BatchGetBuilds.html>.
    pub async fn build(&self, id: &str) -> Result<Option<Value>, AwsError> {
        const OPERATION: &str = "BatchGetBuilds";
        let body = CaptureBody::default();
        let request = self.client.batch_get_builds().ids(id).customize().interceptor(body.clone());
        request.send().await.map_err(AwsError::from_sdk(SERVICE, OPERATION))?;
        Ok(body.list(SERVICE, OPERATION, "builds")?.into_iter().next())
    }
}
