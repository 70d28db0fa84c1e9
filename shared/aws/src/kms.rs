//! Keys: policy, tags, metadata and grants.

use std::collections::BTreeMap;

use aws_config::retry::RetryConfig;
use aws_sdk_kms::Client;
use serde_json::Value;

use crate::{error::AwsError, raw_json::CaptureBody};

const SERVICE: &str = "kms";
/// The only name a key policy can have.
const POLICY_NAME: &str = "default";

/// The keys of one Region. Keys are named by ARN throughout: an id means the caller's account, whichever
/// that is.
#[derive(Debug, Clone)]
pub struct Kms {
    client: Client,
}

impl Kms {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// The key policy as AWS prints it. Only in the key's own account.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html>.
    pub async fn key_policy(&self, key_arn: &str) -> Result<String, AwsError> {
        let request = self.client.get_key_policy().key_id(key_arn).policy_name(POLICY_NAME);
        let answer = request.send().await.map_err(AwsError::from_sdk(SERVICE, "GetKeyPolicy"))?;
        answer.policy.ok_or_else(|| AwsError::unexpected(SERVICE, "GetKeyPolicy", "the answer has no policy"))
    }

    /// Replaces the key policy. AWS's lockout safety check stays on: the caller must keep
    /// `kms:PutKeyPolicy`. One attempt: what is sent again later could undo what others did meanwhile.
    ///
    /// # Errors
    /// `MalformedPolicyDocumentException` also if *any* principal in the document no longer exists, or the
    /// caller would lock itself out. See
    /// <https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html>.
    pub async fn put_key_policy(&self, key_arn: &str, policy: &str) -> Result<(), AwsError> {
        let request = self.client.put_key_policy().key_id(key_arn).policy_name(POLICY_NAME).policy(policy);
        let once = aws_sdk_kms::config::Builder::new().retry_config(RetryConfig::disabled());
        let answer = request.customize().config_override(once).send().await;
        answer.map_err(AwsError::from_sdk(SERVICE, "PutKeyPolicy"))?;
        Ok(())
    }

    /// The key's tags; `aws:cloudformation:stack-name` among them tells that a stack owns it.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListResourceTags.html>.
    pub async fn tags(&self, key_arn: &str) -> Result<BTreeMap<String, String>, AwsError> {
        let mut tags = BTreeMap::new();
        let mut pages = self.client.list_resource_tags().key_id(key_arn).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(AwsError::from_sdk(SERVICE, "ListResourceTags"))?;
            tags.extend(page.tags.unwrap_or_default().into_iter().map(|tag| (tag.tag_key, tag.tag_value)));
        }
        Ok(tags)
    }

    /// Raw `KeyMetadata`.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for another account's key also if it exists but
    /// its policy does not let the caller know.
    /// See <https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html>.
    pub async fn describe_key(&self, key_arn: &str) -> Result<Value, AwsError> {
        let body = CaptureBody::default();
        let request = self.client.describe_key().key_id(key_arn).customize().interceptor(body.clone());
        request.send().await.map_err(AwsError::from_sdk(SERVICE, "DescribeKey"))?;
        body.member(SERVICE, "DescribeKey", "KeyMetadata")
    }

    /// The key's grants, raw.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListGrants.html>.
    pub async fn grants(&self, key_arn: &str) -> Result<Vec<Value>, AwsError> {
        let mut grants = Vec::new();
        let mut marker = None;
        loop {
            let body = CaptureBody::default();
            let request = self.client.list_grants().key_id(key_arn).set_marker(marker);
            let answer = request.customize().interceptor(body.clone()).send().await;
            let answer = answer.map_err(AwsError::from_sdk(SERVICE, "ListGrants"))?;
            if let Value::Array(page) = body.member(SERVICE, "ListGrants", "Grants")? {
                grants.extend(page);
            }
            marker = answer.next_marker.filter(|_| answer.truncated);
            if marker.is_none() {
                return Ok(grants);
            }
        }
    }
}
