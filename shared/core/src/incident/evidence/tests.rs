//! Answers as AWS's pages show them, and what is made of each.

use crosspipe_testing::walkthrough::corrected;
use serde_json::{Value, json};

use super::*;
use crate::diagnosis::{Remediation, diagnose};

/// What a provider says of the walkthrough's deploy action, made one of this kind, that failed with this id.
fn said(kind: (&str, &str), configuration: Value, id: &str, parts: Value) -> Details {
    let mut snapshot = corrected();
    let action = snapshot.pointer_mut("/pipeline/pipeline/stages/1/actions/0").unwrap();
    action["actionTypeId"] = json!({"category": kind.0, "owner": "AWS", "version": "1", "provider": kind.1});
    action["configuration"] = configuration;
    snapshot.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
    let detail = json!({"actionExecutionId": "a-1", "startTime": 1_700_000_000.5, "output": {"executionResult": {"externalExecutionId": id}}});
    let failure = Failure { action_execution_id: "a-1".into(), ..Failure::default() }.with_details(&[detail]);
    let snapshot = Snapshot::from_value(snapshot).unwrap();
    let pipeline = snapshot.pipeline().unwrap();
    let action = pipeline.actions().nth(1).unwrap();
    details(&failure, &action, &snapshot)
}

fn failure(target: &str, step: &str, message: &str) -> TargetFailure {
    TargetFailure {
        target: target.into(),
        step: Some(step.into()),
        message: Some(message.into()),
        log_tail: None,
    }
}

const DEPLOY: (&str, &str) = ("Deploy", "CodeDeploy");

#[test]
fn codedeploy_names_lifecycle_event_and_log() {
    let health = "The overall deployment failed because too many individual instances failed deployment, too few healthy instances are available for deployment, or some instances in your deployment group are experiencing problems.";
    let log = format!(
        "LifecycleEvent - BeforeInstall\nScript - stop.sh\n{}[stderr]cp: no such file",
        "x".repeat(3_000)
    );
    let details = said(
        DEPLOY,
        json!({}),
        "d-A1B2C3D4E",
        json!({"deployments": {"d-A1B2C3D4E": {
            "deploymentInfo": {
                "deploymentId": "d-A1B2C3D4E", "status": "Failed", "computePlatform": "Server",
                "errorInformation": {"code": "HEALTH_CONSTRAINTS", "message": health},
                "deploymentOverview": {"Pending": 0, "InProgress": 0, "Succeeded": 1, "Failed": 2, "Skipped": 0, "Ready": 0}
            },
            "targets": [
                {"deploymentTargetType": "InstanceTarget", "instanceTarget": {
                    "targetId": "i-01a2b3c4d5e6f1111", "status": "Failed", "instanceLabel": "Blue",
                    "targetArn": "arn:aws:ec2:us-east-2:222222222222:instance/i-01a2b3c4d5e6f1111",
                    "lifecycleEvents": [
                        {"lifecycleEventName": "ApplicationStop", "status": "Succeeded", "diagnostics": {"errorCode": "Success", "scriptName": "", "message": "Succeeded", "logTail": ""}},
                        {"lifecycleEventName": "BeforeInstall", "status": "Failed", "diagnostics": {"errorCode": "ScriptFailed", "scriptName": "stop.sh", "message": "Script at specified location: stop.sh failed with exit code 1", "logTail": log}},
                        {"lifecycleEventName": "AfterInstall", "status": "Skipped"}
                    ]
                }},
                {"deploymentTargetType": "InstanceTarget", "instanceTarget": {"targetId": "i-2", "status": "Failed", "lifecycleEvents": []}},
                {"deploymentTargetType": "InstanceTarget", "instanceTarget": {"targetId": "i-3", "status": "Succeeded", "lifecycleEvents": []}}
            ]
        }}}),
    );
    assert_eq!(
        details.reason.as_deref(),
        Some(format!("2 of 3 targets failed; HEALTH_CONSTRAINTS: {health}").as_str())
    );
    let [first, second] = details.failures.as_slice() else { panic!("{details:?}") };
    let tail = first.log_tail.clone().unwrap();
    assert!(tail.starts_with("… x") && tail.ends_with("[stderr]cp: no such file"), "{tail}");
    assert_eq!(tail.chars().count(), LOG_TAIL + 2);
    let message = "ScriptFailed: stop.sh: Script at specified location: stop.sh failed with exit code 1";
    assert_eq!(
        TargetFailure { log_tail: None, ..first.clone() },
        failure("i-01a2b3c4d5e6f1111", "BeforeInstall", message)
    );
    assert_eq!((second.target.as_str(), &second.step), ("i-2", &None), "its agent never answered");
    assert_eq!(details.messages.first(), Some(&format!("BeforeInstall: {message}")));
    assert!(details.messages.iter().all(|text| !text.contains("no such file")), "no log");
}

