//! A source in a target account: a commit there starts the pipeline, what is missing of its way is named, and changes of
//! roles there come the same way.

use std::process::Command;

use crosspipe_e2e::world::{PIPELINE_STACK, Parameters, World};
use crosspipe_e2e::{Account, LocalAws, functions};
use serde_json::{Value, json};

use crate::alerts::Listening;
use crate::organization::{ORGANIZATION, TARGET_ROLE, join};
use crate::scene::{REGION, Scene};

const REPOSITORY: &str = "orders";
const EVENT_ROLE: &str = "CrosspipeEventRole";
const DIAGNOSTICS_ROLE: &str = "CrosspipeDiagnosticsRole";

/// The three templates for a pipeline whose source is a repository of the target account, with these parameters beside
/// those of that: of the installation, of the target account and of the pipeline.
fn deployed(change: impl FnOnce(&World<'_>, [&mut Parameters; 3])) -> Scene {
    let world = World::build(LocalAws::shared(), REGION).unwrap();
    use_repository(&world);
    let before = world.live().unwrap();
    let (mut installation, mut target, mut pipeline) =
        (world.tools_parameters(), world.target_parameters(), world.pipeline_parameters());
    installation.insert("ReceiveEvents", "true".to_owned());
    target.insert("CodeCommitRepositoryName", REPOSITORY.to_owned());
    target.insert("EventBusArn", bus(&world));
    pipeline.extend([
        ("ActionRole1", format!("Source/App={}", world.target_role_arn())),
        ("SourceProvider", "CodeCommit".to_owned()),
        ("SourceAccountId", world.target.id().to_owned()),
        ("SourceName", REPOSITORY.to_owned()),
        ("SourceReference", "main".to_owned()),
    ]);
    change(&world, [&mut installation, &mut target, &mut pipeline]);
    world.deploy_targets(&target, &[&world.target]).unwrap();
    let packaged = world.package_tools(&functions::build().unwrap()).unwrap();
    let mut outputs = world.install(&packaged, &installation).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(outputs["SourceEventBusArn"], bus(&world));
    let opened = world.open_pipeline(PIPELINE_STACK, &pipeline);
    outputs.extend(opened.unwrap_or_else(|error| panic!("{error}")));
    Scene { world, before, outputs }
}

fn bus(world: &World<'_>) -> String {
    format!("arn:aws:events:{REGION}:{}:event-bus/default", world.tools.id())
}

/// The pipeline's source is a repository, of its own account so far.
fn use_repository(world: &World<'_>) {
    change_pipeline(world, |pipeline| {
        pipeline.as_object_mut().unwrap().remove("triggers");
        let source = &mut pipeline["stages"][0]["actions"][0];
        source["actionTypeId"]["provider"] = json!("CodeCommit");
        source["configuration"] =
            json!({"RepositoryName": REPOSITORY, "BranchName": "main", "PollForSourceChanges": "false"});
    });
}

fn change_pipeline(world: &World<'_>, change: impl FnOnce(&mut Value)) {
    let live = world.tools.call("codepipeline", "get_pipeline", json!({"name": world.pipeline})).unwrap();
    let mut pipeline = live["pipeline"].clone();
    change(&mut pipeline);
    world.tools.call("codepipeline", "update_pipeline", json!({"pipeline": pipeline})).unwrap();
}

/// CodeCommit's event of a commit to a branch of the repository of this name in an account.
fn push(account: &Account<'_>, branch: &str) {
    let request = json!({
        "account": account.id(), "region": REGION, "source": "aws.codecommit", "detailType": "CodeCommit Repository State Change",
        "resources": [format!("arn:aws:codecommit:{REGION}:{}:{REPOSITORY}", account.id())],
        "detail": {
            "event": "referenceUpdated", "referenceType": "branch", "referenceName": branch, "referenceFullName": format!("refs/heads/{branch}"),
            "repositoryName": REPOSITORY, "repositoryId": "12345678-1234-5678-abcd-12345678abcd",
            "commitId": "3e5983DESTINATION", "oldCommitId": "3e5983EXAMPLE", "callerUserArn": format!("arn:aws:iam::{}:user/alice", account.id()),
        },
    });
    LocalAws::shared().control("event", &request).unwrap();
}

/// The statuses of the pipeline's executions, the newest first.
fn executions(world: &World<'_>) -> Vec<String> {
    let request = json!({"pipelineName": world.pipeline});
    let listed = world.tools.call("codepipeline", "list_pipeline_executions", request).unwrap();
    let all = listed["pipelineExecutionSummaries"].as_array().unwrap().iter();
    all.map(|it| it["status"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn commit_in_organization_starts_pipeline() {
    let scene = deployed(|world, [installation, _, pipeline]| {
        for account in [&world.tools, &world.target] {
            join(account, ORGANIZATION);
        }
        installation.remove("AllowedAccounts");
        installation.insert("AllowedOrganizationId", ORGANIZATION.to_owned());
        installation.insert("AllowedRoleArns", format!("arn:aws:iam::*:role/{TARGET_ROLE}"));
        pipeline.retain(|name, _| !["TargetAccountIds", "TargetRoleArns"].contains(name));
        pipeline.insert("OrganizationId", ORGANIZATION.to_owned());
    });
    let world = &scene.world;
    push(&world.target, "main");
    assert_eq!(executions(world), ["Succeeded"]);
    push(&world.target, "feature");
    assert_eq!(executions(world).len(), 1, "another branch");

    // Of two accounts that forward their commits, one is no member, and neither is the source's.
    let [member, stranger] =
        LocalAws::shared().new_accounts().map(|id| world.tools.aws().account(id).in_region(REGION));
    join(&member, ORGANIZATION);
    join(&stranger, "o-zzzzzzzzzz");
    world.reach_targets(&[&member, &stranger]).unwrap();
    // What gets to the bus is seen by a rule of every source.
    let queue = world.tools.call("sqs", "create_queue", json!({"QueueName": "commits"})).unwrap();
    let (arn, pattern) =
        (format!("arn:aws:sqs:{REGION}:{}:commits", world.tools.id()), json!({"source": ["aws.codecommit"]}));
    let put = json!({"Name": "commits", "EventPattern": pattern.to_string()});
    world.tools.call("events", "put_rule", put).unwrap();
    let targets = json!({"Rule": "commits", "Targets": [{"Id": "queue", "Arn": arn}]});
    world.tools.call("events", "put_targets", targets).unwrap();
    for account in [&member, &stranger, &world.tools] {
        push(account, "main");
    }
    let request = json!({"QueueUrl": queue["QueueUrl"], "MaxNumberOfMessages": 10});
    let received = world.tools.call("sqs", "receive_message", request).unwrap();
    let from = |message: &Value| {
        let event: Value = serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
        event["account"].as_str().unwrap().to_owned()
    };
    let accounts: Vec<String> = received["Messages"].as_array().unwrap().iter().map(from).collect();
    assert_eq!(accounts, [member.id(), world.tools.id()], "no event of another organization gets here");
    assert_eq!(executions(world).len(), 1, "the repository of another account");
    world.tools.call("events", "remove_targets", json!({"Rule": "commits", "Ids": ["queue"]})).unwrap();
    world.tools.call("events", "delete_rule", json!({"Name": "commits"})).unwrap();
    world.leave_targets(&[&member, &stranger]).unwrap();
    scene.remove();
}

/// What `crosspipe lint` finds of the source, as somebody whom the target account lets look around.
fn lint(world: &World<'_>) -> Vec<Value> {
    let request = json!({"RoleArn": format!("arn:aws:iam::{}:role/Operator", world.tools.id()), "RoleSessionName": "lint"});
    let session = world.tools.call("sts", "assume_role", request).unwrap()["Credentials"].take();
    let text = |member: &str| session[member].as_str().unwrap().to_owned();
    let binary = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("crosspipe");
    let ran = Command::new(binary)
        .args([
            "lint",
            "--pipeline",
            &world.pipeline,
            "--diagnostics-role",
            DIAGNOSTICS_ROLE,
            "--format",
            "json",
        ])
        .env("AWS_ENDPOINT_URL", LocalAws::shared().endpoint())
        .env("AWS_ACCESS_KEY_ID", text("AccessKeyId"))
        .env("AWS_SECRET_ACCESS_KEY", text("SecretAccessKey"))
        .env("AWS_SESSION_TOKEN", text("SessionToken"))
        .env("AWS_REGION", REGION)
        .output()
        .unwrap();
    let shown: Value = serde_json::from_slice(&ran.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&ran.stderr)));
    let of_rule = |member: &str| {
        let all = shown[member].as_array().unwrap().iter();
        all.filter(|it| it["rule"] == "PL012").cloned().collect::<Vec<_>>()
    };
    assert_eq!(of_rule("unknown"), Vec::<Value>::new(), "{}", String::from_utf8_lossy(&ran.stderr));
    of_rule("findings")
}

/// A role of the tools account for people, which the diagnostics role trusts.
fn make_operator(world: &World<'_>) {
    let trust = |principal: &str| {
        json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}]})
        .to_string()
    };
    let root = format!("arn:aws:iam::{}:root", world.tools.id());
    let call = |account: &Account<'_>, operation: &str, request: Value| {
        account.call("iam", operation, request).unwrap();
    };
    let request = json!({"RoleName": "Operator", "AssumeRolePolicyDocument": trust(&root)});
    call(&world.tools, "create_role", request);
    let all =
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let request = json!({"RoleName": "Operator", "PolicyName": "all", "PolicyDocument": all.to_string()});
    call(&world.tools, "put_role_policy", request);
    let operator = format!("arn:aws:iam::{}:role/Operator", world.tools.id());
    let request = json!({"RoleName": DIAGNOSTICS_ROLE, "PolicyDocument": trust(&operator)});
    call(&world.target, "update_assume_role_policy", request);
}

