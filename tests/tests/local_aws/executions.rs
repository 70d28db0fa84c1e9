//! Executions fail for the reason that is really there, and only then.

use crosspipe_e2e::CallError;
use serde_json::{Value, json};

use crate::support::{Scene, allow, create_role, put_role_policy};

const SUCCEEDED: (&str, &str, &str) = ("Succeeded", "", "");

fn assert_succeeds(scene: &Scene, why: &str) {
    let (status, code, message) = scene.deploy("run");
    assert_eq!((status.as_str(), code.as_str(), message.as_str()), SUCCEEDED, "{why}");
}

fn assert_fails(scene: &Scene, wanted: &str, part: &str) {
    let (status, code, message) = scene.deploy("run");
    assert_eq!((status.as_str(), code.as_str()), ("Failed", wanted), "{message}");
    assert!(message.contains(part), "`{message}` does not say `{part}`");
}

#[test]
fn every_grant_is_needed() {
    let scene = Scene::with_grants();
    scene.create_pipeline("run");
    assert_succeeds(&scene, "everything is granted");

    let own = json!({"Effect": "Allow", "Principal": {"AWS": scene.a.id()}, "Action": "kms:DescribeKey", "Resource": "*"});
    scene.put_key_policy(&own).unwrap();
    assert_fails(&scene, "PermissionError", "because no resource-based policy allows the kms:Decrypt action");
    scene.put_key_policy(&scene.key_grant()).unwrap();

    scene.a.call("s3", "delete_bucket_policy", json!({"Bucket": scene.bucket})).unwrap();
    assert_fails(
        &scene,
        "PermissionError",
        &format!("required to access the Amazon S3 bucket named {}", scene.bucket),
    );
    scene.put_bucket_policy(&scene.bucket_grant()).unwrap();

    for (name, part) in [
        ("key", "because no identity-based policy allows the kms:Decrypt action"),
        ("artifacts", "the permissions required to access the Amazon S3 bucket"),
        ("deploy", "The provided role does not have sufficient permissions to access CodeDeploy"),
    ] {
        let policy = json!({"RoleName": "XR", "PolicyName": name});
        let kept = scene.b.call("iam", "get_role_policy", policy.clone()).unwrap()["PolicyDocument"].take();
        scene.b.call("iam", "delete_role_policy", policy).unwrap();
        assert_fails(&scene, "PermissionError", part);
        put_role_policy(&scene.b, "XR", name, &kept).unwrap();
    }

    scene.a.call("iam", "delete_role_policy", json!({"RoleName": "SR", "PolicyName": "assume"})).unwrap();
    assert_fails(&scene, "PermissionError", "is not authorized to perform AssumeRole on role");
    scene.let_service_role_assume();
    assert_succeeds(&scene, "everything is granted again");
}

#[test]
fn key_ids_do_not_cross_accounts() {
    let scene = Scene::with_grants();
    scene.create_pipeline("run");
    let mut pipeline = scene.pipeline("run");
    let key_id = scene.key_arn.rsplit('/').next().unwrap().to_owned();
    pipeline["artifactStore"]["encryptionKey"]["id"] = json!(key_id);
    scene.a.call("codepipeline", "update_pipeline", json!({"pipeline": pipeline})).unwrap();
    assert_fails(
        &scene,
        "JobFailed",
        &format!("Key 'arn:aws:kms:eu-west-1:{}:key/{key_id}' does not exist", scene.b.id()),
    );

    pipeline["artifactStore"].as_object_mut().unwrap().remove("encryptionKey");
    scene.a.call("codepipeline", "update_pipeline", json!({"pipeline": pipeline})).unwrap();
    assert_fails(&scene, "PermissionError", "Unable to access the artifact with Amazon S3 object key");
}

#[test]
fn disabled_key_and_missing_codedeploy_permissions() {
    let scene = Scene::with_grants();
    scene.create_pipeline("run");
    let key = json!({"KeyId": scene.key_arn});
    scene.a.call("kms", "disable_key", key.clone()).unwrap();
    assert_fails(&scene, "JobFailed", &format!("{} is disabled", scene.key_arn));
    scene.a.call("kms", "enable_key", key).unwrap();

    let arn = |resource: &str| format!("arn:aws:codedeploy:eu-west-1:{}:{resource}", scene.b.id());
    let (group, application) = (arn("deploymentgroup:app/group"), arn("application:app"));
    let config = arn("deploymentconfig:*");
    let needs = [
        ("CreateDeployment", &group),
        ("GetDeployment", &group),
        ("GetApplicationRevision", &application),
        ("RegisterApplicationRevision", &application),
        ("GetDeploymentConfig", &config),
    ];
    let grant = |without: &str| {
        let statements: Vec<Value> = needs
            .iter()
            .filter(|(need, _)| *need != without)
            .map(|(need, resource)| {
                json!({"Effect": "Allow", "Action": format!("codedeploy:{need}"), "Resource": resource})
            })
            .collect();
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        put_role_policy(&scene.b, "XR", "deploy", &policy).unwrap();
    };
    for (need, _) in needs {
        grant(need);
        assert_fails(&scene, "PermissionError", "does not have sufficient permissions to access CodeDeploy");
    }
    grant("");
    assert_succeeds(&scene, "each of them on the resource that IAM knows it by");
}

