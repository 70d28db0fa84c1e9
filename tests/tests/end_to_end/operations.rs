//! Events that nobody can read are kept once, with the reason, and the function goes on.

use serde_json::json;

use crate::alerts::Listening;
use crate::scene::Scene;

#[test]
fn unreadable_events_are_kept_once() {
    let listening = Listening::start();
    let tools = &listening.scene.world.tools;
    let dead_letters = &listening.scene.outputs["ReporterDeadLettersUrl"];
    let function = listening.scene.role_name("FailureReporter");
    let invoke = |event: serde_json::Value| {
        let invocation = json!({"FunctionName": function, "Payload": event.to_string()});
        let answer = tools.call("lambda", "invoke", invocation).unwrap();
        assert_eq!(answer.get("FunctionError"), None, "Lambda would try again: {answer}");
    };
    let event = json!({
        "detail-type": "CodePipeline Action Execution State Change", "account": tools.id(), "region": tools.region(),
        "detail": {"pipeline": "orders", "stage": "Production", "action": "Deploy", "state": "FAILED"},
    });
    invoke(event.clone());
    let record = listening.message(dead_letters).expect("a dead letter");
    assert_eq!(record["requestPayload"], event);
    let reason = record["responsePayload"]["errorMessage"].as_str().unwrap();
    assert!(reason.contains("/detail/execution-id"), "{reason}");

    // Not ours, not a failure: passed over.
    let mut running = event.clone();
    running["detail"]["state"] = json!("STARTED");
    invoke(running);
    // Of another account or Region: whoever may put events here could name any pipeline.
    for (member, value) in [("account", "999999999999"), ("region", "us-west-1")] {
        let mut foreign = event.clone();
        foreign["detail"]["execution-id"] = json!("e");
        foreign["detail"]["action-execution-id"] = json!("a");
        foreign[member] = json!(value);
        invoke(foreign);
    }
    let count = json!({"QueueUrl": dead_letters, "AttributeNames": ["ApproximateNumberOfMessages"]});
    let attributes = tools.call("sqs", "get_queue_attributes", count).unwrap();
    assert_eq!(attributes["Attributes"]["ApproximateNumberOfMessages"], "0", "{attributes}");
    assert!(listening.subscriber.notifications().is_empty());
}

/// People act on alerts, so a role that may publish to any topic may not publish to these.
#[test]
fn only_the_reporter_publishes_alerts() {
    let scene = Scene::deployed_with(|_, parameters| {
        parameters.insert("ChatNotifications", "true".to_owned());
    });
    let tools = &scene.world.tools;
    let statement =
        |effect: serde_json::Value| json!({"Version": "2012-10-17", "Statement": [effect]}).to_string();
    let trust = json!({"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{}:root", tools.id())}, "Action": "sts:AssumeRole"});
    let role = json!({"RoleName": "publisher", "AssumeRolePolicyDocument": statement(trust)});
    let role = tools.call("iam", "create_role", role).unwrap()["Role"]["Arn"].as_str().unwrap().to_owned();
    let all = json!({"Effect": "Allow", "Action": "sns:*", "Resource": "*"});
    let policy = json!({"RoleName": "publisher", "PolicyName": "all", "PolicyDocument": statement(all)});
    tools.call("iam", "put_role_policy", policy).unwrap();
    let publisher = tools.assume(&role).unwrap();
    let other = tools.call("sns", "create_topic", json!({"Name": "other"})).unwrap();
    let publish =
        |topic: &str| publisher.call("sns", "publish", json!({"TopicArn": topic, "Message": "paste this"}));
    publish(other["TopicArn"].as_str().unwrap()).unwrap();
    for output in ["AlertTopicArn", "ChatTopicArn"] {
        let error = publish(&scene.outputs[output]).unwrap_err();
        assert!(error.message.contains("explicit deny"), "{output}: {error}");
    }
}