/// The only rule of an account's default bus with this target.
fn rule_of(account: &Account<'_>, target: &str) -> String {
    let request = json!({"TargetArn": target, "EventBusName": "default"});
    let found = account.call("events", "list_rule_names_by_target", request).unwrap();
    let names = found["RuleNames"].as_array().unwrap();
    assert_eq!(names.len(), 1, "{found}");
    names[0].as_str().unwrap().to_owned()
}

/// Takes an inline policy away while something is done.
fn without_policy(account: &Account<'_>, role: &str, policy: &str, act: impl FnOnce()) {
    let name = json!({"RoleName": role, "PolicyName": policy});
    let document = account.call("iam", "get_role_policy", name.clone()).unwrap()["PolicyDocument"].take();
    account.call("iam", "delete_role_policy", name).unwrap();
    act();
    let request = json!({"RoleName": role, "PolicyName": policy, "PolicyDocument": document.to_string()});
    account.call("iam", "put_role_policy", request).unwrap();
}

fn without_rule(account: &Account<'_>, target: &str, act: impl FnOnce()) {
    let name = json!({"Name": rule_of(account, target)});
    account.call("events", "disable_rule", name.clone()).unwrap();
    act();
    account.call("events", "enable_rule", name).unwrap();
}

#[test]
fn each_missing_part_is_named() {
    let scene = deployed(|_, _| ());
    let world = &scene.world;
    make_operator(world);
    assert_eq!(lint(world), Vec::<Value>::new());
    push(&world.target, "main");
    assert_eq!(executions(world), ["Succeeded"]);

    // A commit starts nothing, and the rule says why.
    let names = |part: &str| {
        push(&world.target, "main");
        assert_eq!(executions(world).len(), 1, "{part}");
        let found = lint(world);
        assert!(
            found.len() == 1 && found[0]["message"].as_str().unwrap().contains(part),
            "{part}: {found:?}"
        );
    };
    without_rule(&world.target, &bus(world), || names("no event rule of account"));
    without_policy(&world.target, EVENT_ROLE, "ForwardEvents", || names("may not put its events"));
    without_rule(&world.tools, &world.pipeline_arn(), || names("no event rule starts the pipeline"));
    let request = json!({"StackName": PIPELINE_STACK, "LogicalResourceId": "StartRole"});
    let resource = world.tools.call("cloudformation", "describe_stack_resource", request).unwrap();
    let start_role = resource["StackResourceDetail"]["PhysicalResourceId"].as_str().unwrap().to_owned();
    without_policy(&world.tools, &start_role, "StartPipeline", || names("may not start the pipeline"));
    let set_polling = |polls: &str| {
        change_pipeline(world, |pipeline| {
            pipeline["stages"][0]["actions"][0]["configuration"]["PollForSourceChanges"] = json!(polls);
        });
    };
    set_polling("true");
    assert!(lint(world)[0]["message"].as_str().unwrap().contains("polls its source"), "{:?}", lint(world));
    set_polling("false");
    assert_eq!(lint(world), Vec::<Value>::new(), "everything is back");
    world.tools.call("events", "remove_permission", json!({"StatementId": "CrosspipeAccounts"})).unwrap();
    names("does not take changes");
}

