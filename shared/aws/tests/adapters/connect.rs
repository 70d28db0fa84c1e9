//! Identities and Regions.

use crosspipe_aws::ErrorKind;
use serde_json::json;

use crate::replay::{Replay, Reply, query_answer, query_error};

#[tokio::test]
async fn assumed_role_signs_requests() {
    let session = "<Credentials><AccessKeyId>ASIASESSION</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
         <SessionToken>token-1</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></Credentials>";
    let replay = Replay::start([
        query_answer("AssumeRole", session),
        query_answer("ListRolePolicies", "<PolicyNames/><IsTruncated>false</IsTruncated>"),
        query_answer("ListRolePolicies", "<PolicyNames/><IsTruncated>false</IsTruncated>"),
        query_error(403, "AccessDenied"),
    ])
    .await;
    let role = "arn:aws:iam::222222222222:role/diagnostics";
    let theirs = replay.aws.assume_role(role, "crosspipe").await.unwrap();
    theirs.iam().role_policy_names("r").await.unwrap();
    replay.aws.iam().role_policy_names("r").await.unwrap();
    let error = replay.aws.assume_role(role, "crosspipe").await.unwrap_err();
    assert_eq!((error.service, error.kind), ("sts", ErrorKind::AccessDenied));

    let requests = replay.requests();
    assert!(requests[0].body.contains("RoleSessionName=crosspipe"));
    assert_eq!(requests[1].headers["x-amz-security-token"], "token-1");
    assert!(requests[1].headers["authorization"].contains("Credential=ASIASESSION/"));
    assert!(requests[2].headers["authorization"].contains("Credential=111111111111/"), "ours stay ours");
}

#[tokio::test]
async fn another_region_is_signed_for() {
    let replay = Replay::start([Reply::new(200, json!({"Policy": "{}"}))]).await;
    let there = replay.aws.in_region("us-east-2");
    assert_eq!(there.region(), Some("us-east-2"));
    there.kms().key_policy("arn:aws:kms:us-east-2:111111111111:key/1").await.unwrap();
    assert!(replay.requests()[0].headers["authorization"].contains("/us-east-2/kms/"));
}