#[test]
fn instances_download_as_their_own_role() {
    let scene = Scene::with_grants();
    scene.create_pipeline("run");
    let role = create_role(&scene.b, "IR", &json!({"Service": "ec2.amazonaws.com"}));
    let group = json!({
        "account": scene.b.id(), "region": "eu-west-1", "application": "app", "group": "group",
        "role": role, "instances": ["i-1", "i-2"],
    });
    scene.a.aws().control("instances", &group).unwrap();
    let (_, code, message) = scene.deploy("run");
    let id = message.strip_prefix("Deployment ").and_then(|it| it.strip_suffix(" failed")).unwrap();
    assert_eq!(code, "JobFailed");
    let read = |operation, request| scene.b.call("codedeploy", operation, request).unwrap();
    let info = read("get_deployment", json!({"deploymentId": id}));
    assert_eq!(info["deploymentInfo"]["errorInformation"]["code"], "HEALTH_CONSTRAINTS");
    let targets =
        read("batch_get_deployment_targets", json!({"deploymentId": id, "targetIds": ["i-1", "i-2"]}));
    let download = &targets["deploymentTargets"][1]["instanceTarget"]["lifecycleEvents"][1];
    assert_eq!(
        (&download["lifecycleEventName"], &download["status"]),
        (&json!("DownloadBundle"), &json!("Failed"))
    );
    let said = download["diagnostics"]["message"].as_str().unwrap();
    let asked = format!(
        "arn:aws:sts::{}:assumed-role/IR/i-2 is not authorized to perform: s3:GetObject",
        scene.b.id()
    );
    assert!(said.contains(&asked), "{said}");

    let objects = format!("arn:aws:s3:::{}/*", scene.bucket);
    put_role_policy(&scene.b, "IR", "artifacts", &allow("s3:GetObject", &objects)).unwrap();
    assert_fails(&scene, "JobFailed", "Deployment d-");
    put_role_policy(&scene.b, "IR", "key", &allow("kms:Decrypt", &scene.key_arn)).unwrap();
    // The key policy names the action's role only.
    assert_fails(&scene, "JobFailed", "Deployment d-");
    let account = json!({"Effect": "Allow", "Principal": {"AWS": scene.b.id()}, "Action": "kms:Decrypt", "Resource": "*"});
    scene.put_key_policy(&account).unwrap();
    assert_succeeds(&scene, "the instances may use bucket and key as themselves");
}

#[test]
fn scripted_failure_and_retry() {
    let scene = Scene::with_grants();
    scene.create_pipeline("run");
    let place = json!({
        "account": scene.a.id(), "region": "eu-west-1", "pipeline": "run", "stage": "Staging", "action": "Deploy",
        "code": "JobFailed", "summary": "Deployment d-1 failed", "externalExecutionId": "d-1",
    });
    scene.a.aws().control("fail", &place).unwrap();
    assert_fails(&scene, "JobFailed", "Deployment d-1 failed");
    let state = scene.a.call("codepipeline", "get_pipeline_state", json!({"name": "run"})).unwrap();
    let latest = &state["stageStates"][1]["actionStates"][0]["latestExecution"];
    assert_eq!((&latest["status"], &latest["externalExecutionId"]), (&json!("Failed"), &json!("d-1")));
    let superseded = state["stageStates"][1]["latestExecution"]["pipelineExecutionId"].clone();
    assert_fails(&scene, "JobFailed", "Deployment d-1 failed");
    let state = scene.a.call("codepipeline", "get_pipeline_state", json!({"name": "run"})).unwrap();
    let execution = state["stageStates"][1]["latestExecution"]["pipelineExecutionId"].clone();

    let mut corrected = place;
    corrected["code"] = Value::Null;
    scene.a.aws().control("fail", &corrected).unwrap();
    let retry_of = |execution: &Value, stage: &str| {
        let request = json!({
            "pipelineName": "run", "stageName": stage, "pipelineExecutionId": execution, "retryMode": "FAILED_ACTIONS",
        });
        scene.a.call("codepipeline", "retry_stage_execution", request)
    };
    let retry = |stage: &str| retry_of(&execution, stage);
    assert_eq!(retry_of(&superseded, "Staging").unwrap_err().code, "NotLatestPipelineExecutionException");
    assert_eq!(retry("Source").unwrap_err().code, "StageNotRetryableException");
    retry("Staging").unwrap();
    assert_eq!(retry("Staging").unwrap_err().code, "StageNotRetryableException");
    assert_eq!(retry_of(&superseded, "Staging").unwrap_err().code, "StageNotRetryableException");
    let listed =
        scene.a.call("codepipeline", "list_pipeline_executions", json!({"pipelineName": "run"})).unwrap();
    assert_eq!(listed["pipelineExecutionSummaries"][0]["status"], "Succeeded");
}

#[test]
fn start_is_idempotent_by_token() {
    let scene = Scene::with_grants();
    scene.create_pipeline("run");
    let start = |token: &str| {
        let request = json!({"name": "run", "clientRequestToken": token});
        scene.a.call("codepipeline", "start_pipeline_execution", request).unwrap()["pipelineExecutionId"]
            .take()
    };
    let (first, again, other) = (start("one"), start("one"), start("two"));
    assert_eq!(first, again);
    assert_ne!(first, other);

    let mut seen = Vec::new();
    let mut request = json!({"pipelineName": "run", "maxResults": 3});
    loop {
        let page = scene.a.call("codepipeline", "list_action_executions", request.clone()).unwrap();
        seen.extend(
            page["actionExecutionDetails"].as_array().unwrap().iter().map(|one| one["actionName"].clone()),
        );
        let Some(token) = page.get("nextToken") else { break };
        request["nextToken"] = token.clone();
    }
    assert_eq!(seen, ["Deploy", "Fetch", "Deploy", "Fetch"]);
    let unknown = json!({"pipelineName": "run", "filter": {"pipelineExecutionId": "11111111-2222-3333-4444-555555555555"}});
    let error: CallError = scene.a.call("codepipeline", "list_action_executions", unknown).unwrap_err();
    assert_eq!(error.code, "PipelineExecutionNotFoundException");
}
