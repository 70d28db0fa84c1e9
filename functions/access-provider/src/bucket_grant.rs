//! `Custom::ArtifactBucketGrant`: the artifact bucket's policy lets the grantees at its objects, and keeps
//! out what is not encrypted.

use crosspipe_aws::AwsError;
use crosspipe_aws::s3::S3;
use crosspipe_core::grants::bucket::{self, Denials};
use crosspipe_core::policy::{OwnedStatements, PolicyDocument, Quota};
use crosspipe_custom_resource::{Failure, Properties, Success};
use serde_json::{Map, Value};

use crate::document::{self, Document};
use crate::lifecycle::{Resource, Stopped};
use crate::scope::Scope;
use crate::{failures, grantee_properties};

/// The grant.
pub struct BucketGrant {
    bucket: String,
    statements: OwnedStatements,
}

impl Resource for BucketGrant {
    const NAME: &'static str = "ArtifactBucketGrant";
    type Target = String;

    fn target(properties: &Map<String, Value>, _scope: &Scope<'_>) -> Result<String, Failure> {
        let name = properties.get("BucketName").and_then(Value::as_str).unwrap_or_default();
        bucket::check_bucket_name("BucketName", name).map_err(failures::property)?;
        Ok(name.to_owned())
    }

    fn target_name(target: &String) -> &str {
        target
    }

    fn parse(properties: &Map<String, Value>, scope: &Scope<'_>) -> Result<Self, Failure> {
        let [a, b, c, d, e] = grantee_properties::NAMES;
        let known = ["BucketName", "DenyUnencryptedUploads", "DenyInsecureTransport", a, b, c, d, e];
        let read = Properties::new(properties, &known)?;
        let name = read.required("BucketName")?;
        bucket::check_bucket_name("BucketName", name).map_err(failures::property)?;
        let denials = Denials {
            unencrypted_uploads: read.boolean("DenyUnencryptedUploads", true)?,
            insecure_transport: read.boolean("DenyInsecureTransport", true)?,
        };
        let grantees = grantee_properties::read(&read)?;
        let statements = bucket::wanted(&scope.owner, &scope.partition, name, &grantees, denials);
        Ok(BucketGrant { bucket: name.to_owned(), statements })
    }

    async fn apply(&self, _previous: Option<&Self>, scope: &Scope<'_>) -> Result<Success, Stopped> {
        let policy = BucketPolicy { s3: scope.aws.s3(), bucket: &self.bucket, scope };
        let tags = policy.s3.bucket_tags(&self.bucket, &scope.account).await;
        let tags = tags.map_err(|error| elsewhere(error, &self.bucket, scope))?;
        let saved =
            document::merge(&policy, scope, |current| bucket::plan(current, &self.statements)).await?;
        let (quota, notice) = (Quota::BucketPolicy, failures::owner_notice("bucket", &tags));
        Ok(document::success(&self.statements, quota, quota.used(&saved), notice))
    }

    async fn revert(target: &String, scope: &Scope<'_>) -> Result<Success, Stopped> {
        let policy = BucketPolicy { s3: scope.aws.s3(), bucket: target, scope };
        let unwanted = bucket::unwanted(&scope.owner);
        document::merge(&policy, scope, |current| bucket::plan(current, &unwanted))
            .await
            .map(|_| Success::default())
    }
}

/// S3 answers a plain "Access Denied" for a bucket of another account: every call names the account that
/// has to own the bucket.
fn elsewhere(error: AwsError, bucket: &str, scope: &Scope<'_>) -> Failure {
    // IAM's own denials say which action is missing.
    let by_iam = error.message.contains("is not authorized to perform");
    if error.kind != crosspipe_aws::ErrorKind::AccessDenied || by_iam {
        return failures::aws(error);
    }
    Failure::new(
        format!(
            "`BucketName`: bucket `{bucket}` does not belong to account {}, or a policy denies the access provider's role to read it ({error})",
            scope.account
        ),
        "give the artifact bucket of the pipeline's own account: a policy can be set only there",
    )
}

struct BucketPolicy<'a> {
    s3: S3,
    bucket: &'a str,
    scope: &'a Scope<'a>,
}

impl Document for BucketPolicy<'_> {
    fn arn(&self) -> String {
        format!("arn:{}:s3:::{}", self.scope.partition, self.bucket)
    }

    async fn read(&self) -> Result<Option<String>, AwsError> {
        self.s3.bucket_policy(self.bucket, &self.scope.account).await
    }

    async fn put(&self, document: &PolicyDocument) -> Result<(), AwsError> {
        self.s3.put_bucket_policy(self.bucket, &self.scope.account, &document.to_json()).await
    }

    async fn delete(&self) -> Result<(), AwsError> {
        self.s3.delete_bucket_policy(self.bucket, &self.scope.account).await
    }
}
