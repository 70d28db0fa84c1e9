//! Buckets.

use std::collections::BTreeMap;

use crosspipe_aws::ErrorKind;
use serde_json::json;

use crate::replay::{Replay, Reply};

const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/11111111-2222-3333-4444-555555555555";
const OWNER: &str = "111111111111";

fn s3_error(status: u16, code: &str) -> Reply {
    Reply::new(status, format!("<Error><Code>{code}</Code><Message>said so</Message></Error>"))
        .header("x-amz-request-id", "request-1")
}

#[tokio::test]
async fn absent_bucket_settings_are_none() {
    let replay = Replay::start([
        s3_error(404, "NoSuchBucketPolicy"),
        s3_error(404, "NoSuchTagSet"),
        s3_error(404, "OwnershipControlsNotFoundError"),
        s3_error(404, "ServerSideEncryptionConfigurationNotFoundError"),
        s3_error(404, "NoSuchBucket"),
    ])
    .await;
    let s3 = replay.aws.s3();
    assert_eq!(s3.bucket_policy("artifacts", OWNER).await.unwrap(), None);
    assert_eq!(s3.bucket_tags("artifacts", OWNER).await.unwrap(), BTreeMap::new());
    assert_eq!(s3.object_ownership("artifacts", OWNER).await.unwrap(), None);
    assert_eq!(s3.default_encryption("artifacts", OWNER).await.unwrap(), None);
    let error = s3.bucket_policy("artifacts", OWNER).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound, "a bucket that is missing is not a bucket without policy");
    assert_eq!(error.request_id.as_deref(), Some("request-1"));
}

#[tokio::test]
async fn what_a_bucket_has_is_read() {
    let replay = Replay::start([
        Reply::new(200, r#"{"Statement":[]}"#),
        Reply::new(200, "<Tagging><TagSet><Tag><Key>team</Key><Value>web</Value></Tag></TagSet></Tagging>"),
        Reply::new(200, "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>"),
        Reply::new(200, format!("<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>{KEY}</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>")),
        Reply::new(200, "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"),
    ])
    .await;
    let s3 = replay.aws.s3();
    assert_eq!(s3.bucket_policy("artifacts", OWNER).await.unwrap().as_deref(), Some(r#"{"Statement":[]}"#));
    assert_eq!(s3.bucket_tags("artifacts", OWNER).await.unwrap()["team"], "web");
    assert_eq!(
        s3.object_ownership("artifacts", OWNER).await.unwrap().as_deref(),
        Some("BucketOwnerEnforced")
    );
    assert_eq!(
        s3.default_encryption("artifacts", OWNER).await.unwrap(),
        Some(json!({"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}))
    );
    assert_eq!(
        s3.default_encryption("artifacts", OWNER).await.unwrap(),
        Some(json!({"SSEAlgorithm": "AES256"}))
    );
}

#[tokio::test]
async fn every_bucket_call_names_the_owner() {
    let region = || location("eu-west-1");
    let replay = Replay::start([
        Reply::new(200, "{}"),
        Reply::new(204, ""),
        Reply::new(204, ""),
        s3_error(404, "NoSuchTagSet"),
        region(),
        s3_error(404, "OwnershipControlsNotFoundError"),
        s3_error(404, "ServerSideEncryptionConfigurationNotFoundError"),
    ])
    .await;
    let s3 = replay.aws.s3();
    s3.bucket_policy("artifacts", OWNER).await.unwrap();
    s3.put_bucket_policy("artifacts", OWNER, r#"{"Statement":[]}"#).await.unwrap();
    s3.delete_bucket_policy("artifacts", OWNER).await.unwrap();
    s3.bucket_tags("artifacts", OWNER).await.unwrap();
    s3.bucket_region("artifacts", OWNER).await.unwrap();
    s3.object_ownership("artifacts", OWNER).await.unwrap();
    s3.default_encryption("artifacts", OWNER).await.unwrap();

    let requests = replay.requests();
    assert_eq!(requests.len(), 7);
    for request in &requests {
        assert_eq!(
            request.headers["x-amz-expected-bucket-owner"], OWNER,
            "{} {}",
            request.method, request.target
        );
        assert!(request.target.starts_with("/artifacts"), "path style: {}", request.target);
    }
    assert_eq!(requests[1].body, r#"{"Statement":[]}"#);
    assert!(!requests[1].headers.contains_key("x-amz-confirm-remove-self-bucket-access"));
}

#[tokio::test]
async fn oldest_regions_have_legacy_names() {
    let answers = ["us-east-2", "EU", ""].map(location);
    let replay = Replay::start(answers.into_iter().chain([s3_error(403, "AccessDenied")])).await;
    let s3 = replay.aws.s3();
    for region in ["us-east-2", "eu-west-1", "us-east-1"] {
        assert_eq!(s3.bucket_region("artifacts", OWNER).await.unwrap(), region);
    }
    let error = s3.bucket_region("artifacts", OWNER).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::AccessDenied, "it may be another owner's");
}

#[tokio::test]
async fn redirects_name_the_region() {
    let redirect = |status, code| s3_error(status, code).header("x-amz-bucket-region", "us-east-2");
    let replay = Replay::start([
        redirect(301, "PermanentRedirect"),
        redirect(400, "AuthorizationHeaderMalformed"),
        redirect(403, "AccessDenied"),
        s3_error(301, "PermanentRedirect"),
    ])
    .await;
    let s3 = replay.aws.s3();
    for _ in 0..2 {
        assert_eq!(s3.bucket_region("artifacts", OWNER).await.unwrap(), "us-east-2");
    }
    let error = s3.bucket_region("artifacts", OWNER).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::AccessDenied, "a denial is one, whatever its headers say");
    assert!(s3.bucket_region("artifacts", OWNER).await.is_err(), "a redirect to nowhere");
}

fn location(region: &str) -> Reply {
    let body = format!(
        r#"<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{region}</LocationConstraint>"#
    );
    Reply::new(200, &body)
}

#[tokio::test]
async fn s3_refusals_are_classified() {
    let replay = Replay::start([s3_error(403, "AccessDenied"), s3_error(400, "MalformedPolicy")]).await;
    let s3 = replay.aws.s3();
    let error = s3.bucket_policy("artifacts", OWNER).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::AccessDenied);
    assert_eq!(error.to_string(), "`s3:GetBucketPolicy` failed: AccessDenied: said so");
    let error = s3.put_bucket_policy("artifacts", OWNER, "{}").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid);
}

#[tokio::test]
async fn a_busy_bucket_is_a_conflict() {
    let replay = Replay::start([s3_error(409, "OperationAborted")]).await;
    let error = replay.aws.s3().put_bucket_policy("artifacts", OWNER, "{}").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict);
}
