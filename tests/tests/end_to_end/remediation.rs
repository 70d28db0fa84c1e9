//! Remediation: what somebody removed of Crosspipe's is put back, once; foreign statements are left alone.

use serde_json::{Value, json};

use crosspipe_e2e::LocalAws;
use crosspipe_e2e::world::Live;

use crate::alerts::Listening;
use crate::permissions::{actions, remove};
use crate::scene::Scene;
use crate::ten_faults::inject;

fn applying() -> Listening {
    Listening::to(Scene::deployed_with(|_, parameters| {
        parameters.insert("RemediationMode", "apply".to_owned());
    }))
}

impl Listening {
    /// Runs the pipeline with this fault in it, and answers the one report.
    fn report_of_run(&self) -> Value {
        self.run_pipeline();
        let alert = self.alert().expect("an alert");
        let report = self.report().expect("a report");
        let (text, outcome) = (alert["Message"].as_str().unwrap(), outcome(&report));
        if outcome != "notAttempted" {
            assert!(text.contains(&format!("\nRemediation ({outcome})\n")), "{text}");
        }
        report
    }

    fn status(&self, execution: &Value) -> String {
        let request = json!({"pipelineName": self.scene.world.pipeline, "pipelineExecutionId": execution});
        let answer = self.scene.world.tools.call("codepipeline", "get_pipeline_execution", request).unwrap();
        answer["pipelineExecution"]["status"].as_str().unwrap().to_owned()
    }

    /// How often the reporter itself made this call.
    fn reporters_calls(&self, service: &str, operation: &str) -> usize {
        let request =
            json!({"account": self.scene.world.tools.id(), "service": service, "operation": operation});
        let answer = LocalAws::shared().control("calls", &request).unwrap();
        let calls = answer["calls"].as_array().unwrap();
        calls.iter().filter(|call| call["caller"].to_string().contains("CrosspipeFailureReporter")).count()
    }

    /// The failure of this report once more, as another action execution of the same pipeline execution; its id.
    fn fail_again(&self, report: &Value) -> Value {
        let tools = &self.scene.world.tools;
        let request = json!({"account": tools.id(), "region": tools.region(), "pipeline": report["pipeline"],
            "actionExecutionId": report["actionExecutionId"]});
        LocalAws::shared().control("fail-again", &request).unwrap()["actionExecutionId"].take()
    }

    /// The event of an action execution of this report's execution.
    fn deliver(&self, report: &Value, action_execution: &Value) {
        let failed = json!({
            "pipelineExecutionId": report["executionId"], "actionExecutionId": action_execution,
            "stageName": report["stage"], "actionName": report["action"],
            "input": {"actionTypeId": {"provider": report["provider"]}},
        });
        self.invoke(&self.event_of("Action", &failed));
    }

    fn put_bucket_policy(&self, policy: &Value) {
        let world = &self.scene.world;
        let request = json!({"Bucket": world.bucket, "Policy": policy.to_string()});
        world.tools.call("s3", "put_bucket_policy", request).unwrap();
    }

    fn put_key_policy(&self, policy: &Value) {
        let world = &self.scene.world;
        let request = json!({"KeyId": world.key_arn, "PolicyName": "default", "Policy": policy.to_string()});
        world.tools.call("kms", "put_key_policy", request).unwrap();
    }

    /// The row of the lock table for a target.
    fn row(&self, target_arn: &str) -> Value {
        let table = &self.scene.outputs["LockTableName"];
        let request = json!({"TableName": table, "Key": {"LockKey": {"S": target_arn}}});
        self.scene.world.tools.call("dynamodb", "get_item", request).unwrap()["Item"].take()
    }

    fn records(&self, target_arn: &str) -> Vec<String> {
        let row = self.row(target_arn);
        assert_eq!((row.get("Holder"), row.get("ExpiresAt")), (None, None), "neither held nor tidied up");
        let notes = row.as_object().unwrap().iter().filter(|(name, _)| name.starts_with("Note:"));
        // That a resource was deleted stays on record for a while.
        let applied = notes.filter(|(_, note)| !note.to_string().contains("DeletedAt"));
        applied.map(|(name, _)| name.clone()).collect()
    }

    fn bucket_arn(&self) -> String {
        format!("arn:aws:s3:::{}", self.scene.world.bucket)
    }
}

fn outcome(report: &Value) -> &str {
    assert_eq!(report["remediation"]["mode"], "apply", "{report}");
    report["remediation"]["outcome"].as_str().unwrap()
}

fn rule(report: &Value) -> &str {
    report["rootCause"]["rule"].as_str().unwrap_or_default()
}

