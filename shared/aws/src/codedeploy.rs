//! Deployments: what CodeDeploy says of them and of their targets.
//!
//! Answers are raw JSON, in the shape that the AWS CLI prints; times are epoch seconds.

use aws_sdk_codedeploy::{Client, types::TargetFilterName};
use serde_json::Value;

use crate::{error::AwsError, raw_json::CaptureBody};

const SERVICE: &str = "codedeploy";
/// `BatchGetDeploymentTargets` takes this many ids.
const BATCH: usize = 25;

/// The deployments of one account and Region.
#[derive(Debug, Clone)]
pub struct CodeDeploy {
    client: Client,
}

impl CodeDeploy {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// `deploymentInfo`: status, `errorInformation`, `deploymentOverview`, `computePlatform`.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such deployment.
    /// See <https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_GetDeployment.html>.
    pub async fn deployment(&self, id: &str) -> Result<Value, AwsError> {
        const OPERATION: &str = "GetDeployment";
        let body = CaptureBody::default();
        let request = self.client.get_deployment().deployment_id(id).customize().interceptor(body.clone());
        request.send().await.map_err(AwsError::from_sdk(SERVICE, OPERATION))?;
        body.member(SERVICE, OPERATION, "deploymentInfo")
    }

    /// `deploymentGroupInfo`: `computePlatform` and what the group deploys to.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such application or group.
    /// See <https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_GetDeploymentGroup.html>.
    pub async fn deployment_group(&self, application: &str, group: &str) -> Result<Value, AwsError> {
        const OPERATION: &str = "GetDeploymentGroup";
        let body = CaptureBody::default();
        let request = self.client.get_deployment_group().application_name(application);
        let request = request.deployment_group_name(group).customize().interceptor(body.clone());
        request.send().await.map_err(AwsError::from_sdk(SERVICE, OPERATION))?;
        body.member(SERVICE, OPERATION, "deploymentGroupInfo")
    }

    /// Ids of a deployment's targets, those in one status (`Failed`) or all: the first page, up to 100.
    ///
    /// # Errors
    /// `DeploymentNotStartedException` before there are any.
    /// See <https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ListDeploymentTargets.html>.
    pub async fn target_ids(&self, deployment: &str, status: Option<&str>) -> Result<Vec<String>, AwsError> {
        let mut request = self.client.list_deployment_targets().deployment_id(deployment);
        if let Some(status) = status {
            request = request.target_filters(TargetFilterName::TargetStatus, vec![status.to_owned()]);
        }
        let answer = request.send().await.map_err(AwsError::from_sdk(SERVICE, "ListDeploymentTargets"))?;
        Ok(answer.target_ids.unwrap_or_default())
    }

    /// `deploymentTargets` of the first 25 of these ids, with lifecycle events and the end of each script's
    /// log. No ids, no call.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_BatchGetDeploymentTargets.html>.
    pub async fn targets(&self, deployment: &str, ids: &[String]) -> Result<Vec<Value>, AwsError> {
        const OPERATION: &str = "BatchGetDeploymentTargets";
        if ids.is_empty() {
            return Ok(vec![]);
        }
        let body = CaptureBody::default();
        let request = self.client.batch_get_deployment_targets().deployment_id(deployment);
        let ids = ids.iter().take(BATCH).cloned().collect();
        let request = request.set_target_ids(Some(ids)).customize().interceptor(body.clone());
        request.send().await.map_err(AwsError::from_sdk(SERVICE, OPERATION))?;
        body.list(SERVICE, OPERATION, "deploymentTargets")
    }
}
