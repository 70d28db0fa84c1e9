//! The watch over many pipelines: what a check costs, and that none is left out where time runs out.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use crosspipe_e2e::LocalAws;
use crosspipe_e2e::world::{PIPELINE_STACK, World};
use serde_json::{Value, json};

use crate::alerts::Listening;
use crate::scene::{REGION, Scene};

const PATIENCE: Duration = Duration::from_secs(120);
/// The page that says what a check costs.
const PAGE: &str = include_str!("../../../docs/watch.md");

fn scheduled() -> Value {
    json!({"detail-type": "Scheduled Event", "source": "aws.events", "time": "2024-05-01T06:00:00Z", "detail": {}})
}

/// The record of a change, which without a time can't be one that a check has seen.
fn bucket_policy_changed(world: &World<'_>, time: Value) -> Value {
    json!({
        "detail-type": "AWS API Call via CloudTrail", "source": "aws.s3", "account": world.tools.id(), "region": REGION,
        "detail": {
            "eventSource": "s3.amazonaws.com", "eventName": "PutBucketPolicy", "eventTime": time,
            "requestParameters": {"bucketName": world.bucket}, "recipientAccountId": world.tools.id(),
        },
    })
}

/// Pipelines of other names that are as the first one is now.
fn copy_pipeline(world: &World<'_>, numbers: std::ops::Range<usize>) {
    let live = world.tools.call("codepipeline", "get_pipeline", json!({"name": world.pipeline})).unwrap();
    for number in numbers {
        let mut copy = live["pipeline"].clone();
        copy["name"] = json!(format!("{}-{number:03}", world.pipeline));
        world.tools.call("codepipeline", "create_pipeline", json!({"pipeline": copy})).unwrap();
    }
}

/// Hands the reporter an event and waits for its answer.
fn invoke(scene: &Scene, event: &Value) {
    let request = json!({"FunctionName": scene.role_name("FailureReporter"), "Payload": event.to_string()});
    let answer = scene.world.tools.call("lambda", "invoke", request).unwrap();
    assert!(answer.get("FunctionError").is_none(), "{answer}");
}

/// The calls of the reporter so far, in both accounts, by operation.
fn calls(world: &World<'_>) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for account in [world.tools.id(), world.target.id()] {
        let answer = LocalAws::shared().control("calls", &json!({"account": account})).unwrap();
        for call in answer["calls"].as_array().unwrap() {
            let caller = call["caller"].as_str().unwrap_or_default();
            if ["CrosspipeFailureReporter", "CrosspipeDiagnosticsRole"].iter().any(|it| caller.contains(it)) {
                let name =
                    format!("{}:{}", call["service"].as_str().unwrap(), call["operation"].as_str().unwrap());
                *counted.entry(name).or_default() += 1;
            }
        }
    }
    counted
}

/// The calls that the reporter makes for an event.
fn calls_for(scene: &Scene, event: &Value) -> BTreeMap<String, usize> {
    let before = calls(&scene.world);
    invoke(scene, event);
    let mut after = calls(&scene.world);
    after.iter_mut().for_each(|(name, count)| *count -= before.get(name).copied().unwrap_or_default());
    after
}

/// How a number of calls grows with the number of pipelines, of two measurements.
fn growth(counts: [usize; 2], pipelines: [usize; 2]) -> String {
    let (more, each) = (counts[1] - counts[0], pipelines[1] - pipelines[0]);
    assert_eq!(more % each, 0, "{counts:?} calls for {pipelines:?} pipelines");
    let (slope, fixed) = (more / each, counts[0] - more / each * pipelines[0]);
    match (slope, fixed) {
        (0, fixed) => fixed.to_string(),
        (slope, 0) => format!("{slope} × pipelines"),
        (slope, fixed) => format!("{slope} × pipelines + {fixed}"),
    }
}

