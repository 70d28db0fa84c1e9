use std::process::Command;

use crosspipe_testing::walkthrough::{A, REGION, pipeline};
use serde_json::json;

use crate::fake_aws::{Answers, serve};
use crate::{Ran, command, json_file, run};

const README: &str = include_str!("../../../README.md");
const ORDERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/orders.json");
const BILLING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/billing.json");

/// The shell blocks of the README's section on deploying.
fn readme_blocks() -> Vec<&'static str> {
    let section = README.split("## Deploy it for real").nth(1).unwrap().split("\n## ").next().unwrap();
    let block = |rest: &'static str| rest.split_once("```").unwrap().0;
    section.split("```sh\n").skip(1).map(block).collect()
}

/// What the README shows is what its command prints, over the pipelines of `data/`.
#[test]
fn readme_shows_what_is_printed() {
    let blocks = readme_blocks();
    let asked = blocks[0].replace("\\\n", " ");
    let arguments: Vec<&str> = asked.split_whitespace().skip_while(|it| *it != "init").collect();
    let by_file = |words: &[&str]| -> Vec<String> {
        let mut words = words.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        for index in 0..words.len() {
            if words[index] == "--pipeline" {
                words[index] = "--snapshot".into();
                words[index + 1] = if words[index + 1] == "orders" { ORDERS } else { BILLING }.into();
            }
        }
        words
    };
    let arguments = by_file(&arguments);
    let ran = run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(blocks[1], ran.out, "{}", ran.out);
}

#[test]
fn unknown_parts_are_on_standard_error() {
    let ran = run(&["init", "--snapshot", ORDERS, "--target-accounts", "222222222222"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    for part in ["note: not known: which actions", "InstanceRoleNames", "--alert-email"] {
        assert!(ran.err.contains(part), "`{part}` is not in: {}", ran.err);
    }
    assert!(
        !ran.out.contains("not known") && ran.out.contains("--accounts 222222222222 --regions eu-west-1")
    );
    let asked = ["--action", "Deploy/Production=222222222222", "--alert-email", "you@example.com"];
    let ran =
        run(&[&["init", "--snapshot", ORDERS, "--target-accounts", "222222222222"], &asked[..]].concat());
    assert!(!ran.err.contains("--action") && !ran.err.contains("--alert-email"), "{}", ran.err);
}

#[test]
fn wrong_arguments_name_what_is_expected() {
    let with = |arguments: &[&str]| run(&[&["init", "--snapshot", ORDERS], arguments].concat());
    with(&[]).unusable(&["--target-accounts", "--organization"]);
    with(&["--target-accounts", "1234"]).unusable(&["12 digits"]);
    with(&["--organization", "r-ab12"]).unusable(&["o-…"]);
    with(&["--organization", "o-a1b2c3d4e5", "--target-accounts", "222222222222"])
        .unusable(&["cannot be used with"]);
    with(&["--organization", "o-a1b2c3d4e5", "--organization-paths", "ou-ab12-1"])
        .unusable(&["o-a1b2c3d4e5/r-ab12"]);
    with(&["--target-accounts", "111111111111"]).unusable(&["own account"]);
    with(&["--target-accounts", "222222222222", "--action", "Deploy=222222222222"])
        .unusable(&["STAGE/ACTION=ACCOUNT"]);
    with(&["--target-accounts", "222222222222", "--action", "No/One=222222222222"])
        .unusable(&["no pipeline has an action"]);
    run(&["init", "--target-accounts", "222222222222"]).unusable(&["--pipeline"]);
}

/// bash splits what is printed into the words that were meant, whatever is in them.
#[test]
fn shells_take_values_for_words() {
    let mut pipeline = pipeline();
    let name = "my app'; \"$(exit 3)\" `exit 4`";
    pipeline["stages"][1]["actions"][0]["actionTypeId"]["provider"] = json!("ElasticBeanstalk");
    pipeline["stages"][1]["actions"][0]["configuration"]["ApplicationName"] = json!(name);
    let metadata = json!({"pipelineArn": format!("arn:aws:codepipeline:{REGION}:{A}:MyFirstPipeline")});
    let snapshot = json_file(&json!({"pipeline": pipeline, "metadata": metadata}));
    let organization =
        ["--organization", "o-a1b2c3d4e5", "--organization-paths", "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*"];
    let ran = run(&[&["init", "--snapshot", snapshot.path()], &organization[..]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let stubs = "sam() { printf '%s\\0' \"$@\"; }; aws() { printf '%s\\0' \"$@\"; };";
    let output =
        Command::new("bash").args(["-c", &format!("set -eu; {stubs}\n{}", ran.out)]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let words = String::from_utf8(output.stdout).unwrap();
    let words: Vec<&str> = words.split('\0').collect();
    let escaped = name.replace('"', "\\\"");
    for word in [
        &format!("ParameterKey=ElasticBeanstalkApplicationName,ParameterValue=\"{escaped}\""),
        "ParameterKey=CodeDeployApplicationName,ParameterValue=\"\"",
        "OrganizationalUnitIds=ou-ab12-11111111",
        "OrganizationPaths=o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*",
        "AllowedRoleArns=arn:aws:iam::*:role/CrosspipeTargetRole",
    ] {
        assert!(words.contains(&word), "`{word}` is not in {words:#?}");
    }
}

#[test]
fn live_pipeline_is_read_at_home() {
    let answers: Answers = |operation, _| {
        let metadata = json!({"pipelineArn": format!("arn:aws:codepipeline:{REGION}:{A}:MyFirstPipeline")});
        (operation == "GetPipeline")
            .then(|| (200, json!({"pipeline": pipeline(), "metadata": metadata}).to_string()))
    };
    let mut init = command(&["init", "--pipeline", "MyFirstPipeline", "--target-accounts", "222222222222"]);
    init.env_clear().env("AWS_ENDPOINT_URL", serve(answers)).env("AWS_REGION", REGION);
    init.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    init.env("AWS_ACCESS_KEY_ID", A).env("AWS_SECRET_ACCESS_KEY", "local");
    let ran = Ran::from(init.env("AWS_EC2_METADATA_DISABLED", "true").output().unwrap());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains("PipelineName=MyFirstPipeline"), "{}", ran.out);
}
