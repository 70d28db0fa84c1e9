//! Writes `Custom::ArtifactBucketGrant`.

use crosspipe_aws::{AwsError, ErrorKind};
use crosspipe_core::grants::Quota;
use crosspipe_core::grants::bucket;
use crosspipe_custom_resource::{Failure, Success};
use crosspipe_resources::document::BucketPolicy;
use crosspipe_resources::{BucketGrant, failures};

use crate::lifecycle::{Applied, ApplyError, Write};
use crate::merge::{self, merge};
use crate::scope::Scope;

impl Write for BucketGrant {
    async fn apply(&self, _previous: Option<&Self>, scope: &Scope<'_>) -> Result<Applied, ApplyError> {
        let tags = scope.aws.s3().bucket_tags(&self.bucket, &scope.place.account).await;
        let tags = tags.map_err(|error| elsewhere(error, &self.bucket, scope))?;
        let policy = BucketPolicy::new(scope.aws, &self.bucket, &scope.place);
        let merged = merge(&policy, scope, |current| bucket::plan(current, &self.statements)).await?;
        let (quota, notice) = (Quota::BucketPolicy, failures::owner_notice("bucket", &tags));
        let success = merge::success(&self.statements, quota, quota.used(&merged.document), notice);
        Ok(Applied { success, changed: merged.changed })
    }

    async fn revert(target: &String, scope: &Scope<'_>) -> Result<Success, ApplyError> {
        let policy = BucketPolicy::new(scope.aws, target, &scope.place);
        let unwanted = bucket::unwanted(&scope.place.owner);
        merge(&policy, scope, |current| bucket::plan(current, &unwanted)).await.map(|_| Success::default())
    }
}

/// S3 answers a plain "Access Denied" for a bucket of another account: every call names the account that
/// has to own the bucket.
fn elsewhere(error: AwsError, bucket: &str, scope: &Scope<'_>) -> Failure {
    // IAM's own denials say which action is missing.
    let by_iam = error.message.contains("is not authorized to perform");
    if error.kind != ErrorKind::AccessDenied || by_iam {
        return failures::aws(error);
    }
    Failure::new(
        format!(
            "`BucketName`: bucket `{bucket}` does not belong to account {}, or a policy denies the access provider's role to read it ({error})",
            scope.place.account
        ),
        "give the artifact bucket of the pipeline's own account: a policy can be set only there",
    )
}