/// The document without our statements, and ours alone.
fn parted(policy: &Value) -> (Vec<Value>, Vec<Value>) {
    let statements = policy["Statement"].as_array().unwrap().iter().cloned();
    statements.partition(|one| !one["Sid"].as_str().unwrap_or_default().starts_with("Crosspipe"))
}

/// The document without our statements, and with these in front of the others.
fn without_ours(policy: &Value, foreign: &[Value]) -> Value {
    let (others, ours) = parted(policy);
    assert!(!ours.is_empty(), "{policy}");
    let mut document = policy.clone();
    document["Statement"] = json!([foreign, &others].concat());
    document
}

/// Whatever the order of its statements: what is put back comes last.
fn assert_same(before: &Live, after: &Live) {
    let [was, is] = [before, after].map(|live| {
        let (others, mut ours) = parted(&live.bucket_policy);
        ours.sort_by_key(Value::to_string);
        (others, ours)
    });
    assert_eq!(was, is);
}

#[test]
fn owned_grant_is_reapplied_and_retried() {
    let listening = applying();
    let (scene, world) = (&listening.scene, &listening.scene.world);
    let deployed = scene.live();

    let foreign = json!({"Sid": "Audit 7", "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{}:root", world.tools.id())},
        "Action": ["s3:ListBucket", "s3:GetBucketLocation"], "Resource": [listening.bucket_arn()]});
    let by_hand = without_ours(&deployed.bucket_policy, &[foreign]);
    listening.put_bucket_policy(&by_hand);
    let by_hand = scene.live().bucket_policy;
    let report = listening.report_of_run();
    assert_eq!((rule(&report), outcome(&report)), ("S3001", "retried"), "{report}");
    assert_eq!(listening.status(&report["executionId"]), "Succeeded");
    let (others, ours) = parted(&scene.live().bucket_policy);
    assert_eq!(others, parted(&by_hand).0, "what is not ours is as it was found");
    assert_eq!(ours, parted(&deployed.bucket_policy).1);

    let foreign = json!({"Sid": "Audit 8", "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{}:root", world.tools.id())},
        "Action": ["kms:ListGrants"], "Resource": ["*"]});
    listening.put_key_policy(&without_ours(&deployed.key_policy, &[foreign]));
    let by_hand = scene.live().key_policy;
    let report = listening.report_of_run();
    // The build's role is the first to miss the key.
    assert_eq!((rule(&report), outcome(&report)), ("CB002", "retried"), "{report}");
    assert_eq!(listening.status(&report["executionId"]), "Succeeded");
    let (others, ours) = parted(&scene.live().key_policy);
    assert_eq!((others, ours), (parted(&by_hand).0, parted(&deployed.key_policy).1));

    let ours = deployed.service_role.inline.keys().find(|name| name.starts_with("Crosspipe-")).unwrap();
    let named = json!({"RoleName": world.service_role, "PolicyName": ours});
    world.tools.call("iam", "delete_role_policy", named).unwrap();
    let report = listening.report_of_run();
    assert_eq!((rule(&report), outcome(&report)), ("IA001", "retried"), "{report}");
    assert_eq!(listening.status(&report["executionId"]), "Succeeded");
    assert_eq!(scene.live().service_role.inline, deployed.service_role.inline);
    let steps = report["remediation"]["steps"].to_string();
    for part in [
        "`ServiceRoleGrant` of stack `crosspipe-orders` put back",
        "IA001 is resolved",
        "Retried the failed actions",
    ] {
        assert!(steps.contains(part), "`{part}` is not in {steps}");
    }
    assert!(listening.subscriber.notifications().is_empty(), "one alert for each failure");

    // A key that was set by hand in the pipeline itself: the failed execution can't go on with another structure.
    let mut pipeline = scene.live().pipeline;
    pipeline["artifactStore"]["encryptionKey"]["id"] = json!(world.key_arn.rsplit('/').next().unwrap());
    world.tools.call("codepipeline", "update_pipeline", json!({"pipeline": pipeline})).unwrap();
    let report = listening.report_of_run();
    assert_eq!((rule(&report), outcome(&report)), ("PL002", "retryRefused"), "{report}");
    assert!(report["remediation"]["steps"].to_string().contains("start-pipeline-execution"), "{report}");
    assert_eq!(scene.live().pipeline["artifactStore"], deployed.pipeline["artifactStore"]);
    listening.run_pipeline();
    let state = json!({"pipelineName": world.pipeline});
    let listed = world.tools.call("codepipeline", "list_pipeline_executions", state).unwrap();
    assert_eq!(
        listed["pipelineExecutionSummaries"][0]["status"], "Succeeded",
        "a new one is all that it takes"
    );
}

