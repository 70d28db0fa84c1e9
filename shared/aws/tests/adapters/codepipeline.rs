//! Pipelines over replayed HTTP: nothing that AWS sent is lost, and nothing is sent that must not be.

use std::collections::BTreeMap;

use crosspipe_aws::ErrorKind;
use serde_json::{Value, json};

use crate::replay::{Replay, Reply};

const ARN: &str = "arn:aws:codepipeline:eu-west-1:111111111111:site";

/// What a later CodePipeline might send: every level has something that no release of the SDK knows.
fn pipeline() -> Value {
    json!({
        "pipeline": {
            "name": "site", "version": 7, "pipelineType": "V3", "executionMode": "BRAND_NEW",
            "roleArn": "arn:aws:iam::111111111111:role/service",
            "artifactStore": {"type": "S3", "location": "artifacts", "retention": {"days": 30.5}},
            "stages": [{
                "name": "Source", "weather": null,
                "actions": [{
                    "name": "Fetch", "runOrder": 1, "patience": "endless",
                    "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "CodeCommit", "version": "1"},
                    "configuration": {"BranchName": "main \u{e4}\u{1f600}"}
                }],
            }],
            "triggers": [{"providerType": "Moon", "phase": "full"}],
            "zz_unknown": [1, {"two": [true, false, null]}]
        },
        "metadata": {"pipelineArn": ARN, "created": 1_700_000_000.123, "mood": "good"}
    })
}

#[tokio::test]
async fn unknown_fields_survive_get_and_update() {
    let updated = json!({"pipeline": {"name": "site", "version": 8, "zz_unknown": 1}});
    let replay = Replay::start([Reply::new(200, pipeline()), Reply::new(200, &updated)]).await;
    let codepipeline = replay.aws.codepipeline();

    let got = codepipeline.get_pipeline("site").await.unwrap();
    assert_eq!(got, pipeline());
    let answer = codepipeline.update_pipeline(&got["pipeline"]).await.unwrap();
    assert_eq!(answer, updated["pipeline"]);

    let requests = replay.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].json(), json!({"name": "site"}));
    assert_eq!(requests[1].operation(), "UpdatePipeline");
    assert_eq!(requests[1].json(), json!({"pipeline": pipeline()["pipeline"]}), "and no metadata");
    assert_eq!(requests[1].headers["content-length"], requests[1].body.len().to_string());
}

