//! Buckets: policy, tags, Region, ownership and encryption.

use std::collections::BTreeMap;

use aws_config::retry::RetryConfig;
use aws_sdk_s3::Client;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde_json::{Value, json};

use crate::error::AwsError;

const SERVICE: &str = "s3";

/// The buckets of one Region.
///
/// Every call names the account that must own the bucket (`owner`): bucket names are global, and a name that
/// was given up can belong to somebody else today. Another owner's bucket answers
/// [`ErrorKind::AccessDenied`](crate::ErrorKind::AccessDenied). See
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html>.
#[derive(Debug, Clone)]
pub struct S3 {
    client: Client,
}

impl S3 {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// The bucket policy; `None` if the bucket has none.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html>.
    pub async fn bucket_policy(&self, bucket: &str, owner: &str) -> Result<Option<String>, AwsError> {
        let request = self.client.get_bucket_policy().bucket(bucket).expected_bucket_owner(owner);
        let answer = request.send().await.map_err(AwsError::from_sdk(SERVICE, "GetBucketPolicy"));
        Ok(unless_code("NoSuchBucketPolicy", answer)?.and_then(|answer| answer.policy))
    }

    /// Replaces the bucket policy. One attempt: what is sent again later could undo what others did meanwhile.
    ///
    /// # Errors
    /// `MalformedPolicy` also if *any* principal in the document no longer exists;
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) (`OperationAborted`) if the bucket's configuration is being changed right now.
    /// See <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html>.
    pub async fn put_bucket_policy(&self, bucket: &str, owner: &str, policy: &str) -> Result<(), AwsError> {
        let request = self.client.put_bucket_policy().bucket(bucket).expected_bucket_owner(owner);
        let once = aws_sdk_s3::config::Builder::new().retry_config(RetryConfig::disabled());
        let answer = request.policy(policy).customize().config_override(once).send().await;
        answer.map_err(AwsError::from_sdk(SERVICE, "PutBucketPolicy"))?;
        Ok(())
    }

    /// Removes the bucket policy; that there is none is no fault. One attempt, as to replace it.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketPolicy.html>.
    pub async fn delete_bucket_policy(&self, bucket: &str, owner: &str) -> Result<(), AwsError> {
        let request = self.client.delete_bucket_policy().bucket(bucket).expected_bucket_owner(owner);
        let once = aws_sdk_s3::config::Builder::new().retry_config(RetryConfig::disabled());
        let answer = request.customize().config_override(once).send().await;
        let answer = answer.map_err(AwsError::from_sdk(SERVICE, "DeleteBucketPolicy"));
        unless_code("NoSuchBucketPolicy", answer)?;
        Ok(())
    }

    /// The bucket's tags; `aws:cloudformation:stack-name` among them tells that a stack owns it.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketTagging.html>.
    pub async fn bucket_tags(&self, bucket: &str, owner: &str) -> Result<BTreeMap<String, String>, AwsError> {
        let request = self.client.get_bucket_tagging().bucket(bucket).expected_bucket_owner(owner);
        let answer = request.send().await.map_err(AwsError::from_sdk(SERVICE, "GetBucketTagging"));
        let tags = unless_code("NoSuchTagSet", answer)?.map(|answer| answer.tag_set).unwrap_or_default();
        Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
    }

    /// The Region the bucket is in, which need not be the client's. Asked for by `GetBucketLocation`, whose
    /// permission gives away nothing else; `HeadBucket` would need the one for listing objects. An endpoint of another
    /// Region may redirect instead, and names the Region in a header. The SDK does not follow, and need not: the calls
    /// to that Region name the owner.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html>.
    pub async fn bucket_region(&self, bucket: &str, owner: &str) -> Result<String, AwsError> {
        let request = self.client.get_bucket_location().bucket(bucket).expected_bucket_owner(owner);
        let answer = request.send().await;
        if let Some(region) = answer.as_ref().err().and_then(redirected_to) {
            return Ok(region);
        }
        let answer = answer.map_err(AwsError::from_sdk(SERVICE, "GetBucketLocation"))?;
        Ok(match answer.location_constraint.as_ref().map(|region| region.as_str()) {
            // The two Regions that are older than the names of Regions.
            None | Some("") => "us-east-1",
            Some("EU") => "eu-west-1",
            Some(region) => region,
        }
        .to_owned())
    }

    /// `BucketOwnerEnforced`, `BucketOwnerPreferred` or `ObjectWriter`; `None` if nothing is set, which means
    /// `ObjectWriter`.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketOwnershipControls.html>.
    pub async fn object_ownership(&self, bucket: &str, owner: &str) -> Result<Option<String>, AwsError> {
        let request = self.client.get_bucket_ownership_controls().bucket(bucket).expected_bucket_owner(owner);
        let answer = request.send().await.map_err(AwsError::from_sdk(SERVICE, "GetBucketOwnershipControls"));
        let controls = unless_code("OwnershipControlsNotFoundError", answer)?
            .and_then(|answer| answer.ownership_controls);
        let rule = controls.and_then(|controls| controls.rules.into_iter().next());
        Ok(rule.map(|rule| rule.object_ownership.as_str().to_owned()))
    }

    /// How new objects are encrypted: `{"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "…"}`, the latter only if
    /// a key is named; `None` if nothing is set.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html>.
    pub async fn default_encryption(&self, bucket: &str, owner: &str) -> Result<Option<Value>, AwsError> {
        let request = self.client.get_bucket_encryption().bucket(bucket).expected_bucket_owner(owner);
        let answer = request.send().await.map_err(AwsError::from_sdk(SERVICE, "GetBucketEncryption"));
        let configuration = unless_code("ServerSideEncryptionConfigurationNotFoundError", answer)?
            .and_then(|answer| answer.server_side_encryption_configuration);
        let default = configuration
            .and_then(|configuration| configuration.rules.into_iter().next())
            .and_then(|rule| rule.apply_server_side_encryption_by_default);
        Ok(default.map(|default| {
            let mut encryption = json!({ "SSEAlgorithm": default.sse_algorithm.as_str() });
            if let (Some(key), Some(fields)) = (default.kms_master_key_id, encryption.as_object_mut()) {
                fields.insert("KMSMasterKeyID".to_owned(), key.into());
            }
            encryption
        }))
    }
}

/// The Region that an answer of another Region's endpoint names: a redirect, or that the request is signed for the
/// wrong Region. See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html>.
fn redirected_to<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<String> {
    let response = error.raw_response()?;
    let elsewhere = response.status().as_u16() == 301 || error.code() == Some("AuthorizationHeaderMalformed");
    elsewhere.then(|| response.headers().get("x-amz-bucket-region").map(str::to_owned)).flatten()
}

/// S3 answers "not configured" with an error.
fn unless_code<T>(code: &str, answer: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    match answer {
        Err(error) if error.has_code(code) => Ok(None),
        answer => answer.map(Some),
    }
}
