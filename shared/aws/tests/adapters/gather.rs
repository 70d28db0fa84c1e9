//! A snapshot is taken no longer than its caller can wait.

use std::time::{Duration, SystemTime};

use crosspipe_aws::Aws;
use crosspipe_aws::gather::{self, GatherOptions};
use crosspipe_core::pipeline::Pipeline;
use crosspipe_core::snapshot::Fact;
use serde_json::json;
use tokio::net::TcpListener;

const BUCKET: &str = "artifacts";

#[tokio::test]
async fn late_answers_are_unknown() {
    // Connections are accepted, and nothing is ever answered.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok(connection) = listener.accept().await {
            open.push(connection);
        }
    });
    let tools = Aws::local(&endpoint, "111111111111", "eu-west-1").await;
    let live = json!({"pipeline": {
        "name": "site", "version": 1, "roleArn": "arn:aws:iam::111111111111:role/Service",
        "artifactStore": {"type": "S3", "location": BUCKET},
        "stages": [
            {"name": "Source", "actions": [{"name": "Fetch", "runOrder": 1, "outputArtifacts": [{"name": "App"}],
                "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"}, "configuration": {}}]},
            {"name": "Deploy", "actions": [{"name": "Deploy", "runOrder": 1, "roleArn": "arn:aws:iam::222222222222:role/Target", "inputArtifacts": [{"name": "App"}],
                "actionTypeId": {"category": "Deploy", "owner": "AWS", "provider": "CodeDeploy", "version": "1"}, "configuration": {}}]}
        ]
    }, "metadata": {"pipelineArn": "arn:aws:codepipeline:eu-west-1:111111111111:site"}});
    let pipeline = Pipeline::parse(live.clone()).unwrap();
    let options = GatherOptions {
        shared: None,
        tools: &tools,
        diagnostics_role: Some("Diagnostics"),
        session_name: "test",
        log_tails: true,
        until: Some(SystemTime::now() + Duration::from_millis(100)),
    };
    let gathered = gather::gather_snapshot(options, live.clone(), &pipeline, None, &[]).await;
    let snapshot = gathered.snapshot;
    assert_eq!(snapshot.pipeline, Fact::Known(live));
    assert!(snapshot.buckets[BUCKET].known().unwrap().policy.is_unknown());
    let lines = gathered.unreadable;
    let role = "arn:aws:iam::222222222222:role/Diagnostics";
    for late in [BUCKET, "Service", role] {
        let line = format!("no answer in time about {late}");
        assert!(lines.contains(&line), "`{line}` is not in {lines:?}");
    }
}
