//! Events that nobody can read are kept once, with the reason, and the function goes on.

use serde_json::json;

use crate::alerts::Listening;

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