#[test]
fn codedeploy_covers_ecs_and_lambda() {
    let hook = |kind: &str, target: Value| {
        let targets = json!([{"deploymentTargetType": kind, format!("{}Target", if kind == "ECSTarget" { "ecs" } else { "lambda" }): target}]);
        let info = json!({"status": "Failed", "errorInformation": {"code": "HOOK_EXECUTION_FAILURE", "message": "The deployment failed because a lifecycle hook failed."}});
        let parts = json!({"deployments": {"d-A1B2C3D4E": {"deploymentInfo": info, "targets": targets}}});
        said(DEPLOY, json!({}), "d-A1B2C3D4E", parts)
    };
    let events = json!([{"lifecycleEventName": "BeforeAllowTraffic", "status": "Failed", "diagnostics": {"errorCode": "UnknownError", "message": "One or more of the lifecycle validation functions failed"}}]);
    for (kind, id) in [("ECSTarget", "main:web"), ("LambdaTarget", "prod:api")] {
        let details = hook(kind, json!({"targetId": id, "status": "Failed", "lifecycleEvents": events}));
        let message = "UnknownError: One or more of the lifecycle validation functions failed";
        assert_eq!(details.failures, [failure(id, "BeforeAllowTraffic", message)]);
        assert_eq!(
            details.reason.as_deref(),
            Some("HOOK_EXECUTION_FAILURE: The deployment failed because a lifecycle hook failed.")
        );
    }
}

#[test]
fn cloudformation_names_first_failed_resource() {
    let stack =
        "arn:aws:cloudformation:us-east-2:222222222222:stack/shop/11111111-2222-3333-4444-555555555555";
    let event = |time: &str, id: &str, kind: &str, status: &str, reason: &str| {
        json!({"Timestamp": time, "StackId": stack, "LogicalResourceId": id, "PhysicalResourceId": if id == "shop" { stack } else { id },
            "ResourceType": kind, "ResourceStatus": status, "ResourceStatusReason": reason})
    };
    let denied = "Resource handler returned message: \"User: arn:aws:sts::222222222222:assumed-role/Stack/AWSCloudFormation is not authorized to perform: lambda:CreateFunction on resource: arn:aws:lambda:us-east-2:222222222222:function:api because no identity-based policy allows the lambda:CreateFunction action (Service: Lambda, Status Code: 403)\" (RequestToken: x, HandlerErrorCode: AccessDenied)";
    let of_stack = "AWS::CloudFormation::Stack";
    let now = "2023-11-14T22:15:00Z";
    let events = json!([
        event(now, "shop", of_stack, "UPDATE_ROLLBACK_COMPLETE", ""),
        event(
            now,
            "shop",
            of_stack,
            "UPDATE_ROLLBACK_IN_PROGRESS",
            "The following resource(s) failed to create: [Api, Queue]. "
        ),
        event(now, "Queue", "AWS::SQS::Queue", "CREATE_FAILED", "Resource creation cancelled"),
        event(now, "Api", "AWS::Lambda::Function", "CREATE_FAILED", denied),
        event(now, "shop", of_stack, "UPDATE_IN_PROGRESS", "User Initiated"),
        event("2023-11-14T22:14:30Z", "Old", "AWS::SNS::Topic", "CREATE_FAILED", "the time before")
    ]);
    let configuration = json!({"StackName": "shop", "ActionMode": "CREATE_UPDATE"});
    let parts = json!({"stackEvents": {"shop": events}});
    let details = said(("Deploy", "CloudFormation"), configuration.clone(), "", parts);
    assert_eq!(details.failures, [failure("Api (AWS::Lambda::Function)", "CREATE_FAILED", denied)]);
    assert!(
        details.reason.unwrap().starts_with("Api (AWS::Lambda::Function) is CREATE_FAILED: Resource handler")
    );
    assert!(details.messages[0].contains("is not authorized to perform: lambda:CreateFunction"));

    let earlier =
        json!([event("2023-11-13T00:00:00Z", "Api", "AWS::Lambda::Function", "CREATE_FAILED", denied)]);
    let parts = json!({"stackEvents": {"shop": earlier}, "stacks": {"shop": {"StackStatus": "ROLLBACK_COMPLETE", "StackStatusReason": "old"}}});
    assert_eq!(
        said(("Deploy", "CloudFormation"), configuration, "", parts),
        Details::default(),
        "before the action"
    );
}

