//! Keys.

use std::collections::BTreeMap;

use crosspipe_aws::ErrorKind;
use serde_json::json;

use crate::replay::{Replay, Reply};

const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/11111111-2222-3333-4444-555555555555";

#[tokio::test]
async fn put_key_policy_keeps_lockout_check() {
    let policy = r#"{"Statement":[{"Sid":"ä","Unknown":1}]}"#;
    let replay = Replay::start([Reply::new(200, json!({"Policy": policy})), Reply::new(200, "")]).await;
    let kms = replay.aws.kms();
    assert_eq!(kms.key_policy(KEY).await.unwrap(), policy);
    kms.put_key_policy(KEY, policy).await.unwrap();

    let requests = replay.requests();
    assert_eq!(requests[0].json(), json!({"KeyId": KEY, "PolicyName": "default"}));
    assert_eq!(requests[1].json(), json!({"KeyId": KEY, "PolicyName": "default", "Policy": policy}));
}

#[tokio::test]
async fn kms_refusals_are_classified() {
    let denied = json!({"__type": "AccessDeniedException", "Message": "no identity-based policy allows it"});
    let pending = json!({"__type": "KMSInvalidStateException", "message": "is pending deletion"});
    let replay = Replay::start([Reply::new(400, denied), Reply::new(400, pending)]).await;
    let kms = replay.aws.kms();
    let error = kms.key_policy(KEY).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::AccessDenied);
    assert_eq!(error.message, "no identity-based policy allows it");
    assert_eq!(kms.put_key_policy(KEY, "{}").await.unwrap_err().kind, ErrorKind::Invalid);
}

#[tokio::test]
async fn key_metadata_and_grants_are_raw() {
    let metadata = json!({"KeyId": "1", "Arn": KEY, "KeyState": "Enabled", "NewField": [1]});
    let grant =
        |id: &str| json!({"GrantId": id, "GranteePrincipal": "arn:aws:iam::222222222222:root", "New": id});
    let replay = Replay::start([
        Reply::new(200, json!({"KeyMetadata": metadata})),
        Reply::new(200, json!({"Grants": [grant("1")], "Truncated": true, "NextMarker": "more"})),
        Reply::new(200, json!({"Grants": [grant("2")], "Truncated": false})),
        Reply::new(200, json!({"Tags": [{"TagKey": "team", "TagValue": "web"}], "Truncated": false})),
    ])
    .await;
    let kms = replay.aws.kms();
    assert_eq!(kms.describe_key(KEY).await.unwrap(), metadata);
    assert_eq!(kms.grants(KEY).await.unwrap(), [grant("1"), grant("2")]);
    assert_eq!(kms.tags(KEY).await.unwrap(), BTreeMap::from([("team".into(), "web".into())]));
    assert_eq!(replay.requests()[2].json(), json!({"KeyId": KEY, "Marker": "more"}));
}