#[test]
fn foreign_fixes_are_only_proposed() {
    let listening = applying();
    let (scene, world) = (&listening.scene, &listening.scene.world);

    // Missing in B: nothing in A could remediate it.
    inject::target_role_without_key(world);
    let before = scene.live();
    let report = listening.report_of_run();
    assert_eq!((rule(&report), outcome(&report)), ("IA004", "notAttempted"), "{report}");
    assert_eq!(
        report["remediation"]["steps"],
        json!([report["rootCause"]["fix"]]),
        "the exact change is proposed"
    );
    assert_eq!(listening.reporters_calls("lambda", "InvokeFunction"), 0);
    assert_eq!(listening.reporters_calls("codepipeline", "RetryStageExecution"), 0);
    scene.assert_unchanged(&before);

    // Missing on this side as well: ours is put back, and with what is left the action would fail again.
    listening.clean_up_bucket_policy();
    let report = listening.report_of_run();
    assert_eq!((rule(&report), outcome(&report)), ("S3001", "reapplied"), "{report}");
    assert!(
        report["remediation"]["steps"].to_string().contains("Not retried, because it would fail again"),
        "{report}"
    );
    assert_eq!(listening.reporters_calls("codepipeline", "RetryStageExecution"), 0);
    assert_same(&before, &scene.live());

    // Missing here, and nobody knows any more that it was ours.
    let row = json!({"TableName": scene.outputs["LockTableName"], "Key": {"LockKey": {"S": listening.bucket_arn()}}});
    world.tools.call("dynamodb", "delete_item", row).unwrap();
    listening.clean_up_bucket_policy();
    let before = scene.live();
    let report = listening.report_of_run();
    assert_eq!((rule(&report), outcome(&report)), ("S3001", "nothingOwned"), "{report}");
    let steps = report["remediation"]["steps"].as_array().unwrap();
    assert!(steps.contains(&report["rootCause"]["fix"]), "{report}");
    scene.assert_unchanged(&before);
}

#[test]
fn one_attempt_per_execution() {
    let listening = applying();
    listening.clean_up_bucket_policy();
    let report = listening.report_of_run();
    assert_eq!(outcome(&report), "retried", "{report}");

    for _ in 0..2 {
        listening.deliver(&report, &report["actionExecutionId"]);
    }
    assert!(listening.subscriber.notifications().is_empty(), "duplicates alert nobody");
    assert_eq!(listening.reporters_calls("lambda", "InvokeFunction"), 1);

    // The same execution failed for the same reason, and is looked at when nothing is missing any more.
    listening.deliver(&report, &listening.fail_again(&report));
    let other = listening.report().expect("a report of the other action");
    assert_eq!((&other["rootCause"], outcome(&other)), (&Value::Null, "alreadyAttempted"), "{other}");
    assert!(other["remediation"]["steps"].to_string().contains("put back"), "{other}");
    listening.alert().expect("its alert");

    // Somebody removes it again, and the same execution fails once more.
    listening.clean_up_bucket_policy();
    let before = listening.scene.live();
    listening.deliver(&report, &listening.fail_again(&report));
    let again = listening.report().expect("a report of the second failure");
    assert_eq!((rule(&again), outcome(&again)), ("S3001", "alreadyAttempted"), "{again}");
    let steps = again["remediation"]["steps"].as_array().unwrap();
    assert!(steps[0].as_str().unwrap().contains("put back"), "the outcome of the first attempt: {again}");
    assert!(steps.contains(&again["rootCause"]["fix"]), "{again}");
    listening.scene.assert_unchanged(&before);
    assert_eq!(listening.reporters_calls("lambda", "InvokeFunction"), 1);
    assert_eq!(listening.reporters_calls("codepipeline", "RetryStageExecution"), 1);
}

#[test]
fn third_removal_is_left_alone() {
    let listening = applying();
    for _ in 0..2 {
        listening.clean_up_bucket_policy();
        assert_eq!(outcome(&listening.report_of_run()), "retried");
    }
    listening.clean_up_bucket_policy();
    let before = listening.scene.live();
    let report = listening.report_of_run();
    assert_eq!((rule(&report), outcome(&report)), ("S3001", "notAttempted"), "{report}");
    let steps = report["remediation"]["steps"].to_string();
    for part in ["put back 2 times within 24 hours", "RemediationMode=propose"] {
        assert!(steps.contains(part), "`{part}` is not in {steps}");
    }
    listening.scene.assert_unchanged(&before);
    assert_eq!(listening.reporters_calls("lambda", "InvokeFunction"), 2);
}

