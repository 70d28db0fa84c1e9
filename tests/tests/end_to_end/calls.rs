//! The calls that each operation makes, which of them side by side: `docs/calls.md`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use crosspipe_e2e::LocalAws;
use serde_json::{Value, json};

use crate::alerts::Listening;
use crate::scene::Scene;

const PAGE: &str = "docs/calls.md";
const BEGIN: &str = "<!-- Generated: CROSSPIPE_WRITE_DOCS=1 cargo test --test end_to_end calls -->\n";
const END: &str = "<!-- End of what is generated. -->\n";

/// What each call takes longer, so that those side by side are seen to be: long beside what the machine is slow by.
const LATENCY: f64 = 0.25;
/// Sessions of the roles whose calls are counted begin with it.
const PROVIDER: &str = "AccessProvider";
const REPORTER: [&str; 2] = ["CrosspipeFailureReporter", "CrosspipeDiagnosticsRole"];

const FLOOR_OF_WRITE: (usize, &str) = (6, "stack, lease, read, write, verify, release");
/// IAM names the policies of a role, and gives each by its name.
const FLOOR_OF_ROLE: (usize, &str) = (8, "stack, lease, list, read, write, list, verify, release");
/// What is replaced is on record before it is.
const FLOOR_OF_RECORDED_WRITE: (usize, &str) = (7, "stack, lease, read, record, write, verify, release");
/// The pipeline names its build projects.
const FLOOR_OF_PATCH: (usize, &str) =
    (8, "stack, lease, read, read projects, record, write, verify, release");
/// The pipeline names the action's role, which names its managed policies, which name their versions.
const FLOOR_OF_ALERT: (usize, &str) =
    (8, "failures, pipeline and claim, role, list policies, policy, its version, notification, record");

