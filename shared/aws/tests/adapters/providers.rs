//! Deploy providers over replayed HTTP: what is asked, what is kept of the answer.

use crosspipe_aws::ErrorKind;
use serde_json::{Value, json};

use crate::replay::{Replay, Reply, query_answer, query_error};

#[tokio::test]
async fn failed_deployment_targets_are_raw() {
    let target =
        json!({"deploymentTargetType": "MoonTarget", "moonTarget": {"targetId": "m-1", "phase": "full"}});
    let replay = Replay::start([
        Reply::new(200, json!({"targetIds": ["m-1"]})),
        Reply::new(200, json!({"deploymentTargets": [target]})),
    ])
    .await;
    let codedeploy = replay.aws.codedeploy();
    let ids = codedeploy.target_ids("d-1", Some("Failed")).await.unwrap();
    assert_eq!(codedeploy.targets("d-1", &ids).await.unwrap(), [target]);
    let requests = replay.requests();
    assert_eq!(requests[0].operation(), "ListDeploymentTargets");
    assert_eq!(
        requests[0].json(),
        json!({"deploymentId": "d-1", "targetFilters": {"TargetStatus": ["Failed"]}})
    );
    assert_eq!(requests[1].json(), json!({"deploymentId": "d-1", "targetIds": ["m-1"]}));
}

#[tokio::test]
async fn target_requests_are_bounded() {
    let replay = Replay::start([Reply::new(200, json!({"deploymentTargets": []}))]).await;
    let codedeploy = replay.aws.codedeploy();
    assert_eq!(codedeploy.targets("d-1", &[]).await.unwrap(), Vec::<Value>::new());
    let ids: Vec<String> = (0..100).map(|id| format!("i-{id}")).collect();
    codedeploy.targets("d-1", &ids).await.unwrap();
    assert_eq!(replay.requests().len(), 1);
    assert_eq!(replay.requests()[0].json()["targetIds"].as_array().unwrap().len(), 25);
}

