//! Topics, event buses, and the secret of a webhook.

use std::collections::BTreeMap;

use crosspipe_aws::ErrorKind;
use serde_json::json;

use crate::replay::{Replay, Reply, query_answer, query_error};

#[tokio::test]
async fn an_alert_is_published() {
    let replay = Replay::start([query_answer("Publish", "<MessageId>m-1</MessageId>")]).await;
    let attributes = BTreeMap::from([("rule".to_owned(), "KM001".to_owned())]);
    let topic = "arn:aws:sns:eu-west-1:111111111111:alerts";
    let id = replay.aws.sns().publish(topic, "Deploy failed", "why & how", &attributes).await.unwrap();
    assert_eq!(id, "m-1");
    let body = &replay.requests()[0].body;
    assert!(body.contains("Subject=Deploy%20failed") && body.contains("Message=why%20%26%20how"), "{body}");
    assert!(body.contains("Value.StringValue=KM001"), "{body}");
}

/// Whoever got no answer can't know if the alert went out: sent again here, one failure would make five alerts.
#[tokio::test]
async fn alert_is_sent_again_only_where_it_was_refused() {
    let taken = || query_answer("Publish", "<MessageId>m-1</MessageId>");
    let broken = || Reply::new(200, "<PublishResp");
    for (replies, sent) in [([query_error(400, "Throttling"), taken()], 2), ([broken(), taken()], 1)] {
        let replay = Replay::start(replies).await;
        let topic = "arn:aws:sns:eu-west-1:111111111111:alerts";
        let published = replay.aws.sns().publish(topic, "Deploy failed", "why", &BTreeMap::new()).await;
        assert_eq!((replay.requests().len(), published.is_ok()), (sent, sent == 2), "{published:?}");
    }
}

#[tokio::test]
async fn a_secret_is_its_text() {
    let replies =
        [json!({"ARN": "a", "SecretString": "https://example.com/"}), json!({"SecretBinary": "AAE="})];
    let replay = Replay::start(replies.map(|reply| Reply::new(200, reply))).await;
    let secrets = replay.aws.secrets();
    assert_eq!(secrets.text("a").await.unwrap(), "https://example.com/");
    assert_eq!(replay.requests()[0].json()["SecretId"], "a");
    assert!(secrets.text("a").await.unwrap_err().to_string().contains("the secret holds no text"));
}

#[tokio::test]
async fn refused_event_entry_is_an_error() {
    let refused = json!({"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException", "ErrorMessage": "slow"}]});
    let taken = json!({"FailedEntryCount": 0, "Entries": [{"EventId": "e-1"}]});
    let replay = Replay::start([Reply::new(200, refused), Reply::new(200, taken)]).await;
    let events = replay.aws.eventbridge();
    let detail = json!({"schemaVersion": "1"});
    let resources = ["arn:aws:codepipeline:eu-west-1:111111111111:site".to_owned()];
    let put = || events.put_event("default", "crosspipe", "Diagnosis", &detail, &resources);

    let error = put().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Throttled);
    assert_eq!(error.to_string(), "`events:PutEvents` failed: ThrottlingException: slow");
    assert_eq!(put().await.unwrap(), "e-1");
    let entry = &replay.requests()[1].json()["Entries"][0];
    assert_eq!(entry["Detail"], r#"{"schemaVersion":"1"}"#);
    assert_eq!(entry["Resources"], json!(resources));
}

#[tokio::test]
async fn rules_of_a_target_are_described() {
    let pipeline = "arn:aws:codepipeline:eu-west-1:111111111111:site";
    let own = json!({"Id": "1", "Arn": pipeline, "RoleArn": "arn:aws:iam::111111111111:role/Start"});
    let replies = [
        (200, json!({"EventBuses": [{"Name": "default"}], "NextToken": "more"})),
        (200, json!({"EventBuses": [{"Name": "sources"}]})),
        (200, json!({"RuleNames": ["nightly"]})),
        (200, json!({"Name": "nightly", "State": "ENABLED", "ScheduleExpression": "rate(1 day)", "New": 1})),
        (200, json!({"Targets": [{"Id": "2", "Arn": "arn:aws:sqs:eu-west-1:111111111111:queue"}, own]})),
        (200, json!({"RuleNames": ["start", "gone"]})),
        (200, json!({"Name": "start", "State": "DISABLED", "EventPattern": "{}"})),
        (200, json!({"Targets": []})),
        (400, json!({"__type": "ResourceNotFoundException", "message": "no such rule"})),
    ];
    let replay = Replay::start(replies.map(|(status, reply)| Reply::new(status, reply))).await;
    let rules = replay.aws.eventbridge().describe_rules_of_target(pipeline).await.unwrap();
    let names: Vec<&str> = rules.iter().map(|rule| rule["Name"].as_str().unwrap()).collect();
    assert_eq!(names, ["nightly", "start"]);
    assert_eq!(rules[0]["New"], 1, "what this release does not know survives");
    assert_eq!((&rules[0]["Targets"], &rules[1]["Targets"]), (&json!([own]), &json!([])));
    let requests = replay.requests();
    assert_eq!(requests[1].json()["NextToken"], "more");
    let listed = requests[5].json();
    assert_eq!((&listed["EventBusName"], &listed["TargetArn"]), (&json!("sources"), &json!(pipeline)));
}
