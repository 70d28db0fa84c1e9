//! Pipelines: the structure, its tags, and what ran.
//!
//! Structures and executions are raw JSON: a field that this release does not know survives. Times are epoch
//! seconds, as CodePipeline sends them (the AWS CLI prints them as ISO 8601).

use std::collections::BTreeMap;

use aws_config::retry::RetryConfig;
use aws_sdk_codepipeline::{
    Client,
    types::{ActionExecutionFilter, RuleExecutionFilter, StageRetryMode},
};
use serde_json::{Value, json};

use crate::{
    error::AwsError,
    raw_json::{CaptureBody, ReplaceBody},
};

const SERVICE: &str = "codepipeline";

/// The pipelines of one account and Region.
#[derive(Debug, Clone)]
pub struct CodePipeline {
    client: Client,
}

impl CodePipeline {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// `{"pipeline": {…}, "metadata": {…}}` with every field AWS sent.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such pipeline.
    /// See <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_GetPipeline.html>.
    pub async fn get_pipeline(&self, name: &str) -> Result<Value, AwsError> {
        let body = CaptureBody::default();
        let request = self.client.get_pipeline().name(name).customize().interceptor(body.clone());
        request.send().await.map_err(AwsError::from_sdk(SERVICE, "GetPipeline"))?;
        body.json(SERVICE, "GetPipeline")
    }

    /// An earlier version of the pipeline, as [`Self::get_pipeline`] answers it.
    ///
    /// # Errors
    /// As there, and if there was no such version.
    pub async fn get_pipeline_version(&self, name: &str, version: u64) -> Result<Value, AwsError> {
        let body = CaptureBody::default();
        let request =
            self.client.get_pipeline().name(name).version(i32::try_from(version).unwrap_or(i32::MAX));
        let answer = request.customize().interceptor(body.clone()).send().await;
        answer.map_err(AwsError::from_sdk(SERVICE, "GetPipeline"))?;
        body.json(SERVICE, "GetPipeline")
    }

    /// Replaces a pipeline's structure and returns what AWS made of it, with its new version.
    ///
    /// `structure` is the *inner* object of [`Self::get_pipeline`]: metadata must not be sent. One attempt: what is sent
    /// again later could undo what others did meanwhile.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) with code `InvalidStructureException` and friends if
    /// AWS refuses the structure, which includes a service role that can't assume an action's role (yet).
    /// See <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_UpdatePipeline.html>.
    pub async fn update_pipeline(&self, structure: &Value) -> Result<Value, AwsError> {
        let body = CaptureBody::default();
        let once = aws_sdk_codepipeline::config::Builder::new().retry_config(RetryConfig::disabled());
        self.client
            .update_pipeline()
            .customize()
            .config_override(once)
            .interceptor(ReplaceBody::new(&json!({ "pipeline": structure })))
            .interceptor(body.clone())
            .send()
            .await
            .map_err(AwsError::from_sdk(SERVICE, "UpdatePipeline"))?;
        body.member(SERVICE, "UpdatePipeline", "pipeline")
    }

