use crosspipe_testing::walkthrough::{
    A, BUCKET, KEY, REGION, SERVICE_ROLE, TARGET_ROLE, corrected, pipeline,
};
use serde_json::{Value, json};

use crate::fake_aws::{Answers, serve};
use crate::{Ran, command, file, json_file, run, without_key_grant};

fn snapshot(answers: Answers, arguments: &[&str]) -> Ran {
    let mut command = command(&[&["snapshot", "--pipeline", "MyFirstPipeline"], arguments].concat());
    command.env_clear().env("AWS_ENDPOINT_URL", serve(answers)).env("AWS_REGION", REGION);
    // Nothing of the machine's own configuration.
    command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command
        .env("AWS_ACCESS_KEY_ID", A)
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    command.output().unwrap().into()
}

fn get_pipeline() -> (u16, String) {
    let metadata = json!({"pipelineArn": format!("arn:aws:codepipeline:{REGION}:{A}:MyFirstPipeline")});
    (200, json!({"pipeline": pipeline(), "metadata": metadata}).to_string())
}

/// All of the key and the service role without its policies; the rest is denied.
fn some(operation: &str, _: &str) -> Option<(u16, String)> {
    let trust = corrected()["roles"][SERVICE_ROLE]["trustPolicy"].to_string();
    let trust: String = trust.bytes().map(|byte| format!("%{byte:02X}")).collect();
    Some(match operation {
        "GetPipeline" => get_pipeline(),
        "GetKeyPolicy" => {
            let policy = without_key_grant()["keys"][KEY]["policy"].to_string();
            (200, json!({"Policy": policy, "PolicyName": "default"}).to_string())
        }
        "DescribeKey" => {
            (200, json!({"KeyMetadata": {"KeyId": "1234abcd", "KeyState": "Enabled"}}).to_string())
        }
        "ListGrants" => (200, json!({"Grants": [], "Truncated": false}).to_string()),
        "GetRole" => (
            200,
            format!(
                "<GetRoleResponse><GetRoleResult><Role><Path>/</Path><RoleName>CodePipeline_Service_Role</RoleName><RoleId>AROA1</RoleId><Arn>{SERVICE_ROLE}</Arn><CreateDate>2020-01-01T00:00:00Z</CreateDate><AssumeRolePolicyDocument>{trust}</AssumeRolePolicyDocument></Role></GetRoleResult></GetRoleResponse>"
            ),
        ),
        "ListActionExecutions" => {
            (200, json!({"actionExecutionDetails": [{"actionExecutionId": "a-1"}]}).to_string())
        }
        _ => return None,
    })
}

