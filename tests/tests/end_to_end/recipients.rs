//! Recipients of one pipeline: they get its alerts, and no other's.

use crosspipe_e2e::Subscriber;
use crosspipe_e2e::world::PIPELINE_STACK;
use serde_json::{Value, json};

use crate::alerts::{Listening, PATIENCE};

#[test]
fn each_pipeline_has_recipients_of_its_own() {
    let listening = Listening::start_with(|world, parameters| {
        parameters.insert("PipelineArns", format!("{}*", world.pipeline_arn()));
    });
    let (scene, world) = (&listening.scene, &listening.scene.world);
    let tools = &world.tools;
    let mut second: Value = scene.before.pipeline.clone();
    second["name"] = json!("orders-two");
    tools
        .call_raw("codepipeline", "CodePipeline_20150709.CreatePipeline", json!({"pipeline": second}))
        .unwrap();
    let recipients = ["orders", "orders-two"].map(|name| {
        let topic = tools.call("sns", "create_topic", json!({"Name": format!("team-{name}")})).unwrap();
        let topic = topic["TopicArn"].as_str().unwrap().to_owned();
        let subscriber = Subscriber::start().unwrap();
        subscriber.subscribe(tools, &topic, PATIENCE).unwrap();
        let mut parameters = world.pipeline_parameters();
        parameters.insert("PipelineName", name.to_owned());
        parameters.insert("AlertEmail", format!("{name}@example.com"));
        parameters.insert("ReportTopicArn", topic);
        (parameters, subscriber)
    });
    let [(orders, own), (two, other)] = &recipients;
    world.update_pipeline(PIPELINE_STACK, orders).unwrap_or_else(|error| panic!("{error}"));
    world.open_pipeline("crosspipe-orders-two", two).unwrap_or_else(|error| panic!("{error}"));

    // Each address hears of its pipeline alone.
    let topic = json!({"TopicArn": scene.outputs["AlertTopicArn"]});
    let listed = tools.call("sns", "list_subscriptions_by_topic", topic).unwrap();
    for name in ["orders", "orders-two"] {
        let all = listed["Subscriptions"].as_array().unwrap();
        let address = format!("{name}@example.com");
        let found = all.iter().find(|it| it["Endpoint"] == address.as_str());
        let found = found.unwrap_or_else(|| panic!("{address} is not in {listed}"));
        let arn = json!({"SubscriptionArn": found["SubscriptionArn"]});
        let attributes = tools.call("sns", "get_subscription_attributes", arn).unwrap();
        let policy: Value =
            serde_json::from_str(attributes["Attributes"]["FilterPolicy"].as_str().unwrap()).unwrap();
        assert_eq!(policy, json!({"pipeline": [name]}));
    }

    listening.clean_up_bucket_policy();
    listening.run_pipeline();
    let message = own.wait_for(PATIENCE, |_| true).expect("a report");
    let event: Value = serde_json::from_str(message["Message"].as_str().unwrap()).unwrap();
    assert_eq!(event["detail"]["pipeline"], "orders", "{event}");
    assert_eq!(event["detail"]["rootCause"]["rule"], "S3001", "{event}");
    // What the alert's subscribers filter by came with it.
    let alert = listening.alert().expect("an alert");
    assert_eq!(alert["MessageAttributes"]["pipeline"]["Value"], "orders", "{alert}");
    assert_eq!(other.notifications(), Vec::<Value>::new());

    scene.delete("crosspipe-orders-two");
    listening.scene.remove();
}