    /// Names of all pipelines.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ListPipelines.html>.
    pub async fn list_pipelines(&self) -> Result<Vec<String>, AwsError> {
        let mut names = Vec::new();
        let mut pages = self.client.list_pipelines().into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(AwsError::from_sdk(SERVICE, "ListPipelines"))?;
            names.extend(page.pipelines.unwrap_or_default().into_iter().filter_map(|summary| summary.name));
        }
        Ok(names)
    }

    /// The pipeline's tags.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ListTagsForResource.html>.
    pub async fn tags(&self, pipeline_arn: &str) -> Result<BTreeMap<String, String>, AwsError> {
        let mut tags = BTreeMap::new();
        let mut pages =
            self.client.list_tags_for_resource().resource_arn(pipeline_arn).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(AwsError::from_sdk(SERVICE, "ListTagsForResource"))?;
            tags.extend(page.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)));
        }
        Ok(tags)
    }

    /// Starts the pipeline and returns the execution's id. The same token again starts nothing new.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_StartPipelineExecution.html>.
    pub async fn start_execution(&self, name: &str, client_request_token: &str) -> Result<String, AwsError> {
        const OPERATION: &str = "StartPipelineExecution";
        let request = self.client.start_pipeline_execution().name(name);
        let answer = request.client_request_token(client_request_token).send().await;
        let answer = answer.map_err(AwsError::from_sdk(SERVICE, OPERATION))?;
        answer
            .pipeline_execution_id
            .ok_or_else(|| AwsError::unexpected(SERVICE, OPERATION, "the answer has no execution id"))
    }

    /// Runs the failed actions of a stage again; the execution goes on from there if they succeed.
    ///
    /// # Errors
    /// `StageNotRetryableException` if nothing in the stage failed, or the pipeline's structure has changed since;
    /// `NotLatestPipelineExecutionException` if the stage has failed in a later execution;
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) while the pipeline is busy.
    /// See <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_RetryStageExecution.html>.
    pub async fn retry_failed_actions(
        &self,
        name: &str,
        stage: &str,
        execution_id: &str,
    ) -> Result<(), AwsError> {
        let request = self.client.retry_stage_execution().pipeline_name(name).stage_name(stage);
        let request = request.pipeline_execution_id(execution_id).retry_mode(StageRetryMode::FailedActions);
        request.send().await.map(drop).map_err(AwsError::from_sdk(SERVICE, "RetryStageExecution"))
    }

    /// What each action of one execution did, newest first: raw `actionExecutionDetails`.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ListActionExecutions.html>.
    pub async fn list_action_executions(
        &self,
        name: &str,
        execution_id: &str,
    ) -> Result<Vec<Value>, AwsError> {
        const OPERATION: &str = "ListActionExecutions";
        let filter = ActionExecutionFilter::builder().pipeline_execution_id(execution_id).build();
        let request = self.client.list_action_executions().pipeline_name(name).filter(filter);
        read_all_pages(OPERATION, "actionExecutionDetails", |token, body| {
            let page = request.clone().set_next_token(token).customize().interceptor(body).send();
            async { Ok(page.await.map_err(AwsError::from_sdk(SERVICE, OPERATION))?.next_token) }
        })
        .await
    }

    /// What each rule of the stages' conditions came to in one execution, newest first: raw `ruleExecutionDetails`.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ListRuleExecutions.html>.
    pub async fn list_rule_executions(&self, name: &str, execution_id: &str) -> Result<Vec<Value>, AwsError> {
        const OPERATION: &str = "ListRuleExecutions";
        let filter = RuleExecutionFilter::builder().pipeline_execution_id(execution_id).build();
        let request = self.client.list_rule_executions().pipeline_name(name).filter(filter);
        read_all_pages(OPERATION, "ruleExecutionDetails", |token, body| {
            let page = request.clone().set_next_token(token).customize().interceptor(body).send();
            async { Ok(page.await.map_err(AwsError::from_sdk(SERVICE, OPERATION))?.next_token) }
        })
        .await
    }
}

/// The items of the raw member `list` of every page. `send_page` asks for the page of a token, has its body
/// captured, and returns the token of the next.
async fn read_all_pages<Page>(
    operation: &'static str,
    list: &str,
    send_page: impl Fn(Option<String>, CaptureBody) -> Page,
) -> Result<Vec<Value>, AwsError>
where
    Page: Future<Output = Result<Option<String>, AwsError>>,
{
    let (mut items, mut token) = (vec![], None);
    loop {
        let body = CaptureBody::default();
        token = send_page(token, body.clone()).await?;
        items.extend(body.list(SERVICE, operation, list)?);
        if token.is_none() {
            return Ok(items);
        }
    }
}