#[test]
fn records_follow_their_resources() {
    let listening = applying();
    let (scene, bucket) = (&listening.scene, listening.bucket_arn());
    let first = listening.records(&bucket);
    assert_eq!(first.len(), 1);
    let mut grant = scene.bucket_grant(&["555555555555"]);
    grant["DenyUnencryptedUploads"] = json!(false);
    scene.create("second", "ArtifactBucketGrant", grant.clone()).unwrap();
    assert_eq!(listening.records(&bucket).len(), 2);

    // Both owners' statements go, and both are put back.
    let granted = scene.live();
    listening.put_bucket_policy(&without_ours(&granted.bucket_policy, &[]));
    let report = listening.report_of_run();
    assert_eq!(outcome(&report), "retried", "{report}");
    assert!(report["remediation"]["steps"].to_string().contains("`Resource` of stack `second`"), "{report}");
    let sorted = |policy: &Value| {
        let mut statements: Vec<String> = parted(policy).1.iter().map(Value::to_string).collect();
        statements.sort();
        statements
    };
    assert_eq!(sorted(&scene.live().bucket_policy), sorted(&granted.bucket_policy));

    // The Delete's last write to the table fails: it is tried again rather than forgotten.
    let fail = |skip: u32| {
        let fault = json!({"account": scene.world.tools.id(), "service": "dynamodb", "operation": "UpdateItem",
            "code": "ValidationException", "times": 1, "skip": skip});
        LocalAws::shared().control("fault", &fault).unwrap();
    };
    fail(1);
    let failed = scene.world.tools.delete_stack("second").unwrap_err().to_string();
    assert!(failed.contains("still on record in the lock table"), "{failed}");
    scene.delete("second");
    assert_eq!(listening.records(&bucket), first);

    // A Create whose record can't be kept succeeds and says so.
    fail(1);
    let mut template: Value = serde_json::from_str(&scene.template("ArtifactBucketGrant", grant)).unwrap();
    template["Outputs"] = json!({"Notice": {"Value": {"Fn::GetAtt": ["Resource", "Notice"]}}});
    let outputs = scene.world.tools.deploy_stack("third", &template.to_string(), &[], &[]).unwrap();
    assert!(outputs["Notice"].contains("could not be put on record"), "{outputs:?}");
    assert_eq!(listening.records(&bucket), first, "and it holds nobody up");
    scene.delete("third");

    // What was deleted is not put back.
    listening.clean_up_bucket_policy();
    let report = listening.report_of_run();
    assert_eq!(outcome(&report), "retried", "{report}");
    let policy = scene.live().bucket_policy.to_string();
    assert!(!policy.contains("555555555555"), "{policy}");
    listening.scene.remove();
}

#[test]
fn missing_remediation_permissions_are_named() {
    const POLICY: &str = "Remediation";
    let listening = applying();
    let scene = &listening.scene;
    let role = scene.role_name("FailureReporterRole");
    let name = json!({"RoleName": role, "PolicyName": POLICY});
    let whole = scene.world.tools.call("iam", "get_role_policy", name).unwrap()["PolicyDocument"].clone();
    let actions = actions(&whole);
    assert_eq!(actions, ["lambda:InvokeFunction", "codepipeline:RetryStageExecution"]);
    for (action, expected) in actions.iter().zip(["failed", "retryRefused"]) {
        scene.change_role(&role, POLICY, |policy| remove(policy, action));
        listening.clean_up_bucket_policy();
        let report = listening.report_of_run();
        assert_eq!((rule(&report), outcome(&report)), ("S3001", expected), "without {action}: {report}");
        assert!(report["remediation"]["steps"].to_string().contains(action), "without {action}: {report}");
        scene.change_role(&role, POLICY, |policy| *policy = whole.clone());
    }

    // The access provider's own permission is missing: its reason is passed on.
    let provider = scene.role_name("AccessProviderRole");
    scene.change_role(&provider, "AccessProvider", |policy| remove(policy, "s3:PutBucketPolicy"));
    listening.clean_up_bucket_policy();
    let before = scene.live();
    let report = listening.report_of_run();
    assert_eq!((rule(&report), outcome(&report)), ("S3001", "failed"), "{report}");
    assert!(report["remediation"]["steps"].to_string().contains("s3:PutBucketPolicy"), "{report}");
    scene.assert_unchanged(&before);
}