#[test]
fn cloudformation_reads_nested_stack() {
    let id = |name: &str| format!("arn:aws:cloudformation:us-east-2:222222222222:stack/{name}/1");
    let event = |stack: &str, logical: &str, physical: &str, kind: &str, reason: &str| {
        json!({"StackId": id(stack), "LogicalResourceId": logical, "PhysicalResourceId": physical, "ResourceType": kind,
            "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": reason})
    };
    let embedded =
        "Embedded stack was not successfully created: The following resource(s) failed to create: [Queue].";
    let of_stack = "AWS::CloudFormation::Stack";
    let parts = json!({"stackEvents": {
        "shop": [event("shop", "Storage", &id("storage"), of_stack, embedded)],
        id("storage"): [event("storage", "Queue", "q", "AWS::SQS::Queue", "Access denied")],
    }});
    let details = said(("Deploy", "CloudFormation"), json!({"StackName": "shop"}), "", parts);
    let queue = failure("Queue (AWS::SQS::Queue)", "CREATE_FAILED", "Access denied");
    let storage = failure("Storage (AWS::CloudFormation::Stack)", "CREATE_FAILED", embedded);
    assert_eq!(details.failures, [queue, storage]);

    let itself = json!({"stackEvents": {id("shop"): [event("x", "Shop", &id("shop"), of_stack, embedded)], "shop": [event("x", "Shop", &id("shop"), of_stack, embedded)]}});
    let details = said(("Deploy", "CloudFormation"), json!({"StackName": "shop"}), "", itself);
    assert_eq!(details.failures.len(), FAILURES, "a stack within itself ends somewhere");
}

#[test]
fn cloudformation_reads_change_set_reason() {
    let configuration =
        json!({"StackName": "shop", "ChangeSetName": "next", "ActionMode": "CHANGE_SET_REPLACE"});
    let reason = "Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application Specification document.";
    let parts = json!({"changeSets": {"shop/next": {"Status": "FAILED", "StatusReason": reason}}});
    let details = said(("Deploy", "CloudFormation"), configuration, "", parts);
    assert_eq!((details.reason.as_deref(), details.messages), (Some(reason), vec![reason.to_owned()]));
}

#[test]
fn ecs_says_why_tasks_stopped() {
    let pull = "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref 111111111111.dkr.ecr.us-east-2.amazonaws.com/web:1: unexpected status: 403 Forbidden";
    let task = |id: &str, at: f64| {
        json!({"taskArn": format!("arn:aws:ecs:us-east-2:222222222222:task/main/{id}"), "stopCode": "TaskFailedToStart", "stoppedAt": at,
            "stoppedReason": pull, "containers": [{"name": "web", "reason": pull}, {"name": "proxy", "exitCode": 137}, {"name": "fine", "exitCode": 0}]})
    };
    let configuration = json!({"ClusterName": "main", "ServiceName": "web"});
    let event = "(service web) (deployment ecs-svc/1) deployment failed: tasks failed to start.";
    let service = json!({"serviceName": "web", "status": "ACTIVE",
        "deployments": [{"status": "PRIMARY", "rolloutState": "FAILED", "rolloutStateReason": "ECS deployment circuit breaker: tasks failed to start."}],
        "events": [{"createdAt": 1_700_000_100.0, "message": "(service web) has started 1 tasks: (task 1)."}, {"createdAt": 1_700_000_090.0, "message": event}]});
    let parts = json!({"services": {"main/web": {"service": service, "stoppedTasks": [task("1", 1_700_000_050.0), task("2", 1_700_000_040.0), task("3", 1_600_000_000.0)]}}});
    let details = said(("Deploy", "ECS"), configuration.clone(), "", parts);
    let message = format!("{pull}: container web: {pull}; container proxy: exit code 137");
    assert_eq!(
        details.failures,
        [failure("task 1", "TaskFailedToStart", &message)],
        "each reason once, and nothing old"
    );
    assert!(details.messages.contains(&event.to_owned()), "{:?}", details.messages);

    let parts = json!({"services": {"main/web": {"service": service, "stoppedTasks": []}}});
    assert_eq!(said(("Deploy", "ECS"), configuration.clone(), "", parts).reason.as_deref(), Some(event));
    let parts = json!({"services": {"main/web": null}});
    assert_eq!(
        said(("Deploy", "ECS"), configuration, "", parts).reason.as_deref(),
        Some("service main/web does not exist")
    );
}