#[test]
fn unreadable_parts_name_a_reason() {
    let ran = snapshot(some, &["--diagnostics-role", "Diagnostics", "--execution", "e-1"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let taken = ran.json();
    assert_eq!(taken["pipeline"]["pipeline"], pipeline());
    let key = &taken["keys"][KEY];
    assert_eq!((&key["keyMetadata"]["KeyState"], &key["grants"]), (&json!("Enabled"), &json!([])));
    assert_eq!(key["policy"], without_key_grant()["keys"][KEY]["policy"]);
    let role = &taken["roles"][SERVICE_ROLE];
    assert!(role["trustPolicy"].is_object() && role["permissionsBoundary"].is_null(), "{role}");
    assert_eq!(taken["actionExecutions"], json!([{"actionExecutionId": "a-1"}]));
    // Denied: missing, not null.
    for (part, of) in
        [("inlinePolicies", role), ("attachedPolicies", role), ("policy", &taken["buckets"][BUCKET])]
    {
        assert_eq!(of.get(part), None, "{taken:#}");
    }
    assert_eq!(taken["roles"].get(TARGET_ROLE), None);
    for reason in
        ["s3:GetBucketPolicy", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies", "sts:AssumeRole"]
    {
        assert!(ran.err.contains(&format!("note: `{reason}` failed")), "`{reason}` is not in: {}", ran.err);
    }
}

#[test]
fn lint_reads_what_snapshot_writes() {
    let ran = snapshot(some, &[]);
    assert!(ran.err.contains("--diagnostics-role"), "{}", ran.err);
    let linted = run(&["lint", "--format", "json", file(&ran.out).path()]);
    assert_eq!(linted.code, Some(1), "{}", linted.err);
    assert_eq!(linted.json()["findings"][0]["rule"], "KM001");
    assert!(!linted.json()["unknown"].as_array().unwrap().is_empty());
}

#[test]
fn event_rules_are_read_for_remote_sources() {
    let answers: Answers = |operation, body| {
        let body = match operation {
            "GetPipeline" => {
                let mut pipeline: Value = serde_json::from_str(&get_pipeline().1).unwrap();
                pipeline["pipeline"]["stages"][0]["actions"][0]["roleArn"] = TARGET_ROLE.into();
                pipeline
            }
            "ListEventBuses" => json!({"EventBuses": [{"Name": "default"}]}),
            "ListTargetsByRule" => json!({"Targets": []}),
            "DescribeEventBus" => {
                json!({"Name": "default", "Arn": "arn:aws:events:us-east-2:1:event-bus/default"})
            }
            "ListRuleNamesByTarget" => json!({"RuleNames": ["start"]}),
            "DescribeRule" => json!({"Name": "start", "State": "ENABLED", "EventPattern": "{}"}),
            _ => return some(operation, body),
        };
        Some((200, body.to_string()))
    };
    let taken = snapshot(answers, &[]).json();
    assert_eq!(taken["eventRules"][0]["Name"], "start", "{taken}");
    assert_eq!(taken["eventRules"][0]["Targets"], json!([]), "{taken}");
    let buses = taken["eventBuses"].as_object().unwrap();
    assert_eq!(buses.values().collect::<Vec<_>>(), [&json!({"policy": null})], "{taken}");
    // Of sources at home nobody asks; what is denied is not known.
    let at_home = snapshot(some, &[]);
    assert_eq!((at_home.json().get("eventRules"), at_home.err.contains("events:")), (None, false));
}

#[test]
fn unreadable_pipeline_fails() {
    let denied = snapshot(|_, _| None, &[]);
    denied.unusable(&[
        "pipeline `MyFirstPipeline` can't be read",
        "AccessDenied",
        "codepipeline:GetPipeline",
    ]);
    assert_eq!(denied.out, "");
    let gone: Answers = |_, _| Some((400, r#"{"__type":"PipelineNotFoundException","message":"no"}"#.into()));
    snapshot(gone, &[]).unusable(&["PipelineNotFoundException", REGION, "--region"]);
    let odd: Answers = |_, _| Some((200, r#"{"pipeline": {"name": "x"}}"#.into()));
    snapshot(odd, &[]).unusable(&["pipeline `MyFirstPipeline` can't be read"]);
    run(&["snapshot"]).unusable(&["--pipeline"]);
}

#[test]
fn arbitrary_answers_do_not_panic() {
    for garbage in [
        |_: &str, _: &str| Some((200, "\u{0}nonsense".to_owned())),
        |_: &str, _: &str| Some((200, "[]".to_owned())),
    ] {
        snapshot(garbage, &[]).unusable(&["pipeline `MyFirstPipeline` can't be read"]);
    }
    let then_garbage: Answers = |operation, _| {
        Some(if operation == "GetPipeline" { get_pipeline() } else { (200, "<a>{".to_owned()) })
    };
    let ran = snapshot(then_garbage, &["--execution", "e"]);
    assert_eq!((ran.code, ran.err.contains("panicked")), (Some(0), false), "{}", ran.err);
    let unknown = run(&["lint", "--format", "json", json_file(&ran.json()).path()]);
    assert_eq!((unknown.code, &unknown.json()["findings"]), (Some(0), &json!([])), "{}", unknown.err);
    let _: Value = ran.json();
}

#[test]
fn an_unknown_execution_is_unusable() {
    let none: Answers = |operation, body| match operation {
        "ListActionExecutions" => Some((200, json!({"actionExecutionDetails": []}).to_string())),
        _ => some(operation, body),
    };
    let gone: Answers = |operation, body| match operation {
        "ListActionExecutions" => {
            Some((400, r#"{"__type":"PipelineExecutionNotFoundException","message":"no"}"#.into()))
        }
        _ => some(operation, body),
    };
    for answers in [none, gone] {
        let ran = snapshot(answers, &["--execution", "e-1"]);
        ran.unusable(&["execution `e-1` of pipeline `MyFirstPipeline`", "list-pipeline-executions"]);
        assert_eq!(ran.out, "");
    }
}

#[test]
fn lint_reads_a_live_pipeline() {
    let mut lint = command(&["lint", "--pipeline", "MyFirstPipeline", "--format", "json"]);
    lint.env_clear().env("AWS_ENDPOINT_URL", serve(some)).env("AWS_REGION", REGION);
    lint.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    lint.env("AWS_ACCESS_KEY_ID", A).env("AWS_SECRET_ACCESS_KEY", "local");
    let ran = Ran::from(lint.env("AWS_EC2_METADATA_DISABLED", "true").output().unwrap());
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert_eq!(ran.json()["findings"][0]["rule"], "KM001");
    assert!(ran.err.contains("--diagnostics-role"), "{}", ran.err);
    run(&["lint", "--pipeline", "x", "file.json"]).unusable(&["cannot be used with"]);
}

#[test]
fn missing_credentials_are_named_as_that() {
    let without = |profile: Option<&str>| {
        let mut command = command(&["snapshot", "--pipeline", "x", "--region", REGION]);
        command.env_clear().env("AWS_CONFIG_FILE", "/dev/null");
        command.env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null").env("AWS_EC2_METADATA_DISABLED", "true");
        command.envs(profile.map(|name| ("AWS_PROFILE", name)));
        Ran::from(command.output().unwrap())
    };
    let nobody = without(None);
    nobody.unusable(&["no AWS credentials were found", "next: set AWS_PROFILE"]);
    let unknown = without(Some("nope"));
    unknown.unusable(&["profile `nope`", "aws configure list-profiles"]);
    for ran in [nobody, unknown] {
        assert!(!ran.err.contains("IMDS"), "{}", ran.err);
    }
}