/// What pipelines share is read once, whatever their number.
#[test]
fn calls_of_a_check_are_as_documented() {
    let scene = Scene::deployed_with(|_, parameters| {
        parameters.insert("WatchChanges", "true".to_owned());
        parameters.insert("WatchSchedule", "rate(7 days)".to_owned());
    });
    let world = &scene.world;
    let sizes = [5, 15];
    let mut measured: Vec<[BTreeMap<String, usize>; 3]> = vec![];
    let mut made = 1;
    for size in sizes {
        copy_pipeline(world, made..size);
        made = size;
        let earlier = json!("2024-05-01T10:00:00Z");
        let changes = [Value::Null, earlier].map(|time| bucket_policy_changed(world, time));
        let [change, seen] = changes;
        measured.push([scheduled(), change, seen].map(|event| calls_for(&scene, &event)));
    }
    let names: BTreeSet<&String> = measured.iter().flatten().flat_map(BTreeMap::keys).collect();
    let mut table =
        "| call | scheduled check | change of the bucket policy | further changes before that check |\n|---|---|---|---|\n"
            .to_owned();
    for name in names {
        let cell = |event: usize| {
            let count = |at: usize| measured[at][event].get(name).copied().unwrap_or_default();
            growth([count(0), count(1)], sizes)
        };
        let cells = [cell(0), cell(1), cell(2)];
        if cells.iter().any(|it| it != "0") {
            table += &format!("| `{name}` | {} |\n", cells.join(" | "));
        }
    }
    assert!(PAGE.contains(&table), "docs/watch.md does not have this table:\n{table}");
}

/// The function has a second in which checks may begin, which is not enough for all pipelines.
#[test]
fn check_goes_on_in_next_invocation() {
    const PIPELINES: usize = 40;
    let scene = deployed_with_timeout(21);
    copy_pipeline(&scene.world, 1..PIPELINES);
    let listening = Listening::to(scene);
    let (scene, world) = (&listening.scene, &listening.scene.world);
    // Events that have another invocation go on, beside the findings.
    listening.clean_up_bucket_policy();
    invoke(scene, &scheduled());
    let (mut found, mut continued) = (BTreeSet::new(), vec![]);
    let start = Instant::now();
    while found.len() < PIPELINES {
        assert!(start.elapsed() < PATIENCE, "{} of {PIPELINES} pipelines, after {continued:?}", found.len());
        let Some(event) = listening.event() else {
            thread::sleep(Duration::from_millis(50));
            continue;
        };
        if event["detail-type"] == "Crosspipe Check Continued" {
            continued.push(event["detail"]["after"].as_str().unwrap().to_owned());
        } else {
            assert_eq!(event["detail-type"], "Crosspipe Finding Detected", "{event}");
            assert!(found.insert(event["detail"]["pipeline"].as_str().unwrap().to_owned()), "twice: {event}");
        }
    }
    assert!(!continued.is_empty(), "one invocation was enough for all");
    assert!(continued.is_sorted_by(|one, next| one < next), "{continued:?}");
    assert!(found.contains(&world.pipeline));
}

fn deployed_with_timeout(seconds: u32) -> Scene {
    let world = World::build(LocalAws::shared(), REGION).unwrap();
    let before = world.live().unwrap();
    world.deploy_target().unwrap();
    let packaged = world.package_tools(&crosspipe_e2e::functions::build().unwrap()).unwrap();
    assert!(packaged.contains("Timeout: 120"), "the reporter's timeout is where it is looked for");
    let packaged = packaged.replace("Timeout: 120", &format!("Timeout: {seconds}"));
    let mut parameters = world.tools_parameters();
    parameters.insert("WatchSchedule", "rate(7 days)".to_owned());
    let mut outputs = world.install(&packaged, &parameters).unwrap_or_else(|error| panic!("{error}"));
    let opened = world.open_pipeline(PIPELINE_STACK, &world.pipeline_parameters());
    outputs.extend(opened.unwrap_or_else(|error| panic!("{error}")));
    Scene { world, before, outputs }
}
