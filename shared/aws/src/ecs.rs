//! Services of a cluster, the tasks they lost, and what those were made of.
//!
//! Answers are raw JSON, in the shape that the AWS CLI prints; times are epoch seconds.

use aws_sdk_ecs::{Client, types::DesiredStatus};
use serde_json::Value;

use crate::{error::AwsError, raw_json::CaptureBody};

const SERVICE: &str = "ecs";

/// The clusters of one account and Region.
#[derive(Debug, Clone)]
pub struct Ecs {
    client: Client,
}

impl Ecs {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// A service with its deployments and its last 100 events; `None` if the cluster has none of that name.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such cluster.
    /// See <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html>.
    pub async fn service(&self, cluster: &str, service: &str) -> Result<Option<Value>, AwsError> {
        const OPERATION: &str = "DescribeServices";
        let body = CaptureBody::default();
        let request = self.client.describe_services().cluster(cluster).services(service);
        let request = request.customize().interceptor(body.clone());
        request.send().await.map_err(AwsError::from_sdk(SERVICE, OPERATION))?;
        Ok(body.list(SERVICE, OPERATION, "services")?.into_iter().next())
    }

    /// Up to `count` (100 at most) tasks of a service that stopped. ECS remembers them for about an hour.
    /// Two calls.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTasks.html> and
    /// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html>.
    pub async fn stopped_tasks(
        &self,
        cluster: &str,
        service: &str,
        count: i32,
    ) -> Result<Vec<Value>, AwsError> {
        const OPERATION: &str = "DescribeTasks";
        let request = self.client.list_tasks().cluster(cluster).service_name(service);
        let request = request.desired_status(DesiredStatus::Stopped).max_results(count);
        let answer = request.send().await.map_err(AwsError::from_sdk(SERVICE, "ListTasks"))?;
        let Some(tasks) = answer.task_arns.filter(|tasks| !tasks.is_empty()) else { return Ok(vec![]) };
        let body = CaptureBody::default();
        let request = self.client.describe_tasks().cluster(cluster).set_tasks(Some(tasks));
        let request = request.customize().interceptor(body.clone());
        request.send().await.map_err(AwsError::from_sdk(SERVICE, OPERATION))?;
        body.list(SERVICE, OPERATION, "tasks")
    }

    /// `taskDefinition`, by ARN or `family:revision`.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTaskDefinition.html>.
    pub async fn task_definition(&self, name: &str) -> Result<Value, AwsError> {
        const OPERATION: &str = "DescribeTaskDefinition";
        let body = CaptureBody::default();
        let request = self.client.describe_task_definition().task_definition(name);
        let request = request.customize().interceptor(body.clone());
        request.send().await.map_err(AwsError::from_sdk(SERVICE, OPERATION))?;
        body.member(SERVICE, OPERATION, "taskDefinition")
    }
}