#[tokio::test]
async fn errors_are_classified_by_code() {
    let refused = json!({"__type": "InvalidStructureException", "message": "X is not authorized to perform AssumeRole"});
    let missing = json!({"__type": "PipelineNotFoundException", "message": "no pipeline"});
    let replay = Replay::start([
        Reply::new(400, refused).header("x-amzn-requestid", "request-1"),
        Reply::new(400, missing),
    ])
    .await;
    let codepipeline = replay.aws.codepipeline();

    let error = codepipeline.update_pipeline(&json!({})).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert!(error.has_code("InvalidStructureException"));
    assert_eq!(error.request_id.as_deref(), Some("request-1"));
    assert_eq!(
        error.to_string(),
        "`codepipeline:UpdatePipeline` failed: InvalidStructureException: \
         X is not authorized to perform AssumeRole"
    );
    let error = codepipeline.get_pipeline("gone").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn non_json_answer_is_an_error() {
    let replay = Replay::start([Reply::new(200, "<html>proxy</html>")]).await;
    let error = replay.aws.codepipeline().get_pipeline("site").await.unwrap_err();
    assert_eq!((error.service, error.operation), ("codepipeline", "GetPipeline"));
}

#[tokio::test]
async fn action_executions_come_from_all_pages() {
    let detail =
        |id: &str| json!({"actionExecutionId": id, "status": "Failed", "output": {"newField": {"a": 1}}});
    let replay = Replay::start([
        Reply::new(200, json!({"actionExecutionDetails": [detail("1"), detail("2")], "nextToken": "more"})),
        Reply::new(200, json!({"actionExecutionDetails": [detail("3")]})),
    ])
    .await;
    let details = replay.aws.codepipeline().list_action_executions("site", "execution").await.unwrap();
    assert_eq!(details, [detail("1"), detail("2"), detail("3")]);

    let requests = replay.requests();
    let filter = json!({"pipelineExecutionId": "execution"});
    assert_eq!(requests[0].json(), json!({"pipelineName": "site", "filter": filter}));
    assert_eq!(requests[1].json(), json!({"pipelineName": "site", "filter": filter, "nextToken": "more"}));
}

#[tokio::test]
async fn rule_executions_of_all_pages() {
    let detail = |name: &str| json!({"ruleName": name, "unknownYet": true});
    let replay = Replay::start([
        Reply::new(200, json!({"ruleExecutionDetails": [detail("1")], "nextToken": "more"})),
        Reply::new(200, json!({"ruleExecutionDetails": [detail("2")]})),
    ])
    .await;
    let details = replay.aws.codepipeline().list_rule_executions("site", "execution").await.unwrap();
    assert_eq!(details, [detail("1"), detail("2")]);
    let filter = json!({"pipelineExecutionId": "execution"});
    let second = json!({"pipelineName": "site", "filter": filter, "nextToken": "more"});
    assert_eq!(replay.requests()[1].json(), second);
}

#[tokio::test]
async fn tags_come_from_all_pages() {
    let replay = Replay::start([
        Reply::new(200, json!({"tags": [{"key": "a", "value": "1"}], "nextToken": "more"})),
        Reply::new(200, json!({"tags": [{"key": "b", "value": "2"}]})),
    ])
    .await;
    let tags = replay.aws.codepipeline().tags(ARN).await.unwrap();
    assert_eq!(tags, BTreeMap::from([("a".into(), "1".into()), ("b".into(), "2".into())]));
    assert_eq!(replay.requests()[1].json(), json!({"resourceArn": ARN, "nextToken": "more"}));
}

/// What the SDK would send again was planned from what was read before its pause.
#[tokio::test]
async fn writes_are_sent_once() {
    let unavailable = || Reply::new(500, json!({"__type": "InternalFailure", "message": "later"}));
    let replay =
        Replay::start([unavailable(), unavailable(), unavailable(), unavailable(), unavailable()]).await;
    let policy = r#"{"Version": "2012-10-17", "Statement": []}"#;
    let key = "arn:aws:kms:eu-west-1:111111111111:key/1";
    let answers = [
        replay.aws.codepipeline().update_pipeline(&json!({"name": "site"})).await.map(drop),
        replay.aws.kms().put_key_policy(key, policy).await,
        replay.aws.s3().put_bucket_policy("artifacts", "111111111111", policy).await,
        replay.aws.iam().put_role_policy("role", "policy", policy).await,
        replay.aws.codebuild().set_encryption_key("project", key).await,
    ];
    for answer in answers {
        assert_eq!(answer.unwrap_err().kind, ErrorKind::Unavailable);
    }
    assert_eq!(replay.requests().len(), 5);
    assert_eq!(replay.requests()[4].json(), json!({"name": "project", "encryptionKey": key}));
}

#[tokio::test]
async fn a_start_carries_its_token() {
    let replay = Replay::start([Reply::new(200, json!({"pipelineExecutionId": "e-1"}))]).await;
    let id = replay.aws.codepipeline().start_execution("site", "token-1").await.unwrap();
    assert_eq!(id, "e-1");
    assert_eq!(replay.requests()[0].json(), json!({"name": "site", "clientRequestToken": "token-1"}));
}

#[tokio::test]
async fn retry_covers_only_failed_actions() {
    let refused = json!({"__type": "StageNotRetryableException", "message": "changed"});
    let replay = Replay::start([
        Reply::new(200, json!({"pipelineExecutionId": "e-1"})),
        Reply::new(400, refused),
        Reply::new(400, json!({"__type": "ConflictException", "message": "busy"})),
    ])
    .await;
    let retry = async || replay.aws.codepipeline().retry_failed_actions("site", "Deploy", "e-1").await;
    retry().await.unwrap();
    assert!(retry().await.unwrap_err().has_code("StageNotRetryableException"));
    assert_eq!(retry().await.unwrap_err().kind, ErrorKind::Conflict);
    assert_eq!(
        replay.requests()[0].json(),
        json!({"pipelineName": "site", "stageName": "Deploy", "pipelineExecutionId": "e-1", "retryMode": "FAILED_ACTIONS"})
    );
}