#[tokio::test]
async fn missing_deployment_is_not_found() {
    let gone = json!({"__type": "DeploymentDoesNotExistException", "message": "The deployment d-1 could not be found"});
    let replay = Replay::start([Reply::new(400, gone)]).await;
    assert_eq!(replay.aws.codedeploy().deployment("d-1").await.unwrap_err().kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn stack_events_omit_properties() {
    let member = |id: &str, more: &str| {
        format!(
            "<member><EventId>{id}</EventId><StackId>arn</StackId><StackName>shop</StackName><Timestamp>2024-05-06T07:08:09.123Z</Timestamp>\
             <ResourceStatus>CREATE_FAILED</ResourceStatus><ResourceStatusReason>denied</ResourceStatusReason>{more}</member>"
        )
    };
    let page = |members: &str, token: &str| {
        query_answer("DescribeStackEvents", &format!("<StackEvents>{members}</StackEvents>{token}"))
    };
    let replay = Replay::start([
        page(
            &member("2", "<ResourceProperties>{\"Password\": \"secret\"}</ResourceProperties>"),
            "<NextToken>more</NextToken>",
        ),
        page(&member("1", ""), "<NextToken>even more</NextToken>"),
    ])
    .await;
    let events = replay.aws.cloudformation().stack_events("shop", 2).await.unwrap().unwrap();
    let event = |id: &str| {
        json!({"EventId": id, "StackId": "arn", "StackName": "shop", "Timestamp": "2024-05-06T07:08:09.123Z",
            "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": "denied"})
    };
    assert_eq!(events, [event("2"), event("1")], "and no third page");
    assert!(replay.requests()[1].body.contains("NextToken=more"));
}

#[tokio::test]
async fn stack_set_results_are_of_one_operation() {
    let operation = |id: &str, day: u8| {
        format!(
            "<member><OperationId>{id}</OperationId><CreationTimestamp>2024-05-0{day}T07:08:09Z</CreationTimestamp></member>"
        )
    };
    let operations = format!("<Summaries>{}{}</Summaries>", operation("old", 1), operation("new", 2));
    let result = "<Summaries><member><Account>333333333333</Account><Region>us-east-2</Region><Status>FAILED</Status>\
        <StatusReason>denied</StatusReason><AccountGateResult><Status>SKIPPED</Status><StatusReason>none</StatusReason></AccountGateResult></member></Summaries>";
    let page = |token: &str| query_answer("ListStackSetOperationResults", &format!("{result}{token}"));
    let replay = Replay::start([
        query_answer("ListStackSetOperations", &operations),
        page("<NextToken>more</NextToken>"),
        page("<NextToken>even more</NextToken>"),
    ])
    .await;
    let cloudformation = replay.aws.cloudformation();
    let last = cloudformation.last_stack_set_operation("base", Some("DELEGATED_ADMIN")).await.unwrap();
    assert_eq!(last.as_deref(), Some("new"));
    let results = cloudformation.stack_set_operation_results("base", "new", None, 2).await.unwrap();
    let expected = json!({"Account": "333333333333", "Region": "us-east-2", "Status": "FAILED", "StatusReason": "denied",
        "AccountGateResult": {"Status": "SKIPPED", "StatusReason": "none"}});
    assert_eq!(results, [expected.clone(), expected], "and no third page");
    let requests = replay.requests();
    assert!(requests[0].body.contains("CallAs=DELEGATED_ADMIN"), "{}", requests[0].body);
    assert!(requests[1].body.contains("OperationId=new") && !requests[1].body.contains("CallAs"));
    assert!(requests[2].body.contains("NextToken=more"));
}

#[tokio::test]
async fn stack_may_be_absent() {
    let stack = "<Stacks><member><StackName>shop</StackName><StackStatus>ROLLBACK_COMPLETE</StackStatus><CreationTime>2024-05-06T07:08:09Z</CreationTime>\
        <RoleARN>arn:aws:iam::222222222222:role/Stack</RoleARN><Outputs><member><OutputKey>Token</OutputKey><OutputValue>secret</OutputValue></member></Outputs></member></Stacks>";
    let replay = Replay::start([
        query_answer("DescribeStacks", stack),
        query_error(400, "ValidationError"),
        query_error(403, "AccessDenied"),
    ])
    .await;
    let cloudformation = replay.aws.cloudformation();
    let found = cloudformation.stack("shop").await.unwrap();
    let expected = json!({"StackName": "shop", "StackStatus": "ROLLBACK_COMPLETE", "RoleARN": "arn:aws:iam::222222222222:role/Stack"});
    assert_eq!(found, Some(expected));
    assert_eq!(cloudformation.stack("gone").await.unwrap(), None);
    assert_eq!(cloudformation.stack("shop").await.unwrap_err().kind, ErrorKind::AccessDenied);
}

#[tokio::test]
async fn stopped_tasks_take_two_calls() {
    let replay = Replay::start([
        Reply::new(200, json!({"taskArns": ["arn:task/1"]})),
        Reply::new(200, json!({"tasks": [{"taskArn": "arn:task/1", "newField": 1}]})),
        Reply::new(200, json!({"taskArns": []})),
    ])
    .await;
    let ecs = replay.aws.ecs();
    let tasks = ecs.stopped_tasks("main", "web", 10).await.unwrap();
    assert_eq!(tasks, [json!({"taskArn": "arn:task/1", "newField": 1})]);
    assert_eq!(ecs.stopped_tasks("main", "web", 10).await.unwrap(), Vec::<Value>::new());
    let requests = replay.requests();
    assert_eq!(
        requests[0].json(),
        json!({"cluster": "main", "serviceName": "web", "desiredStatus": "STOPPED", "maxResults": 10})
    );
    assert_eq!(requests[1].json(), json!({"cluster": "main", "tasks": ["arn:task/1"]}));
}

#[tokio::test]
async fn builds_functions_and_executions_are_raw() {
    let replay = Replay::start([
        Reply::new(200, json!({"projects": [], "projectsNotFound": ["gone"]})),
        Reply::new(200, json!({"builds": [{"id": "tests:1", "newField": 1}]})),
        Reply::new(200, json!({"FunctionName": "smoke", "NewField": 1})),
        Reply::new(200, json!({"executionArn": "arn", "stateMachineArn": "arn", "status": "FAILED", "startDate": 1.5, "newField": 1})),
        Reply::new(200, json!({"events": [{"id": 2, "timestamp": 1.5, "type": "ExecutionFailed", "newField": 1}]})),
    ])
    .await;
    let codebuild = replay.aws.codebuild();
    assert_eq!(codebuild.project("gone").await.unwrap(), None);
    assert_eq!(codebuild.build("tests:1").await.unwrap(), Some(json!({"id": "tests:1", "newField": 1})));
    let function = replay.aws.lambda().configuration("smoke").await.unwrap();
    assert_eq!(function, json!({"FunctionName": "smoke", "NewField": 1}));
    let states = replay.aws.stepfunctions();
    assert_eq!(states.execution("arn").await.unwrap()["newField"], 1);
    assert_eq!(states.last_events("arn", 50).await.unwrap()[0]["newField"], 1);
    let asked = replay.requests()[4].json();
    assert_eq!(
        asked,
        json!({"executionArn": "arn", "maxResults": 50, "reverseOrder": true, "includeExecutionData": false})
    );
}
