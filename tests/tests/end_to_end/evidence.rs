//! What the provider in the target account says of a failure, up to the alert.

use crosspipe_e2e::LocalAws;
use serde_json::{Value, json};

use crate::alerts::Listening;
use crate::permissions::remove;

const DIAGNOSTICS: &str = "CrosspipeDiagnosticsRole";
const POLICY: &str = "Diagnostics";

impl Listening {
    /// The deploy action becomes one of another provider.
    fn deploys_with(&self, category: &str, provider: &str, configuration: &Value) {
        let world = &self.scene.world;
        let live = world.tools.call("codepipeline", "get_pipeline", json!({"name": world.pipeline})).unwrap();
        let mut pipeline = live["pipeline"].clone();
        let action = deploy_action(&mut pipeline);
        action["actionTypeId"]["category"] = json!(category);
        action["actionTypeId"]["provider"] = json!(provider);
        action["configuration"] = configuration.clone();
        world.tools.call("codepipeline", "update_pipeline", json!({"pipeline": pipeline})).unwrap();
    }

    /// The deploy action fails from now on as this.
    fn deploy_fails(&self, id: &str, summary: &str) {
        let world = &self.scene.world;
        let live = world.tools.call("codepipeline", "get_pipeline", json!({"name": world.pipeline})).unwrap();
        let mut pipeline = live["pipeline"].clone();
        let action = deploy_action(&mut pipeline)["name"].clone();
        let failure = json!({
            "account": world.tools.id(), "region": world.tools.region(), "pipeline": world.pipeline, "stage": "Production",
            "action": action, "code": "JobFailed", "summary": summary, "externalExecutionId": id,
        });
        LocalAws::shared().control("fail", &failure).unwrap();
    }

    /// Replaces what the diagnostics role may do; answers what it could before.
    fn change_diagnostics(&self, change: impl FnOnce(&mut Value)) -> Value {
        let target = &self.scene.world.target;
        let name = json!({"RoleName": DIAGNOSTICS, "PolicyName": POLICY});
        let before = target.call("iam", "get_role_policy", name).unwrap()["PolicyDocument"].take();
        let mut document = before.clone();
        change(&mut document);
        let request =
            json!({"RoleName": DIAGNOSTICS, "PolicyName": POLICY, "PolicyDocument": document.to_string()});
        target.call("iam", "put_role_policy", request).unwrap();
        before
    }

    /// One failed run's report and the text of its alert.
    fn failed_run(&self) -> (Value, String) {
        self.run_pipeline();
        let text = self.alert().expect("an alert")["Message"].as_str().unwrap().to_owned();
        (self.report().expect("a report"), text)
    }

    /// Each of these permissions taken away in turn is named as what is missing, and the report goes out.
    fn each_is_named(&self, actions: &[&str]) {
        let (report, _) = self.failed_run();
        assert_eq!(report["deployment"]["notRead"], Value::Null, "{report}");
        for action in actions {
            let before = self.change_diagnostics(|policy| remove(policy, action));
            let (report, text) = self.failed_run();
            let not_read = report["deployment"]["notRead"].to_string();
            assert!(not_read.contains(action), "without {action}: {report}");
            assert!(text.contains(action), "without {action}:\n{text}");
            self.change_diagnostics(|policy| *policy = before);
        }
    }
}

fn deploy_action(pipeline: &mut Value) -> &mut Value {
    let stages = pipeline["stages"].as_array_mut().unwrap();
    let stage = stages.iter_mut().find(|stage| stage["name"] == "Production").unwrap();
    &mut stage["actions"][0]
}

fn deployment(listening: &Listening, id: &str, platform: &str, targets: Value) {
    let target = &listening.scene.world.target;
    let deployment = json!({
        "account": target.id(), "region": target.region(),
        "deploymentInfo": {
            "deploymentId": id, "applicationName": "orders", "deploymentGroupName": "orders-production", "status": "Failed",
            "computePlatform": platform,
            "errorInformation": {"code": "HEALTH_CONSTRAINTS", "message": "The overall deployment failed because too many individual instances failed deployment, too few healthy instances are available for deployment, or some instances in your deployment group are experiencing problems."},
            "deploymentOverview": {"Pending": 0, "InProgress": 0, "Succeeded": 1, "Failed": 1, "Skipped": 0, "Ready": 0},
        },
        "targets": targets,
    });
    LocalAws::shared().control("deployment", &deployment).unwrap();
}

