//! The command, over the same AWS.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use crosspipe_e2e::LocalAws;
use serde_json::{Value, json};

use crate::scene::Scene;

/// Runs `crosspipe` as the tools account's root, which may read everything there and nothing elsewhere.
fn crosspipe(scene: &Scene, arguments: &[&str], input: &str) -> Output {
    let tests = std::env::current_exe().unwrap();
    let mut process = Command::new(tests.parent().unwrap().parent().unwrap().join("crosspipe"))
        .args(arguments)
        .env("AWS_ENDPOINT_URL", LocalAws::shared().endpoint())
        .env("AWS_ACCESS_KEY_ID", scene.world.tools.id())
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_REGION", scene.world.tools.region())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    process.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn plan_changes_nothing() {
    let scene = Scene::deployed();
    let before = scene.live();
    let plan = |resource: &Value, format: &str| {
        crosspipe(&scene, &["plan", "-", "--format", format], &resource.to_string())
    };

    let grant =
        json!({"Type": "Custom::ArtifactBucketGrant", "Properties": scene.bucket_grant(&["555555555555"])});
    let output = plan(&grant, "json");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(shown["before"], before.bucket_policy);
    let statements = |policy: &Value| policy["Statement"].as_array().unwrap().len();
    assert_eq!(statements(&shown["after"]), statements(&shown["before"]) + 4);
    assert!(text(&plan(&grant, "text").stdout).contains("+      \"Effect\": \"Allow\""));

    let roles = json!([{"Stage": "Staging", "Action": "Deploy", "RoleArn": scene.world.target_role_arn()}]);
    let patch = json!({"PipelineName": scene.world.pipeline, "ActionRoles": roles});
    let request = json!({"RequestType": "Create", "ResourceType": "Custom::PipelinePatch", "ResourceProperties": patch});
    let output = text(&plan(&request, "text").stdout);
    let role = format!("\"roleArn\": \"{}\"", scene.world.target_role_arn());
    assert!(output.lines().any(|line| line.starts_with('+') && line.contains(&role)), "{output}");

    let wrong = json!({"Type": "Custom::ArtifactBucketGrant", "Properties": scene.bucket_grant(&["1"])});
    let output = plan(&wrong, "text");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("`TargetAccounts`"), "{}", text(&output.stderr));
    scene.assert_unchanged(&before);
    scene.remove();
}

#[test]
fn live_snapshot_can_be_linted() {
    let scene = Scene::deployed();
    let lint = || {
        let snapshot = crosspipe(&scene, &["snapshot", "--pipeline", &scene.world.pipeline], "");
        assert!(snapshot.status.success(), "{}", text(&snapshot.stderr));
        crosspipe(&scene, &["lint", "-", "--format", "json"], &text(&snapshot.stdout))
    };
    let output = lint();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    // Somebody replaces the key policy by one that keeps only the account itself in.
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": scene.world.tools.id()}, "Action": "kms:*", "Resource": "*"}]});
    let request =
        json!({"KeyId": scene.world.key_arn, "PolicyName": "default", "Policy": policy.to_string()});
    scene.world.tools.call("kms", "put_key_policy", request).unwrap();
    let output = lint();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("KM001"));
}

fn binary() -> std::path::PathBuf {
    let tests = std::env::current_exe().unwrap();
    tests.parent().unwrap().parent().unwrap().join("crosspipe")
}

/// `cargo local-aws`: what it prints are exports with which the AWS CLI and the command see the pipeline.
#[test]
fn local_aws_runs_until_enter() {
    let mut process = Command::new(binary().with_file_name("local-aws"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut printed = std::io::BufReader::new(process.stdout.take().unwrap());
    let mut exports = String::new();
    while !exports.contains("ARTIFACT_KEY_ARN") {
        assert!(std::io::BufRead::read_line(&mut printed, &mut exports).unwrap() > 0, "{exports}");
    }
    let aws = crosspipe_e2e::Venv::ensure().unwrap().commands().join("aws");
    let script = format!(
        "{exports}\n{} codepipeline get-pipeline --name $PIPELINE && {} lint --pipeline $PIPELINE",
        aws.display(),
        binary().display()
    );
    let ran = Command::new("bash").args(["-c", &script]).output().unwrap();
    assert!(matches!(ran.status.code(), Some(0 | 1)), "{}", text(&ran.stderr));
    assert!(
        text(&ran.stdout).contains("\"stages\"") && text(&ran.stdout).contains("1 file:"),
        "{}",
        text(&ran.stdout)
    );
    process.stdin.take().unwrap().write_all(b"\n").unwrap();
    assert!(process.wait().unwrap().success());
}
