//! StackSets: each instance is a real stack in its account.

use std::thread;
use std::time::Duration;

use crosspipe_e2e::LocalAws;
use serde_json::{Value, json};

fn template(topic: &str) -> String {
    format!(
        "Parameters: {{Suffix: {{Type: String}}}}\nResources:\n  Topic:\n    Type: AWS::SNS::Topic\n    \
         Properties: {{TopicName: !Sub '{topic}-${{Suffix}}'}}\n"
    )
}

#[test]
fn stack_instances_live_in_their_accounts() {
    let aws = LocalAws::shared();
    let [admin, first, second] = aws.new_accounts().map(|id| aws.account(id));
    let call = |operation: &str, request: Value| admin.call("cloudformation", operation, request);
    let wait = |started: Value| {
        let request = json!({"StackSetName": "targets", "OperationId": started["OperationId"]});
        loop {
            let operation = call("describe_stack_set_operation", request.clone()).unwrap();
            let status = operation["StackSetOperation"]["Status"].as_str().unwrap().to_owned();
            if status != "RUNNING" {
                break status;
            }
            thread::sleep(Duration::from_millis(20));
        }
    };
    let topics = |account: &crosspipe_e2e::Account<'_>| {
        let listed = account.call("sns", "list_topics", json!({})).unwrap();
        let arns = listed["Topics"].as_array().cloned().unwrap_or_default();
        arns.iter()
            .map(|one| one["TopicArn"].as_str().unwrap().rsplit(':').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };

    let parameters = json!([{"ParameterKey": "Suffix", "ParameterValue": "x"}]);
    call(
        "create_stack_set",
        json!({"StackSetName": "targets", "TemplateBody": template("one"), "Parameters": parameters}),
    )
    .unwrap();
    let accounts = json!([first.id(), second.id()]);
    let instances = json!({"StackSetName": "targets", "Accounts": accounts, "Regions": ["eu-west-1"]});
    assert_eq!(wait(call("create_stack_instances", instances.clone()).unwrap()), "SUCCEEDED");
    assert_eq!((topics(&first), topics(&second)), (vec!["one-x".to_owned()], vec!["one-x".to_owned()]));
    let listed = call("list_stack_instances", json!({"StackSetName": "targets"})).unwrap();
    let statuses: Vec<_> =
        listed["Summaries"].as_array().unwrap().iter().map(|one| one["Status"].clone()).collect();
    assert_eq!(statuses, ["CURRENT", "CURRENT"]);

    let update =
        json!({"StackSetName": "targets", "TemplateBody": template("two"), "Parameters": parameters});
    assert_eq!(wait(call("update_stack_set", update).unwrap()), "SUCCEEDED");
    assert_eq!(topics(&second), ["two-x"]);
    let described = call("describe_stack_set", json!({"StackSetName": "targets"})).unwrap();
    assert_eq!(described["StackSet"]["TemplateBody"], template("two"));

    let full = call("delete_stack_set", json!({"StackSetName": "targets"})).unwrap_err();
    assert_eq!(full.code, "StackSetNotEmptyException");
    let mut delete = instances;
    delete["RetainStacks"] = json!(false);
    assert_eq!(wait(call("delete_stack_instances", delete).unwrap()), "SUCCEEDED");
    assert_eq!(topics(&first), Vec::<String>::new());
    call("delete_stack_set", json!({"StackSetName": "targets"})).unwrap();
}

#[test]
fn a_failing_instance_fails_the_operation() {
    let aws = LocalAws::shared();
    let [admin, target] = aws.new_accounts().map(|id| aws.account(id));
    let role_policy = "Resources:\n  Policy:\n    Type: AWS::IAM::RolePolicy\n    Properties:\n      RoleName: Missing\n      \
                       PolicyName: p\n      PolicyDocument: {Version: '2012-10-17', Statement: []}\n";
    let request = json!({"StackSetName": "broken", "TemplateBody": role_policy});
    admin.call("cloudformation", "create_stack_set", request).unwrap();
    let request = json!({"StackSetName": "broken", "Accounts": [target.id()], "Regions": ["eu-west-1"]});
    let started = admin.call("cloudformation", "create_stack_instances", request).unwrap();
    let request = json!({"StackSetName": "broken", "OperationId": started["OperationId"]});
    let status = loop {
        let operation =
            admin.call("cloudformation", "describe_stack_set_operation", request.clone()).unwrap();
        match operation["StackSetOperation"]["Status"].as_str().unwrap() {
            "RUNNING" => thread::sleep(Duration::from_millis(20)),
            status => break status.to_owned(),
        }
    };
    assert_eq!(status, "FAILED");
}