#[test]
fn failed_script_is_shown_with_log() {
    let listening = Listening::start_with(|_, parameters| {
        parameters.insert("LogTails", "redact".to_owned());
    });
    let target = |id: &str, event: Value| {
        let status = event["status"].clone();
        json!({"deploymentTargetType": "InstanceTarget", "instanceTarget": {"targetId": id, "status": status, "lifecycleEvents": [event]}})
    };
    let failed = json!({"lifecycleEventName": "BeforeInstall", "status": "Failed", "diagnostics": {
        "errorCode": "ScriptFailed", "scriptName": "scripts/stop.sh", "message": "Script at specified location: scripts/stop.sh failed with exit code 1",
        "logTail": "LifecycleEvent - BeforeInstall\nScript - scripts/stop.sh\n[stderr]systemctl: Unit orders.service not loaded.\nDB_PASSWORD=hunter2"}});
    let fine = json!({"lifecycleEventName": "BeforeInstall", "status": "Succeeded"});
    deployment(
        &listening,
        "d-A1B2C3D4E",
        "Server",
        json!([target("i-0fine", fine), target("i-0badc0ffee", failed)]),
    );
    listening.deploy_fails("d-A1B2C3D4E", "Deployment d-A1B2C3D4E failed");

    let (report, text) = listening.failed_run();
    for part in [
        "1 of 2 targets failed",
        "HEALTH_CONSTRAINTS",
        "i-0badc0ffee",
        "BeforeInstall",
        "scripts/stop.sh failed with exit code 1",
        "systemctl: Unit orders.service not loaded.",
    ] {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
    assert!(!text.contains("i-0fine"), "only what failed:\n{text}");
    assert!(!text.contains("hunter2") && !report.to_string().contains("hunter2"), "{text}\n{report}");
    let failure = &report["deployment"]["failures"][0];
    assert_eq!((&failure["target"], &failure["step"]), (&json!("i-0badc0ffee"), &json!("BeforeInstall")));
    let open = json!({"rule": "IA007", "missing": "instanceRoles"});
    let unknown = report["unknown"].as_array().unwrap();
    assert!(unknown.contains(&open), "CodeDeploy does not say which roles its instances have: {report}");

    listening.each_is_named(&[
        "codedeploy:GetDeployment",
        "codedeploy:ListDeploymentTargets",
        "codedeploy:BatchGetDeploymentTargets",
    ]);
}

/// What scripts print stays in the target account, unless the installation says otherwise.
#[test]
fn logs_stay_where_they_are() {
    let listening = Listening::start();
    let failed = json!({"lifecycleEventName": "BeforeInstall", "status": "Failed", "diagnostics": {
        "errorCode": "ScriptFailed", "scriptName": "scripts/stop.sh", "message": "exit code 1", "logTail": "[stderr]the log"}});
    let target = json!({"deploymentTargetType": "InstanceTarget", "instanceTarget": {"targetId": "i-0a", "status": "Failed", "lifecycleEvents": [failed]}});
    deployment(&listening, "d-A1B2C3D4F", "Server", json!([target]));
    listening.deploy_fails("d-A1B2C3D4F", "Deployment d-A1B2C3D4F failed");
    let (report, text) = listening.failed_run();
    assert!(text.contains("scripts/stop.sh: exit code 1"), "{text}");
    assert!(!text.contains("the log") && !report.to_string().contains("the log"), "{text}\n{report}");
}

/// CodeDeploy does not say which role an instance has; what the instance was answered does.
#[test]
fn denied_instance_names_its_role() {
    let listening = Listening::start();
    let world = &listening.scene.world;
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let role =
        json!({"RoleName": "orders-web", "Path": "/web/", "AssumeRolePolicyDocument": trust.to_string()});
    world.target.call("iam", "create_role", role).unwrap();
    let message = format!(
        "User: arn:aws:sts::{}:assumed-role/orders-web/i-0badc0ffee is not authorized to perform: kms:Decrypt on resource: {} because no identity-based policy allows the kms:Decrypt action",
        world.target.id(),
        world.key_arn
    );
    let event = json!({"lifecycleEventName": "DownloadBundle", "status": "Failed", "diagnostics": {"errorCode": "UnknownError", "message": message}});
    let target = json!({"deploymentTargetType": "InstanceTarget", "instanceTarget": {"targetId": "i-0badc0ffee", "status": "Failed", "lifecycleEvents": [event]}});
    deployment(&listening, "d-A1B2C3D4E", "Server", json!([target]));
    listening.deploy_fails("d-A1B2C3D4E", "Deployment d-A1B2C3D4E failed");
    let (report, _) = listening.failed_run();
    let findings = report["findings"].as_array().unwrap();
    let found = findings.iter().find(|it| it["rule"] == "IA007").unwrap_or_else(|| panic!("{report}"));
    let role = format!("arn:aws:iam::{}:role/web/orders-web", world.target.id());
    assert!(found["location"].as_str().unwrap().contains(&role), "{found}");
}

/// Not even the role itself: the alert says so, with what is known on this side.
#[test]
fn closed_target_account_is_named() {
    let listening = Listening::start();
    listening.deploy_fails("d-A1B2C3D4E", "Deployment d-A1B2C3D4E failed");
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": listening.scene.world.target.id()}, "Action": "sts:AssumeRole"}]});
    let request = json!({"RoleName": DIAGNOSTICS, "PolicyDocument": trust.to_string()});
    listening.scene.world.target.call("iam", "update_assume_role_policy", request).unwrap();
    let (report, text) = listening.failed_run();
    assert!(text.contains("`sts:AssumeRole` failed"), "{text}");
    assert!(text.contains("d-A1B2C3D4E"), "{text}");
    assert_eq!(report["deployment"]["failures"], Value::Null, "{report}");
}

#[test]
fn ecs_deployment_has_no_instances() {
    let listening = Listening::start();
    let target = &listening.scene.world.target;
    let group = json!({"account": target.id(), "region": target.region(), "applicationName": "orders", "deploymentGroupName": "orders-production", "computePlatform": "ECS"});
    LocalAws::shared().control("deployment-group", &group).unwrap();
    listening.clean_up_bucket_policy();
    let (report, _) = listening.failed_run();
    assert_eq!(report["rootCause"]["rule"], "S3001", "{report}");
    assert_eq!(report["unknown"], json!([]), "everything could be read in both accounts");
    listening.each_is_named(&["codedeploy:GetDeploymentGroup"]);
}

#[test]
fn failed_stack_names_first_resource() {
    let listening = Listening::start();
    let target = &listening.scene.world.target;
    let template = json!({"Resources": {"Api": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": "api", "Roles": ["nobody-has-this-role"],
        "PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}}}}});
    let configuration =
        json!({"ActionMode": "CHANGE_SET_EXECUTE", "StackName": "shop", "ChangeSetName": "next"});
    listening.deploys_with("Deploy", "CloudFormation", &configuration);
    listening
        .deploy_fails("", "The following resource(s) failed to create: [Api]. Rollback requested by user.");
    let crosspipe_e2e::StackError::Failed(failed) =
        target.deploy_stack("shop", &template.to_string(), &[], &["CAPABILITY_IAM"]).unwrap_err()
    else {
        panic!("refused")
    };
    let (report, text) = listening.failed_run();
    let failure = &report["deployment"]["failures"][0];
    assert_eq!(
        (&failure["target"], &failure["step"]),
        (&json!("Api (AWS::IAM::Policy)"), &json!("CREATE_FAILED")),
        "{report}"
    );
    let reason = failed.reason("Api").unwrap();
    assert!(
        !reason.is_empty() && report["deployment"]["reason"].as_str().unwrap().contains(reason),
        "{report}"
    );
    assert!(text.contains("Api (AWS::IAM::Policy)") && text.contains("CREATE_FAILED"), "{text}");

    listening.each_is_named(&[
        "cloudformation:DescribeStacks",
        "cloudformation:DescribeStackEvents",
        "cloudformation:DescribeChangeSet",
    ]);
}

#[test]
fn missing_evidence_permissions_are_named() {
    let listening = Listening::start();
    let world = &listening.scene.world;
    let target = &world.target;
    let arn = |service: &str, resource: &str| {
        format!("arn:aws:{service}:{}:{}:{resource}", target.region(), target.id())
    };
    target.call("ecs", "create_cluster", json!({"clusterName": "main"})).unwrap();
    let container = json!([{"name": "web", "image": "web:1", "memory": 128, "environment": [{"name": "TOKEN", "value": "secret"}]}]);
    target
        .call("ecs", "register_task_definition", json!({"family": "web", "containerDefinitions": container}))
        .unwrap();
    let service =
        json!({"cluster": "main", "serviceName": "web", "taskDefinition": "web:1", "desiredCount": 0});
    target.call("ecs", "create_service", service).unwrap();

    let execution = arn("states", "execution:migrate:1");
    for (category, provider, configuration, id, actions) in [
        (
            "Deploy",
            "ECS",
            json!({"ClusterName": "main", "ServiceName": "web"}),
            "",
            &["ecs:DescribeServices", "ecs:ListTasks", "ecs:DescribeTaskDefinition"][..],
        ),
        ("Build", "CodeBuild", json!({"ProjectName": "tests"}), "tests:1", &["codebuild:BatchGetBuilds"]),
        ("Invoke", "Lambda", json!({"FunctionName": "smoke"}), "", &["lambda:GetFunctionConfiguration"]),
        (
            "Invoke",
            "StepFunctions",
            json!({"StateMachineArn": arn("states", "stateMachine:migrate")}),
            &execution,
            &["states:DescribeExecution", "states:GetExecutionHistory"],
        ),
        (
            "Deploy",
            "CloudFormationStackSet",
            json!({"StackSetName": "base", "TemplatePath": "SourceArtifact::base.yaml"}),
            "",
            &["cloudformation:ListStackSetOperations"],
        ),
        (
            "Deploy",
            "CloudFormationStackSet",
            json!({"StackSetName": "base", "TemplatePath": "SourceArtifact::base.yaml"}),
            "11111111-2222-3333-4444-555555555555",
            &["cloudformation:ListStackSetOperationResults"],
        ),
        (
            "Deploy",
            "S3",
            json!({"BucketName": "nobody-has-this-bucket", "Extract": "true"}),
            "",
            &["s3:GetBucketLocation", "s3:GetBucketOwnershipControls"],
        ),
    ] {
        listening.deploys_with(category, provider, &configuration);
        listening.deploy_fails(id, &format!("{provider} failed"));
        listening.each_is_named(actions);
    }
}