/// An installation that receives no events has nothing that a pipeline's source could be waited for on.
#[test]
fn installation_has_to_receive_events() {
    let scene = Scene::deployed();
    let world = &scene.world;
    let before = scene.live();
    let mut parameters = world.pipeline_parameters();
    parameters.extend([
        ("SourceProvider", "CodeCommit".to_owned()),
        ("SourceAccountId", world.target.id().to_owned()),
        ("SourceName", REPOSITORY.to_owned()),
        ("SourceReference", "main".to_owned()),
    ]);
    let error = world.update_pipeline(PIPELINE_STACK, &parameters).expect_err("refused").to_string();
    assert!(error.contains("crosspipe-SourceEventBusArn"), "{error}");
    scene.assert_unchanged(&before);
    parameters.remove("SourceReference");
    let error = world.update_pipeline(PIPELINE_STACK, &parameters).expect_err("refused").to_string();
    assert!(error.contains("SourceReference must be the branch"), "{error}");
    scene.remove();
}

/// A stack set in the pipelines' Region, and for the records of IAM in us-east-1, too.
#[test]
fn role_change_in_target_account_is_notified() {
    let scene = deployed(|world, [installation, target, _]| {
        installation.insert("WatchChanges", "true".to_owned());
        target.insert("ForwardRoleChanges", "yes".to_owned());
        target.insert("RolesRegion", world.target.region().to_owned());
    });
    scene.world.reach_targets_in("us-east-1", &[&scene.world.target]).unwrap();
    LocalAws::shared().control("trail", &json!({"account": scene.world.target.id()})).unwrap();
    let listening = Listening::to(scene);
    let world = &listening.scene.world;
    let nobody = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": world.target.id()}, "Action": "sts:AssumeRole"}]});
    let request = json!({"RoleName": TARGET_ROLE, "PolicyDocument": nobody.to_string()});
    world.target.call("iam", "update_assume_role_policy", request).unwrap();
    let found = listening.event().expect("an event");
    assert_eq!(found["detail-type"], "Crosspipe Finding Detected", "{found}");
    assert_eq!(found["detail"]["findings"][0]["rule"], "IA002", "{found}");
    let trigger = &found["detail"]["trigger"];
    assert_eq!(trigger["event"], "UpdateAssumeRolePolicy", "{found}");
    let actor = trigger["actor"].as_str().unwrap();
    assert!(actor.contains(world.target.id()), "{found}");

    // What such an event says of anything but the account's own roles is passed over: nothing is read.
    let function = listening.scene.role_name("FailureReporter");
    let read = || {
        let asked =
            json!({"account": world.tools.id(), "service": "codepipeline", "operation": "GetPipeline"});
        LocalAws::shared().control("calls", &asked).unwrap()["calls"].as_array().unwrap().len()
    };
    let before = read();
    for (source, name, parameters) in [
        ("s3", "PutBucketPolicy", json!({"bucketName": world.bucket})),
        ("iam", "PutRolePolicy", json!({"roleName": world.service_role})),
    ] {
        let event = json!({
            "detail-type": "AWS API Call via CloudTrail", "source": format!("aws.{source}"), "account": world.target.id(), "region": REGION,
            "detail": {
                "eventSource": format!("{source}.amazonaws.com"), "eventName": name, "requestParameters": parameters,
                "recipientAccountId": if source == "iam" { world.tools.id() } else { world.target.id() },
            },
        });
        let request = json!({"FunctionName": function, "Payload": event.to_string()});
        let answer = world.tools.call("lambda", "invoke", request).unwrap();
        assert!(answer.get("FunctionError").is_none(), "{answer}");
    }
    assert_eq!(read(), before);
}
