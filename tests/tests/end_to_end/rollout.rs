//! An organization of many accounts and pipelines: everything is rolled out, part of it fails and is retried, one account
//! leaves, the template is updated, and one pipeline's stack goes.
//!
//! The gate takes a few of each. `CROSSPIPE_ROLLOUT=200x40 cargo test --workspace --test end_to_end rollout -- --nocapture`
//! takes 200 accounts and 40 pipelines, and prints how long each step took (docs/rollout.md).

use std::thread;
use std::time::Instant;

use crosspipe_e2e::world::{Parameters, World};
use crosspipe_e2e::{Account, LocalAws, functions};
use serde_json::{Value, json};

use crate::organization::{ORGANIZATION, TARGET_ROLE, join};
use crate::scene::REGION;

/// Pipelines that share a store and a service role: as many statements as theirs fit into a bucket policy.
const OF_ONE_STORE: usize = 10;
/// Stacks that are created side by side, of different stores.
const SIDE_BY_SIDE: usize = 4;

fn sizes() -> (usize, usize) {
    let given = std::env::var("CROSSPIPE_ROLLOUT").unwrap_or_else(|_| "25x6".to_owned());
    let (accounts, pipelines) = given.split_once('x').expect("CROSSPIPE_ROLLOUT=ACCOUNTSxPIPELINES");
    (accounts.parse().unwrap(), pipelines.parse().unwrap())
}

/// How long each step took.
struct Clock(Instant);

impl Clock {
    fn step(&mut self, what: &str) {
        println!("{what}: {:.1} s", self.0.elapsed().as_secs_f64());
        self.0 = Instant::now();
    }
}

/// Key, bucket and service role that some pipelines share.
struct Store {
    key_arn: String,
    bucket: String,
    role: String,
}

impl Store {
    fn make(tools: &Account<'_>, number: usize) -> Self {
        let key = tools.call("kms", "create_key", json!({})).unwrap();
        let key_arn = key["KeyMetadata"]["Arn"].as_str().unwrap().to_owned();
        let bucket = format!("artifacts-{number}-{}", tools.id());
        let location = json!({"LocationConstraint": REGION});
        let create = json!({"Bucket": bucket, "CreateBucketConfiguration": location});
        tools.call("s3", "create_bucket", create).unwrap();
        let put = json!({"Bucket": bucket, "Key": "artifact", "Body": "1.4.2", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_arn});
        tools.call("s3", "put_object", put).unwrap();
        let role = format!("pipelines-{number}");
        let trust = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "codepipeline.amazonaws.com"}, "Action": "sts:AssumeRole"},
            {"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{}:root", tools.id())}, "Action": "sts:AssumeRole"}]});
        let create = json!({"RoleName": role, "AssumeRolePolicyDocument": trust.to_string()});
        tools.call("iam", "create_role", create).unwrap();
        Self { key_arn, bucket, role }
    }

    fn role_arn(&self, tools: &Account<'_>) -> String {
        format!("arn:aws:iam::{}:role/{}", tools.id(), self.role)
    }

    /// A pipeline that deploys at home so far.
    fn make_pipeline(&self, tools: &Account<'_>, name: &str) {
        let action = |category: &str, provider: &str, inputs: Value, outputs: Value, configuration: Value| {
            json!({
                "name": "Act", "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
                "configuration": configuration, "inputArtifacts": inputs, "outputArtifacts": outputs,
            })
        };
        let artifact = json!([{"name": "App"}]);
        let source = json!({"S3Bucket": self.bucket, "S3ObjectKey": "app.zip"});
        let deployment = json!({"ApplicationName": "orders", "DeploymentGroupName": "group"});
        let pipeline = json!({
            "name": name, "roleArn": self.role_arn(tools), "artifactStore": {"type": "S3", "location": self.bucket},
            "stages": [
                {"name": "Source", "actions": [action("Source", "S3", json!([]), artifact, source)]},
                {"name": "Deploy", "actions": [action("Deploy", "CodeDeploy", json!([{"name": "App"}]), json!([]), deployment)]},
            ],
        });
        tools.call("codepipeline", "create_pipeline", json!({"pipeline": pipeline})).unwrap();
    }

    /// Whether the target role of an account may be assumed by the pipelines, and reads their artifacts.
    fn is_open_to(&self, tools: &Account<'_>, account: &Account<'_>) -> bool {
        let role = format!("arn:aws:iam::{}:role/{TARGET_ROLE}", account.id());
        let service_role = tools.assume(&self.role_arn(tools)).unwrap();
        let Ok(session) = service_role.assume(&role) else { return false };
        session.call("s3", "get_object", json!({"Bucket": self.bucket, "Key": "artifact"})).is_ok()
    }

    /// Statements of Crosspipe in the bucket policy.
    fn statements(&self, tools: &Account<'_>) -> usize {
        let answer = tools.call("s3", "get_bucket_policy", json!({"Bucket": self.bucket})).unwrap();
        let policy: Value = serde_json::from_str(answer["Policy"].as_str().unwrap()).unwrap();
        let all = policy["Statement"].as_array().unwrap().iter();
        all.filter(|it| it["Sid"].as_str().is_some_and(|sid| sid.starts_with("Crosspipe"))).count()
    }
}