#[test]
fn codebuild_names_phase_and_log() {
    let id = "tests:9b0ac37f-d19e-4254-9079-f47e9a389eEX";
    let log = "https://console.aws.amazon.com/cloudwatch/home?region=us-east-2#logEvent:group=/aws/codebuild/tests;stream=9b0ac37f";
    let build = json!({"id": id, "buildStatus": "FAILED", "logs": {"deepLink": log}, "phases": [
        {"phaseType": "SUBMITTED", "phaseStatus": "SUCCEEDED"},
        {"phaseType": "DOWNLOAD_SOURCE", "phaseStatus": "FAILED", "contexts": [{"statusCode": "CLIENT_ERROR", "message": "AccessDenied: Access Denied status code: 403"}]},
        {"phaseType": "COMPLETED"}
    ]});
    let details =
        said(("Build", "CodeBuild"), json!({"ProjectName": "tests"}), id, json!({"builds": {id: build}}));
    let message = "CLIENT_ERROR: AccessDenied: Access Denied status code: 403";
    assert_eq!(details.failures, [failure(id, "DOWNLOAD_SOURCE", message)]);
    assert_eq!(details.log.as_deref(), Some(log));
    assert_eq!(details.reason, Some(format!("DOWNLOAD_SOURCE failed: {message}")));
}

#[test]
fn missing_functions_and_buckets_are_named() {
    let function = |facts: Value| {
        let parts = json!({"functions": {"smoke": facts}});
        said(("Invoke", "Lambda"), json!({"FunctionName": "smoke"}), "", parts).reason
    };
    assert_eq!(function(Value::Null).as_deref(), Some("function smoke does not exist"));
    assert_eq!(function(json!({"State": "Active", "LastUpdateStatus": "Successful"})), None);
    let failed = json!({"State": "Failed", "StateReasonCode": "KMSKeyAccessDenied", "StateReason": "Lambda was unable to use the key."});
    let text = "function smoke is Failed: KMSKeyAccessDenied: Lambda was unable to use the key.";
    assert_eq!(function(failed).as_deref(), Some(text));

    let bucket = |facts: Value| {
        said(("Deploy", "S3"), json!({"BucketName": "site"}), "", json!({"buckets": {"site": facts}})).reason
    };
    assert_eq!(bucket(Value::Null).as_deref(), Some("bucket site does not exist"));
    assert_eq!(bucket(json!({"region": "us-east-2"})), None);
}

#[test]
fn stack_set_names_accounts_that_failed() {
    let results = json!({"Summaries": [
        {"Account": "333333333333", "Region": "us-east-2", "Status": "CANCELLED", "StatusReason": "Cancelled since failure tolerance has exceeded"},
        {"Account": "444444444444", "Region": "us-east-2", "Status": "FAILED",
            "StatusReason": "ResourceLogicalId:Topic, ResourceType:AWS::SNS::Topic, ResourceStatusReason:Topic already exists.",
            "AccountGateResult": {"Status": "SKIPPED", "StatusReason": "Function not found"}},
        {"Account": "555555555555", "Region": "us-west-2", "Status": "FAILED",
            "AccountGateResult": {"Status": "FAILED", "StatusReason": "the gate is closed"}},
        {"Account": "666666666666", "Region": "us-east-2", "Status": "SUCCEEDED"}
    ]});
    for provider in ["CloudFormationStackSet", "CloudFormationStackInstances"] {
        let parts = json!({"stackSetOperations": {"base": results}});
        let details = said(("Deploy", provider), json!({"StackSetName": "base"}), "", parts);
        let message = "ResourceLogicalId:Topic, ResourceType:AWS::SNS::Topic, ResourceStatusReason:Topic already exists.";
        assert_eq!(
            details.failures,
            [
                failure("account 444444444444 in us-east-2", "FAILED", message),
                failure("account 555555555555 in us-west-2", "FAILED", "the gate is closed"),
            ]
        );
        let reason = format!("account 444444444444 in us-east-2 failed: {message}");
        assert_eq!(details.reason.as_deref(), Some(reason.as_str()));
    }
}

