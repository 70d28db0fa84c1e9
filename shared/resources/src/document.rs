//! The policy documents among the targets.

use crosspipe_aws::kms::Kms;
use crosspipe_aws::s3::S3;
use crosspipe_aws::{Aws, AwsError};
use crosspipe_core::policy::PolicyDocument;

use crate::ResourceContext;

/// A policy document somewhere in AWS.
pub trait Document {
    /// The ARN of what the document belongs to.
    fn arn(&self) -> String;
    /// The document; None where there is none.
    fn read(&self) -> impl Future<Output = Result<Option<String>, AwsError>> + Send;
    /// Replaces it.
    fn put(&self, document: &PolicyDocument) -> impl Future<Output = Result<(), AwsError>> + Send;
    /// Removes it.
    fn delete(&self) -> impl Future<Output = Result<(), AwsError>> + Send;
}

/// The policy of a KMS key.
#[derive(Debug)]
pub struct KeyPolicy {
    kms: Kms,
    key_arn: String,
}

impl KeyPolicy {
    /// The policy of this key.
    pub fn new(aws: &Aws, key_arn: &str) -> Self {
        KeyPolicy { kms: aws.kms(), key_arn: key_arn.to_owned() }
    }
}

impl Document for KeyPolicy {
    fn arn(&self) -> String {
        self.key_arn.clone()
    }

    async fn read(&self) -> Result<Option<String>, AwsError> {
        self.kms.key_policy(&self.key_arn).await.map(Some)
    }

    async fn put(&self, document: &PolicyDocument) -> Result<(), AwsError> {
        self.kms.put_key_policy(&self.key_arn, &document.to_json()).await
    }

    async fn delete(&self) -> Result<(), AwsError> {
        // Never planned: a key policy without a statement is a lockout.
        Ok(())
    }
}

/// The policy of a bucket.
#[derive(Debug)]
pub struct BucketPolicy {
    s3: S3,
    bucket: String,
    account: String,
    partition: String,
}

impl BucketPolicy {
    /// The policy of this bucket, which has to belong to the place's account.
    pub fn new(aws: &Aws, bucket: &str, place: &ResourceContext) -> Self {
        let (account, partition) = (place.account.clone(), place.partition.clone());
        BucketPolicy { s3: aws.s3(), bucket: bucket.to_owned(), account, partition }
    }
}

impl Document for BucketPolicy {
    fn arn(&self) -> String {
        format!("arn:{}:s3:::{}", self.partition, self.bucket)
    }

    async fn read(&self) -> Result<Option<String>, AwsError> {
        self.s3.bucket_policy(&self.bucket, &self.account).await
    }

    async fn put(&self, document: &PolicyDocument) -> Result<(), AwsError> {
        self.s3.put_bucket_policy(&self.bucket, &self.account, &document.to_json()).await
    }

    async fn delete(&self) -> Result<(), AwsError> {
        self.s3.delete_bucket_policy(&self.bucket, &self.account).await
    }
}