fn pipeline_name(number: usize) -> String {
    format!("shop-{number:03}")
}

fn stack_name(number: usize) -> String {
    format!("crosspipe-{}", pipeline_name(number))
}

fn list(values: impl Iterator<Item = String>) -> String {
    values.collect::<Vec<_>>().join(",")
}

/// Statuses of the stack set's instances, as often as each occurs.
fn instance_statuses(world: &World<'_>) -> (usize, usize) {
    let request = json!({"StackSetName": "crosspipe-target"});
    let listed = world.tools.call("cloudformation", "list_stack_instances", request).unwrap();
    let all = listed["Summaries"].as_array().unwrap();
    let current = all.iter().filter(|it| it["Status"] == "CURRENT").count();
    (current, all.len() - current)
}

#[test]
fn rollout_over_many_accounts() {
    let (accounts, pipelines) = sizes();
    println!("{accounts} accounts, {pipelines} pipelines");
    let functions = functions::build().unwrap();
    let mut clock = Clock(Instant::now());
    let world = World::build(LocalAws::shared(), REGION).unwrap();
    let tools = &world.tools;
    let targets: Vec<Account<'_>> = (0..accounts)
        .map(|_| LocalAws::shared().new_accounts::<1>())
        .map(|[id]| tools.aws().account(id).in_region(REGION))
        .collect();
    for account in targets.iter().chain([tools]) {
        join(account, ORGANIZATION);
    }
    let stores: Vec<Store> = (0..pipelines.div_ceil(OF_ONE_STORE)).map(|it| Store::make(tools, it)).collect();
    let store_of = |pipeline: usize| &stores[pipeline / OF_ONE_STORE];
    for number in 0..pipelines {
        store_of(number).make_pipeline(tools, &pipeline_name(number));
    }
    clock.step("accounts and pipelines");

    // In one account somebody has a role of that name.
    let broken = &targets[accounts / 2];
    let trust = json!({"Version": "2012-10-17", "Statement": []}).to_string();
    let own = json!({"RoleName": TARGET_ROLE, "AssumeRolePolicyDocument": trust});
    broken.call("iam", "create_role", own).unwrap();
    let scope = [
        ("ServiceRoleArns", list(stores.iter().map(|it| it.role_arn(tools)))),
        ("ArtifactBucketArns", list(stores.iter().map(|it| format!("arn:aws:s3:::{}", it.bucket)))),
        ("ArtifactKeyArns", list(stores.iter().map(|it| it.key_arn.clone()))),
    ];
    let mut parameters: Parameters = scope.clone().into();
    parameters.insert("CodeDeployApplicationName", "orders".to_owned());
    let all: Vec<&Account<'_>> = targets.iter().collect();
    let error = world.deploy_targets(&parameters, &all).unwrap_err();
    assert!(error.message.contains("FAILED"), "{error}");
    assert_eq!(instance_statuses(&world), (accounts - 1, 1), "the others are reached all the same");
    clock.step("stack set over all, one account fails");
    broken.call("iam", "delete_role", json!({"RoleName": TARGET_ROLE})).unwrap();
    world.reach_targets(&[broken]).unwrap();
    assert_eq!(instance_statuses(&world), (accounts, 0));
    clock.step("the one that failed, again");

    let packaged = world.package_tools(&functions).unwrap();
    let mut parameters = world.tools_parameters();
    parameters.retain(|name, _| !["AllowedAccounts", "BuildProjectArns", "BuildRoleArns"].contains(name));
    parameters.extend(scope);
    parameters.insert("PipelineArns", format!("arn:aws:codepipeline:{REGION}:{}:shop-*", tools.id()));
    parameters.insert("AllowedOrganizationId", ORGANIZATION.to_owned());
    parameters.insert("AllowedRoleArns", format!("arn:aws:iam::*:role/{TARGET_ROLE}"));
    world.install(&packaged, &parameters).unwrap_or_else(|error| panic!("{error}"));
    clock.step("the installation");
    let open = |number: usize| {
        let store = store_of(number);
        let target = &targets[number % accounts];
        let parameters: Parameters = [
            ("PipelineName", pipeline_name(number)),
            ("ServiceRoleName", store.role.clone()),
            ("ServiceRolePath", "/".to_owned()),
            ("ArtifactBucketName", store.bucket.clone()),
            ("ArtifactKeyArn", store.key_arn.clone()),
            ("OrganizationId", ORGANIZATION.to_owned()),
            ("ActionRole1", format!("Deploy/Act=arn:aws:iam::{}:role/{TARGET_ROLE}", target.id())),
        ]
        .into();
        world.open_pipeline(&stack_name(number), &parameters).unwrap_or_else(|error| panic!("{error}"));
    };
    thread::scope(|scope| {
        for first in 0..SIDE_BY_SIDE {
            scope.spawn(move || (first..pipelines).step_by(SIDE_BY_SIDE).for_each(open));
        }
    });
    clock.step("the pipelines' stacks");
    for (store, account) in stores.iter().zip([&targets[0], broken, &targets[accounts - 1]]) {
        assert!(store.is_open_to(tools, account), "{}", account.id());
    }
    let last = pipelines - 1;
    let request = json!({"name": pipeline_name(last)});
    tools.call("codepipeline", "start_pipeline_execution", request.clone()).unwrap();
    let state = tools.call("codepipeline", "get_pipeline_state", request).unwrap();
    assert_eq!(state["stageStates"][1]["latestExecution"]["status"], "Succeeded", "{state}");
    clock.step("a run");

    // One account leaves the organization, and the stack set with it.
    let (leaving, staying) = (&targets[1], &targets[2]);
    world.leave_targets(&[leaving]).unwrap();
    join(leaving, "o-zzzzzzzzzz");
    assert!(!stores[0].is_open_to(tools, leaving) && stores[0].is_open_to(tools, staying));
    assert_eq!(instance_statuses(&world), (accounts - 1, 0));
    clock.step("an account leaves");

    world
        .update_targets(|template| template.replace("MaxSessionDuration: 3600", "MaxSessionDuration: 7200"))
        .unwrap();
    assert_eq!(instance_statuses(&world), (accounts - 1, 0));
    for account in [&targets[0], broken, staying] {
        let role = account.call("iam", "get_role", json!({"RoleName": TARGET_ROLE})).unwrap();
        assert_eq!(role["Role"]["MaxSessionDuration"], 7200, "{}", account.id());
    }
    clock.step("the template is updated");

    // One pipeline's stack goes; what the others of its store need stays.
    let before = stores[0].statements(tools);
    tools.delete_stack(&stack_name(0)).unwrap_or_else(|error| panic!("{error}"));
    let of_each = before / OF_ONE_STORE.min(pipelines);
    assert_eq!(stores[0].statements(tools), before - of_each);
    assert!(of_each > 0 && stores[0].is_open_to(tools, staying));
    let live = tools.call("codepipeline", "get_pipeline", json!({"name": pipeline_name(1)})).unwrap();
    assert_eq!(live["pipeline"]["artifactStore"]["encryptionKey"]["id"], json!(stores[0].key_arn));
    let gone = tools.call("codepipeline", "get_pipeline", json!({"name": pipeline_name(0)})).unwrap();
    assert_eq!(gone["pipeline"]["artifactStore"].get("encryptionKey"), None);
    clock.step("a pipeline's stack is deleted");
}