#[test]
fn step_functions_name_last_failed_state() {
    let arn = "arn:aws:states:us-east-2:222222222222:execution:migrate:1";
    let events = json!([
        {"id": 6, "type": "ExecutionFailed", "executionFailedEventDetails": {"error": "States.TaskFailed", "cause": "denied"}},
        {"id": 5, "type": "TaskFailed", "taskFailedEventDetails": {"resourceType": "dynamodb", "resource": "putItem", "error": "DynamoDB.AmazonDynamoDBException", "cause": "User: x is not authorized to perform: dynamodb:PutItem"}},
        {"id": 4, "type": "TaskStarted"},
        {"id": 2, "type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "Store"}},
        {"id": 1, "type": "ExecutionStarted"}
    ]);
    let execution =
        json!({"executionArn": arn, "status": "FAILED", "error": "States.TaskFailed", "cause": "denied"});
    let parts = json!({"stateMachineExecutions": {arn: {"execution": execution, "events": events}}});
    let details = said(("Invoke", "StepFunctions"), json!({}), arn, parts);
    let message =
        "putItem: DynamoDB.AmazonDynamoDBException: User: x is not authorized to perform: dynamodb:PutItem";
    assert_eq!(details.failures, [failure("state Store", "TaskFailed", message)]);
    assert_eq!(details.reason.as_deref(), Some("States.TaskFailed: denied"));
}

#[test]
fn arbitrary_evidence_does_not_panic() {
    for kind in [
        DEPLOY,
        ("Deploy", "CodeDeployToECS"),
        ("Deploy", "CloudFormation"),
        ("Deploy", "ECS"),
        ("Deploy", "S3"),
        ("Build", "CodeBuild"),
        ("Invoke", "Lambda"),
        ("Invoke", "StepFunctions"),
        ("Approval", "Manual"),
    ] {
        let names = json!({"StackName": "n", "ClusterName": "n", "ServiceName": "n", "FunctionName": "n", "BucketName": "n"});
        assert_eq!(said(kind, names.clone(), "d-N", json!({})), Details::default(), "{kind:?}");
        let odd = json!({
            "deployments": {"d-N": {"deploymentInfo": [1], "targets": [3, {"instanceTarget": {"targetId": "t", "lifecycleEvents": {}}}]}},
            "stackEvents": {"n": [null, {}]}, "stacks": {"n": []}, "changeSets": {"n/n": 3},
            "services": {"n/n": {"service": {"events": 3}, "stoppedTasks": [{}]}},
            "builds": {"d-N": {"phases": [{"phaseStatus": "FAILED"}]}}, "functions": {"n": "text"},
            "stateMachineExecutions": {"d-N": {"execution": 3, "events": [{"type": "TaskFailed"}]}}
        });
        said(kind, names, "d-N", odd);
    }
}

#[test]
fn texts_are_cut_at_characters() {
    assert_eq!((start("äöü", 3), start("äöü", 2)), ("äöü".into(), "äö …".into()));
    assert_eq!((end("äöü", 3), end("äöü", 2)), ("äöü".into(), "… öü".into()));
}

#[test]
fn report_names_details_and_unread_parts() {
    let mut snapshot = corrected();
    snapshot["deployments"] = json!({"d-A1B2C3D4E": {"deploymentInfo": {"status": "Stopped"}}});
    snapshot["unreadable"] =
        json!(["`codedeploy:BatchGetDeploymentTargets` failed: AccessDeniedException: no"]);
    let pipeline = snapshot["pipeline"]["pipeline"].clone();
    let failure = Failure {
        stage: pipeline["stages"][1]["name"].as_str().unwrap().into(),
        action: pipeline["stages"][1]["actions"][0]["name"].as_str().unwrap().into(),
        external_execution_summary: Some("Deployment d-A1B2C3D4E failed".into()),
        ..Failure::default()
    };
    let snapshot = Snapshot::from_value(snapshot).unwrap();
    let report = diagnose(&failure, &snapshot, Remediation::off()).unwrap().unwrap();
    assert_eq!(report.deployment.reason.as_deref(), Some("the deployment is Stopped"));
    assert_eq!(report.deployment.not_read, snapshot.unreadable);
}
