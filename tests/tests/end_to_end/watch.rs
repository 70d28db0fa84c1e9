//! The watch: findings are notified of before a run, on a change and on a schedule.

use std::thread;
use std::time::{Duration, Instant};

use crosspipe_e2e::{CallError, LocalAws};
use serde_json::{Value, json};

use crate::alerts::Listening;
use crate::scene::Scene;

const PATIENCE: Duration = Duration::from_secs(60);

/// A scene that watches, and what was granted in it.
struct Watching {
    listening: Listening,
    granted: Value,
}

impl Watching {
    fn with(parameters: &[(&'static str, &str)]) -> Self {
        let scene = Scene::deployed_with(|_, given| {
            given.extend(parameters.iter().map(|(name, value)| (*name, (*value).to_owned())));
        });
        let granted = scene.live().bucket_policy;
        Self { listening: Listening::to(scene), granted }
    }

    /// From now on changes are recorded.
    fn with_trail(self) -> Self {
        LocalAws::shared().control("trail", &json!({"account": self.scene().world.tools.id()})).unwrap();
        self
    }

    fn scene(&self) -> &Scene {
        &self.listening.scene
    }

    fn put_bucket_policy(&self, policy: &Value) {
        let world = &self.scene().world;
        let request = json!({"Bucket": world.bucket, "Policy": policy.to_string()});
        world.tools.call("s3", "put_bucket_policy", request).unwrap();
    }

    /// Hands the reporter an event and waits for its answer: the error, if it has one.
    fn invoke(&self, event: &Value) -> Option<Value> {
        let function = self.scene().role_name("FailureReporter");
        let request = json!({"FunctionName": function, "Payload": event.to_string()});
        let answer = self.scene().world.tools.call("lambda", "invoke", request).unwrap();
        answer.get("FunctionError").map(|_| answer["Payload"].clone())
    }

    /// The record of a change of the bucket policy, as it came or comes.
    fn bucket_policy_changed(&self) -> Value {
        let tools = &self.scene().world.tools;
        json!({
            "detail-type": "AWS API Call via CloudTrail", "source": "aws.s3", "account": tools.id(), "region": tools.region(),
            "detail": {
                "eventSource": "s3.amazonaws.com", "eventName": "PutBucketPolicy",
                "userIdentity": {"type": "Root", "arn": format!("arn:aws:iam::{}:root", tools.id())},
                "requestParameters": {"bucketName": self.scene().world.bucket}, "recipientAccountId": tools.id(),
            },
        })
    }

    /// Runs the pipeline to its end.
    fn run_pipeline(&self) -> String {
        let world = &self.scene().world;
        let call = |operation, request| world.tools.call("codepipeline", operation, request).unwrap();
        let started = call("start_pipeline_execution", json!({"name": world.pipeline}));
        let asked =
            json!({"pipelineName": world.pipeline, "pipelineExecutionId": started["pipelineExecutionId"]});
        let execution = call("get_pipeline_execution", asked);
        execution["pipelineExecution"]["status"].as_str().unwrap().to_owned()
    }

    /// How often the reporter has read the bucket policy: once in each check.
    fn checks(&self) -> usize {
        let asked = json!({"account": self.scene().world.tools.id(), "service": "s3", "operation": "GetBucketPolicy"});
        let calls = LocalAws::shared().control("calls", &asked).unwrap();
        let by_reporter = |call: &&Value| call["caller"].to_string().contains("CrosspipeFailureReporter");
        calls["calls"].as_array().unwrap().iter().filter(by_reporter).count()
    }

    fn wait_for_checks(&self, count: usize) {
        let start = Instant::now();
        while self.checks() < count {
            assert!(start.elapsed() < PATIENCE, "{} checks, not {count}", self.checks());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// The next alert and the event that goes with it.
    fn next_alert_and_event(&self) -> (String, Value) {
        let alert = self.listening.alert().expect("an alert");
        let text = format!("{}\n{}", alert["Subject"].as_str().unwrap(), alert["Message"].as_str().unwrap());
        (text, self.listening.event().expect("an event"))
    }

    fn assert_silent(&self) {
        assert_eq!(self.listening.subscriber.notifications(), Vec::<Value>::new());
    }
}

fn scheduled() -> Value {
    json!({"detail-type": "Scheduled Event", "source": "aws.events", "time": "2024-05-01T06:00:00Z", "detail": {}})
}

/// The rules of the findings in an event.
fn rules(event: &Value) -> Vec<&str> {
    event["detail"]["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["rule"].as_str().unwrap())
        .collect()
}

#[test]
fn hand_edited_bucket_policy_is_notified() {
    let watching = Watching::with(&[("WatchChanges", "true")]).with_trail();
    let world = &watching.scene().world;
    let checks = watching.checks();
    let mut harmless = watching.granted.clone();
    harmless["Statement"].as_array_mut().unwrap().push(json!({
        "Sid": "Audit", "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{}:root", world.tools.id())},
        "Action": "s3:ListBucket", "Resource": format!("arn:aws:s3:::{}", world.bucket),
    }));
    watching.put_bucket_policy(&harmless);
    watching.wait_for_checks(checks + 1);

    watching.listening.clean_up_bucket_policy();
    let (text, event) = watching.next_alert_and_event();
    let root = format!("arn:aws:iam::{}:root", world.tools.id());
    for part in [
        "S3001",
        "PutBucketPolicy",
        &root,
        &world.bucket,
        "s3:GetObject",
        &format!("arn:aws:iam::{}:root", world.target.id()),
    ] {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
    assert_eq!((&event["detail-type"], rules(&event)), (&json!("Crosspipe Finding Detected"), vec!["S3001"]));
    let detail = &event["detail"];
    assert_eq!(
        (&detail["pipeline"], &detail["account"], &detail["schemaVersion"]),
        (&json!(world.pipeline), &json!(world.tools.id()), &json!("1"))
    );
    assert_eq!(
        (&detail["trigger"]["event"], &detail["trigger"]["actor"]),
        (&json!("PutBucketPolicy"), &json!(root))
    );
    assert!(detail["findings"][0]["fix"].as_str().unwrap().contains("s3:GetObject"), "{detail}");

    // Delivered again, and edited once more without resolving it.
    assert_eq!(watching.invoke(&watching.bucket_policy_changed()), None);
    watching.assert_silent();

    let checks = watching.checks();
    watching.put_bucket_policy(&watching.granted);
    let (text, event) = watching.next_alert_and_event();
    assert!(text.contains("S3001"), "{text}");
    assert_eq!((&event["detail-type"], rules(&event)), (&json!("Crosspipe Finding Resolved"), vec!["S3001"]));
    watching.wait_for_checks(checks + 1);
    assert_eq!(watching.invoke(&watching.bucket_policy_changed()), None);
    watching.assert_silent();

    // Nobody ran the pipeline meanwhile, and a bucket that no pipeline uses is of no interest.
    let checks = watching.checks();
    let mut elsewhere = watching.bucket_policy_changed();
    elsewhere["detail"]["requestParameters"]["bucketName"] = json!("somebody-elses");
    assert_eq!(watching.invoke(&elsewhere), None);
    assert_eq!(watching.checks(), checks);
}

#[test]
fn schedule_detects_target_account_change() {
    let watching = Watching::with(&[("WatchSchedule", "rate(7 days)")]);
    let world = &watching.scene().world;
    let role = |name: &str, trust: &Value| {
        let request = json!({"RoleName": name, "PolicyDocument": trust.to_string()});
        world.target.call("iam", "update_assume_role_policy", request).unwrap();
    };
    let trust = |name: &str| {
        let answer = world.target.call("iam", "get_role", json!({"RoleName": name})).unwrap();
        answer["Role"]["AssumeRolePolicyDocument"].clone()
    };
    let nobody = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": world.target.id()}, "Action": "sts:AssumeRole"}]});
    let (of_target, of_diagnostics) = (trust("CrosspipeTargetRole"), trust("CrosspipeDiagnosticsRole"));
    assert_eq!(watching.invoke(&scheduled()), None);
    watching.assert_silent();

    role("CrosspipeTargetRole", &nobody);
    assert_eq!(watching.invoke(&scheduled()), None);
    let (text, event) = watching.next_alert_and_event();
    assert!(text.contains("IA002"), "{text}");
    assert_eq!((&event["detail-type"], rules(&event)), (&json!("Crosspipe Finding Detected"), vec!["IA002"]));
    assert_eq!(
        event["detail"]["trigger"],
        json!({"event": "Scheduled Event", "time": "2024-05-01T06:00:00Z"})
    );

    // What can't be read any more is neither resolved nor, when it can be read again, new.
    role("CrosspipeDiagnosticsRole", &nobody);
    assert_eq!(watching.invoke(&scheduled()), None);
    role("CrosspipeDiagnosticsRole", &of_diagnostics);
    assert_eq!(watching.invoke(&scheduled()), None);
    watching.assert_silent();

    role("CrosspipeTargetRole", &of_target);
    for _ in 0..2 {
        assert_eq!(watching.invoke(&scheduled()), None);
    }
    let (_, event) = watching.next_alert_and_event();
    assert_eq!((&event["detail-type"], rules(&event)), (&json!("Crosspipe Finding Resolved"), vec!["IA002"]));
    watching.assert_silent();

    // The permission that a schedule needs beside those of a report.
    let reporter = watching.scene().role_name("FailureReporterRole");
    let without = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:GetSessionToken", "Resource": "*"}]});
    watching.scene().change_role(&reporter, "Watch", |policy| *policy = without);
    let error = watching.invoke(&scheduled()).expect("an error").to_string();
    assert!(error.contains("codepipeline:ListPipelines"), "{error}");
}

#[test]
fn owned_statements_are_reapplied_once() {
    let watching = Watching::with(&[("WatchChanges", "true"), ("RemediationMode", "apply")]).with_trail();
    watching.listening.clean_up_bucket_policy();
    let (_, found) = watching.next_alert_and_event();
    assert_eq!((&found["detail-type"], rules(&found)), (&json!("Crosspipe Finding Detected"), vec!["S3001"]));
    let (text, resolved) = watching.next_alert_and_event();
    assert_eq!(
        (&resolved["detail-type"], rules(&resolved)),
        (&json!("Crosspipe Finding Resolved"), vec!["S3001"])
    );
    assert_eq!(resolved["detail"]["remediation"]["outcome"], "reapplied", "{resolved}");
    assert!(text.contains("Crosspipe has remediated") && text.contains("ArtifactBucketGrant"), "{text}");
    assert_eq!(watching.run_pipeline(), "Succeeded");

    // Whoever removes it again means it: they are notified, and nothing is put back.
    watching.listening.clean_up_bucket_policy();
    let (_, found) = watching.next_alert_and_event();
    assert_eq!((&found["detail-type"], rules(&found)), (&json!("Crosspipe Finding Detected"), vec!["S3001"]));
    assert_eq!(watching.invoke(&watching.bucket_policy_changed()), None);
    watching.assert_silent();
    assert_eq!(watching.run_pipeline(), "Failed");
}

#[test]
fn each_destination_is_notified_once() {
    let watching = Watching::with(&[("WatchChanges", "true")]);
    let tools = &watching.scene().world.tools;
    let event = watching.bucket_policy_changed();
    watching.listening.clean_up_bucket_policy();
    let refused = CallError { code: "AuthorizationError".into(), message: "not now".into(), status: 403 };
    LocalAws::shared().fault(tools.id(), "sns", "Publish", 1, &refused).unwrap();
    let error = watching.invoke(&event).expect("an error").to_string();
    assert!(error.contains("sns:Publish"), "{error}");
    let found = watching.listening.event().expect("an event");
    assert_eq!(found["detail-type"], "Crosspipe Finding Detected");
    watching.assert_silent();
    assert_eq!(watching.invoke(&event), None);
    assert!(watching.listening.alert().is_some(), "the next attempt notifies the destination that failed");

    watching.put_bucket_policy(&watching.granted);
    thread::scope(|scope| {
        let invocations: Vec<_> = (0..4).map(|_| scope.spawn(|| watching.invoke(&event))).collect();
        for invocation in invocations {
            assert_eq!(invocation.join().unwrap(), None);
        }
    });
    let (_, resolved) = watching.next_alert_and_event();
    assert_eq!(
        resolved["detail-type"], "Crosspipe Finding Resolved",
        "the other destination was notified before"
    );
    watching.assert_silent();
}