/// What one operation calls: steps one after the other, each with its calls side by side.
struct Seen {
    operation: &'static str,
    floor: (usize, &'static str),
    steps: Vec<BTreeMap<String, usize>>,
}

impl Seen {
    fn to_row(&self) -> String {
        let calls: usize = self.steps.iter().flat_map(BTreeMap::values).sum();
        let steps: Vec<String> = self.steps.iter().map(step_text).collect();
        let (floor, why) = self.floor;
        format!(
            "| {} | {calls} | {} | {floor} | {why} | {} |\n",
            self.operation,
            self.steps.len(),
            steps.join(" → ")
        )
    }
}

fn step_text(step: &BTreeMap<String, usize>) -> String {
    let one = |(name, count): (&String, &usize)| match count {
        1 => format!("`{name}`"),
        count => format!("{count} × `{name}`"),
    };
    step.iter().map(one).collect::<Vec<_>>().join(" ∥ ")
}

/// The calls of these accounts by callers with one of these names, as steps: a call is of the step that has begun
/// before any call of it has ended.
fn steps(accounts: &[&str], callers: &[&str], skip: usize) -> Vec<BTreeMap<String, usize>> {
    let mut calls = calls_of(accounts, callers).split_off(skip);
    let time = |call: &Value, end: &str| call[end].as_f64().unwrap();
    calls.sort_by(|one, other| time(one, "begin").total_cmp(&time(other, "begin")));
    let mut steps = Vec::<(f64, BTreeMap<String, usize>)>::new();
    for call in &calls {
        let name = format!("{}:{}", call["service"].as_str().unwrap(), call["operation"].as_str().unwrap());
        match steps.last_mut() {
            Some((end, step)) if time(call, "begin") < *end => {
                *end = end.min(time(call, "end"));
                *step.entry(name).or_default() += 1;
            }
            _ => steps.push((time(call, "end"), BTreeMap::from([(name, 1)]))),
        }
    }
    steps.into_iter().map(|(_, step)| step).collect()
}

fn calls_of(accounts: &[&str], callers: &[&str]) -> Vec<Value> {
    let of_account = |account: &&str| {
        let answer = LocalAws::shared().control("calls", &json!({"account": account})).unwrap();
        answer["calls"].as_array().unwrap().clone()
    };
    let by_callers =
        |call: &Value| callers.iter().any(|caller| call["caller"].as_str().unwrap().contains(caller));
    accounts.iter().flat_map(of_account).filter(by_callers).collect()
}

fn slow_down(account: &str, seconds: f64) {
    LocalAws::shared().control("latency", &json!({"account": account, "seconds": seconds})).unwrap();
}

/// What the access provider calls while this is done.
fn seen_of_provider(
    scene: &Scene,
    operation: &'static str,
    floor: (usize, &'static str),
    work: impl FnOnce(),
) -> Seen {
    let account = scene.world.tools.id();
    let before = calls_of(&[account], &[PROVIDER]).len();
    slow_down(account, LATENCY);
    work();
    slow_down(account, 0.0);
    Seen { operation, floor, steps: steps(&[account], &[PROVIDER], before) }
}

fn seen_of_custom_resources(scene: &Scene) -> Vec<Seen> {
    let world = &scene.world;
    scene.make_build_project("one", &world.build_role_arn);
    let role = json!({"RoleName": world.service_role, "TargetRoleArns": world.target_role_arn()});
    let project = json!({"ProjectNames": "one", "KeyArn": world.key_arn});
    let patch = json!({"PipelineName": world.pipeline, "Actions": [{
        "Stage": "Canary", "AfterStage": "Staging", "Action": {
            "Name": "Deploy", "RoleArn": world.target_role_arn(),
            "ActionTypeId": {"Category": "Deploy", "Owner": "AWS", "Provider": "CodeDeploy", "Version": "1"},
            "Configuration": {"ApplicationName": "a", "DeploymentGroupName": "g"},
            "InputArtifacts": [{"Name": "BuildOutput"}],
        },
    }]});
    let (one, two) = (["555555555555"], ["555555555555", "666666666666"]);
    let create = |kind: &str, properties: &Value| {
        scene.create(kind, kind, properties.clone()).unwrap_or_else(|error| panic!("{error}"));
    };
    let mut all = Vec::new();
    let mut see = |operation, floor, work: &dyn Fn()| {
        all.push(seen_of_provider(scene, operation, floor, work));
    };
    let (key, bucket) = (scene.key_grant(&one), scene.bucket_grant(&one));
    see("Create of `ArtifactKeyGrant`", FLOOR_OF_WRITE, &|| create("ArtifactKeyGrant", &key));
    see("Update of `ArtifactKeyGrant`", FLOOR_OF_WRITE, &|| {
        scene.update("ArtifactKeyGrant", "ArtifactKeyGrant", scene.key_grant(&two)).unwrap();
    });
    see("Delete of `ArtifactKeyGrant`", FLOOR_OF_WRITE, &|| scene.delete("ArtifactKeyGrant"));
    see("Create of `ArtifactBucketGrant`", FLOOR_OF_WRITE, &|| create("ArtifactBucketGrant", &bucket));
    see("Delete of `ArtifactBucketGrant`", FLOOR_OF_WRITE, &|| scene.delete("ArtifactBucketGrant"));
    see("Create of `ServiceRoleGrant`", FLOOR_OF_ROLE, &|| create("ServiceRoleGrant", &role));
    see("Delete of `ServiceRoleGrant`", FLOOR_OF_ROLE, &|| scene.delete("ServiceRoleGrant"));
    see("Create of `BuildProjectKey`", FLOOR_OF_RECORDED_WRITE, &|| create("BuildProjectKey", &project));
    see("Delete of `BuildProjectKey`", FLOOR_OF_WRITE, &|| scene.delete("BuildProjectKey"));
    see("Create of `PipelinePatch`", FLOOR_OF_PATCH, &|| create("PipelinePatch", &patch));
    see("Delete of `PipelinePatch`", FLOOR_OF_WRITE, &|| scene.delete("PipelinePatch"));
    all
}

/// From the event of a failed action to the notification, and what is put on record after it.
fn seen_of_reporter() -> Seen {
    let listening = Listening::start();
    let world = &listening.scene.world;
    let accounts = [world.tools.id(), world.target.id()];
    listening.clean_up_bucket_policy();
    let before = calls_of(&accounts, &REPORTER).len();
    accounts.iter().for_each(|account| slow_down(account, LATENCY));
    listening.run_pipeline();
    listening.alert().expect("an alert");
    // What comes after the notification is seen, too.
    let mut seen = 0;
    while seen < calls_of(&accounts, &REPORTER).len() {
        seen = calls_of(&accounts, &REPORTER).len();
        std::thread::sleep(Duration::from_secs_f64(5.0 * LATENCY));
    }
    accounts.iter().for_each(|account| slow_down(account, 0.0));
    Seen {
        operation: "Alert on a failed action",
        floor: FLOOR_OF_ALERT,
        steps: steps(&accounts, &REPORTER, before),
    }
}

#[test]
fn calls_are_as_documented() {
    let scene = Scene::deployed();
    let mut all = seen_of_custom_resources(&scene);
    scene.world.remove_tools().unwrap_or_else(|error| panic!("{error}"));
    all.push(seen_of_reporter());
    let mut table = String::from(
        "\n| operation | calls | depth | floor | steps of the floor | calls, step by step |\n|---|---|---|---|---|---|\n",
    );
    for seen in &all {
        table.write_str(&seen.to_row()).unwrap();
    }
    table.push('\n');

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(PAGE);
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page has where it begins");
    let (_, after) = rest.split_once(END).expect("and where it ends");
    let wanted = format!("{before}{BEGIN}{table}{END}{after}");
    if std::env::var_os("CROSSPIPE_WRITE_DOCS").is_some() {
        std::fs::write(&path, wanted).unwrap();
    } else {
        assert!(page == wanted, "{PAGE} is not what was seen; CROSSPIPE_WRITE_DOCS=1 writes it:\n{table}");
    }
}
