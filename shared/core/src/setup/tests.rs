use serde_json::{Value, json};

use super::*;

const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn action(category: &str, provider: &str, name: &str, configuration: &Value) -> Value {
    json!({
        "name": name, "configuration": configuration, "outputArtifacts": [{"name": format!("Out{name}")}],
        "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
    })
}

/// A pipeline that builds and deploys at home.
fn home() -> Value {
    json!({
        "pipeline": {"metadata": {"pipelineArn": "arn:aws:codepipeline:eu-west-1:111111111111:orders"}, "pipeline": {
            "name": "orders", "roleArn": "arn:aws:iam::111111111111:role/service-role/orders",
            "artifactStore": {"type": "S3", "location": "artifacts"},
            "stages": [
                {"name": "Build", "actions": [action("Build", "CodeBuild", "Build", &json!({"ProjectName": "orders-build"}))]},
                {"name": "Deploy", "actions": [
                    action("Deploy", "CodeDeploy", "Web", &json!({"ApplicationName": "orders-web", "DeploymentGroupName": "g"})),
                    action("Deploy", "CodeDeploy", "Api", &json!({"ApplicationName": "orders-api", "DeploymentGroupName": "g"})),
                ]},
            ],
        }},
        "buildProjects": {"orders-build": {"encryptionKey": KEY, "serviceRole": "arn:aws:iam::111111111111:role/build"}},
    })
}

fn wishes() -> Wishes {
    Wishes {
        targets: Targets::Accounts(vec!["222222222222".into()]),
        target_role_name: TARGET_ROLE_NAME.into(),
        moved_actions: vec![],
        key_arns: vec![],
        alert_email: Some("you@example.com".into()),
        region: None,
    }
}

fn organization() -> Targets {
    Targets::Organization { id: "o-a1b2c3d4e5".into(), paths: vec![] }
}

fn moved(stage: &str, action: &str, account: &str) -> MovedAction {
    MovedAction { stage: stage.into(), action: action.into(), account: account.into() }
}

fn read(value: Value) -> Snapshot {
    Snapshot::from_value(value).unwrap()
}

#[track_caller]
fn planned(value: Value, wishes: &Wishes) -> Setup {
    plan(&[read(value)], wishes).unwrap()
}

fn value<'a>(parameters: &'a Parameters, name: &str) -> Option<&'a str> {
    parameters.iter().find(|(it, _)| *it == name).map(|(_, value)| value.as_str())
}

fn of_first(setup: &Setup) -> &Parameters {
    &setup.pipelines.first().unwrap().1
}

#[track_caller]
fn assert_unknown(setup: &Setup, part: &str) {
    assert!(setup.unknown.iter().any(|it| it.contains(part)), "`{part}` is not in {:#?}", setup.unknown);
}

#[test]
fn pipeline_says_what_the_templates_ask() {
    let wishes = Wishes { moved_actions: vec![moved("Deploy", "Web", "222222222222")], ..wishes() };
    let setup = planned(home(), &wishes);
    for (name, expected) in [
        ("PipelineArns", "arn:aws:codepipeline:eu-west-1:111111111111:orders"),
        ("ServiceRoleArns", "arn:aws:iam::111111111111:role/service-role/orders"),
        ("ArtifactBucketArns", "arn:aws:s3:::artifacts"),
        ("ArtifactKeyArns", KEY),
        ("BuildProjectArns", "arn:aws:codebuild:eu-west-1:111111111111:project/orders-build"),
        ("BuildRoleArns", "arn:aws:iam::111111111111:role/build"),
        ("AllowedAccounts", "222222222222"),
    ] {
        assert_eq!(value(&setup.installation, name), Some(expected), "{name}");
    }
    for (name, expected) in [
        ("ServiceRoleName", "orders"),
        ("ServiceRolePath", "/service-role/"),
        ("ArtifactKeyArn", KEY),
        ("TargetRoleArns", "arn:aws:iam::222222222222:role/CrosspipeTargetRole"),
        ("ActionRole1", "Deploy/Web=arn:aws:iam::222222222222:role/CrosspipeTargetRole"),
        ("BuildProjectNames", "orders-build"),
        ("BuildRoleArns", "arn:aws:iam::111111111111:role/build"),
    ] {
        assert_eq!(value(of_first(&setup), name), Some(expected), "{name}");
    }
    assert_eq!(value(&setup.target_account, "CodeDeployApplicationName"), Some("orders-web"));
    assert_eq!(setup.unknown.len(), 1, "{:#?}", setup.unknown);
    assert_unknown(&setup, "InstanceRoleNames");
}

#[test]
fn organization_lists_no_account() {
    let moved_actions = vec![moved("Deploy", "Web", "222222222222")];
    let wishes =
        Wishes { targets: organization(), moved_actions, target_role_name: "Deployer".into(), ..wishes() };
    let setup = planned(home(), &wishes);
    assert_eq!(value(&setup.installation, "AllowedAccounts"), None);
    assert_eq!(value(&setup.installation, "AllowedRoleArns"), Some("arn:aws:iam::*:role/Deployer"));
    assert_eq!(value(of_first(&setup), "TargetRoleArns"), None);
    assert_eq!(value(of_first(&setup), "OrganizationId"), Some("o-a1b2c3d4e5"));
    for parameters in [of_first(&setup), &setup.target_account] {
        assert_eq!(value(parameters, "TargetRoleName"), Some("Deployer"));
    }
}

#[test]
fn without_actions_abroad_home_is_the_example() {
    let setup = planned(home(), &wishes());
    assert_eq!(value(&setup.target_account, "CodeDeployApplicationName"), Some("orders-*"));
    assert_unknown(&setup, "`orders-*`, which lets more than orders-api, orders-web through");
    assert_unknown(&setup, "--action STAGE/ACTION=ACCOUNT");
}

/// Only what is deployed abroad is allowed there, and CodeDeploy is the one that is not off by default.
#[test]
fn other_providers_switch_codedeploy_off() {
    let mut pipeline = home();
    let stack = json!({"StackName": "shop", "ActionMode": "CREATE_UPDATE", "RoleArn": "arn:aws:iam::222222222222:role/stack"});
    pipeline["pipeline"]["pipeline"]["stages"][1]["actions"] =
        json!([action("Deploy", "CloudFormation", "Stack", &stack)]);
    let wishes = Wishes { moved_actions: vec![moved("Deploy", "Stack", "222222222222")], ..wishes() };
    let setup = planned(pipeline, &wishes);
    assert_eq!(value(&setup.target_account, "CodeDeployApplicationName"), Some(""));
    assert_eq!(value(&setup.target_account, "CloudFormationStackName"), Some("shop"));
    assert_eq!(value(&setup.target_account, "PassRoleArns"), Some("arn:aws:iam::222222222222:role/stack"));
    assert!(setup.unknown.is_empty(), "{:#?}", setup.unknown);
}

#[test]
fn keys_are_looked_for_where_they_may_be() {
    let key = |snapshot: Value, wishes: &Wishes| {
        value(of_first(&planned(snapshot, wishes)), "ArtifactKeyArn").unwrap().to_owned()
    };
    let other = KEY.replace("1234abcd", "99999999");
    // The store's own comes first, then the one that is given, the bucket's, the build projects'.
    let mut snapshot = home();
    assert_eq!(key(snapshot.clone(), &wishes()), KEY);
    snapshot["buckets"] =
        json!({"artifacts": {"encryption": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": other}}});
    assert_eq!(key(snapshot.clone(), &wishes()), other);
    let given = Wishes { key_arns: vec![KEY.replace("eu-west-1", "us-east-1"), KEY.to_owned()], ..wishes() };
    assert_eq!(key(snapshot.clone(), &given), KEY);
    snapshot["pipeline"]["pipeline"]["artifactStore"]["encryptionKey"] = json!({"type": "KMS", "id": other});
    assert_eq!(key(snapshot.clone(), &given), other);
    // An alias of another account's key is none.
    let alias = "arn:aws:kms:eu-west-1:999999999999:alias/key";
    snapshot["pipeline"]["pipeline"]["artifactStore"]["encryptionKey"] = json!({"type": "KMS", "id": alias});
    assert_eq!(key(snapshot, &given), KEY);
    let mut without = home();
    without["buildProjects"]["orders-build"]["encryptionKey"] = json!("alias/aws/s3");
    let setup = planned(without, &wishes());
    assert_eq!(value(of_first(&setup), "ArtifactKeyArn"), Some("KEY-ARN-OF-eu-west-1"));
    assert_unknown(&setup, "--key-arn");
}

#[test]
fn pipelines_share_an_installation() {
    let mut billing: Value = serde_json::from_str(&home().to_string().replace("orders", "billing")).unwrap();
    let setup = plan(&[read(home()), read(billing.clone())], &wishes()).unwrap();
    assert_eq!(
        value(&setup.installation, "PipelineArns"),
        Some(
            "arn:aws:codepipeline:eu-west-1:111111111111:orders,arn:aws:codepipeline:eu-west-1:111111111111:billing"
        )
    );
    assert_eq!(value(&setup.target_account, "ArtifactBucketArns"), Some("arn:aws:s3:::artifacts"));
    assert_eq!(setup.pipelines.len(), 2);
    billing["pipeline"]["metadata"]["pipelineArn"] =
        json!("arn:aws:codepipeline:us-east-1:111111111111:billing");
    assert_eq!(plan(&[read(home()), read(billing)], &wishes()), Err(SetupError::Elsewhere("billing".into())));
}

#[test]
fn wishes_that_fit_no_pipeline() {
    let plan = |wishes: Wishes| plan(&[read(home())], &wishes);
    let with = |moved_actions| Wishes { moved_actions, ..wishes() };
    assert_eq!(
        plan(with(vec![moved("Deploy", "Nobody", "222222222222")])),
        Err(SetupError::NoSuchAction("Deploy/Nobody".into()))
    );
    let elsewhere = SetupError::NotATarget { action: "Deploy/Web".into(), account: "333333333333".into() };
    assert_eq!(plan(with(vec![moved("Deploy", "Web", "333333333333")])), Err(elsewhere));
    let own = Wishes { targets: Targets::Accounts(vec!["111111111111".into()]), ..wishes() };
    assert_eq!(plan(own), Err(SetupError::OwnAccount("111111111111".into())));
}

/// A bare structure: the Region is the key's, or the one that is given.
#[test]
fn region_of_a_bare_structure() {
    let mut bare = home()["pipeline"]["pipeline"].clone();
    assert_eq!(plan(&[read(bare.clone())], &wishes()), Err(SetupError::NoRegion("orders".into())));
    let given = Wishes { region: Some("eu-west-1".into()), ..wishes() };
    assert_eq!(planned(bare.clone(), &given).region, "eu-west-1");
    bare["artifactStore"]["encryptionKey"] = json!({"type": "KMS", "id": KEY});
    assert_eq!(planned(bare, &wishes()).region, "eu-west-1");
}

#[test]
fn more_than_a_template_takes() {
    let mut pipeline = home();
    let names = ["A", "B", "C", "D", "E", "F"];
    let deploys: Vec<Value> = names
        .map(|name| {
            action(
                "Deploy",
                "CodeDeploy",
                name,
                &json!({"ApplicationName": "orders", "DeploymentGroupName": "g"}),
            )
        })
        .into();
    pipeline["pipeline"]["pipeline"]["stages"][1]["actions"] = json!(deploys);
    let moved_actions = names.map(|name| moved("Deploy", name, "222222222222")).into();
    let accounts =
        (0..400).map(|number| format!("2222222{number:05}")).chain(["222222222222".into()]).collect();
    let setup =
        planned(pipeline, &Wishes { moved_actions, targets: Targets::Accounts(accounts), ..wishes() });
    assert_eq!(
        value(of_first(&setup), "ActionRole5"),
        Some("Deploy/E=arn:aws:iam::222222222222:role/CrosspipeTargetRole")
    );
    assert_unknown(&setup, "action `Deploy/F` of pipeline `orders` is one more");
    assert_unknown(&setup, "TargetRoleArns is longer than the 4096 bytes");
}

#[test]
fn roles_that_an_organization_keeps_out() {
    let mut pipeline = home();
    pipeline["pipeline"]["pipeline"]["stages"][1]["actions"][0]["roleArn"] =
        json!("arn:aws:iam::222222222222:role/other");
    let setup = planned(pipeline.clone(), &Wishes { targets: organization(), ..wishes() });
    assert_unknown(&setup, "runs under arn:aws:iam::222222222222:role/other");
    let setup = planned(pipeline, &wishes());
    assert!(
        value(of_first(&setup), "TargetRoleArns").unwrap().ends_with(",arn:aws:iam::222222222222:role/other")
    );
}

#[test]
fn stores_of_further_regions() {
    let mut pipeline = home();
    let declaration = pipeline["pipeline"]["pipeline"].as_object_mut().unwrap();
    declaration.remove("artifactStore");
    let regions = ["ap-south-1", "ca-central-1", "eu-west-1", "sa-east-1", "us-east-1"];
    let stores: serde_json::Map<String, Value> = regions
        .map(|region| {
            let key = json!({"type": "KMS", "id": KEY.replace("eu-west-1", region)});
            (
                region.to_owned(),
                json!({"type": "S3", "location": format!("artifacts-{region}"), "encryptionKey": key}),
            )
        })
        .into_iter()
        .collect();
    declaration.insert("artifactStores".into(), Value::Object(stores));
    let setup = planned(pipeline, &wishes());
    assert_eq!(value(of_first(&setup), "ArtifactBucketName"), Some("artifacts-eu-west-1"));
    let second = format!("artifacts-ap-south-1={}", KEY.replace("eu-west-1", "ap-south-1"));
    assert_eq!(value(of_first(&setup), "ArtifactStore2"), Some(second.as_str()));
    assert_unknown(&setup, "bucket `artifacts-us-east-1` of pipeline `orders` is of one Region more");
    assert_eq!(value(&setup.installation, "ArtifactKeyArns").unwrap().split(',').count(), regions.len());
}

/// A source in a target account starts the pipeline by events, for which each of the templates has a part.
#[test]
fn sources_abroad_send_events() {
    let with = |provider: &str, configuration: Value| {
        let mut snapshot = home();
        let mut source = action("Source", provider, "Code", &configuration);
        source["roleArn"] = json!("arn:aws:iam::222222222222:role/CrosspipeTargetRole");
        let stages = snapshot["pipeline"]["pipeline"]["stages"].as_array_mut().unwrap();
        stages.insert(0, json!({"name": "Source", "actions": [source]}));
        planned(snapshot, &wishes())
    };
    let setup = with(
        "CodeCommit",
        json!({"RepositoryName": "shop", "BranchName": "main", "PollForSourceChanges": "false"}),
    );
    assert_eq!(value(&setup.installation, "ReceiveEvents"), Some("true"));
    let bus = "arn:aws:events:eu-west-1:111111111111:event-bus/default";
    assert_eq!(value(&setup.target_account, "EventBusArn"), Some(bus));
    assert_eq!(value(&setup.target_account, "CodeCommitRepositoryName"), Some("shop"));
    for (name, expected) in [
        ("SourceProvider", "CodeCommit"),
        ("SourceAccountId", "222222222222"),
        ("SourceName", "shop"),
        ("SourceReference", "main"),
    ] {
        assert_eq!(value(of_first(&setup), name), Some(expected), "{name}");
    }
    assert!(!setup.unknown.iter().any(|it| it.contains("Poll")), "{:#?}", setup.unknown);

    let setup = with("ECR", json!({"RepositoryName": "shop"}));
    assert_eq!(value(of_first(&setup), "SourceReference"), Some("latest"));
    let setup = with("S3", json!({"S3Bucket": "sources", "S3ObjectKey": "shop.zip"}));
    assert_eq!(value(of_first(&setup), "SourceName"), Some("sources"));
    assert_unknown(&setup, "PollForSourceChanges");
    assert_unknown(&setup, "bucket `sources` sends its events");
    // A connection starts pipelines without them, and so does a source at home.
    let connection = json!({"ConnectionArn": "arn:aws:codeconnections:eu-west-1:222222222222:connection/1"});
    for setup in [with("CodeStarSourceConnection", connection), planned(home(), &wishes())] {
        assert_eq!(value(&setup.installation, "ReceiveEvents"), None);
        assert_eq!(value(&setup.target_account, "EventBusArn"), None);
        assert_eq!(value(of_first(&setup), "SourceProvider"), None);
    }
}

/// A build in another Region uses the store there: its role is one of those that the keys are opened to.
#[test]
fn builds_of_further_regions_have_their_roles() {
    let mut snapshot = home();
    snapshot["pipeline"]["pipeline"]["stages"][0]["actions"][0]["region"] = json!("us-east-1");
    let setup = planned(snapshot, &Wishes { key_arns: vec![KEY.to_owned()], ..wishes() });
    assert_unknown(&setup, "build project `orders-build` is in another Region");
    for parameters in [&setup.installation, of_first(&setup)] {
        assert_eq!(value(parameters, "BuildRoleArns"), Some("arn:aws:iam::111111111111:role/build"));
    }
    assert_eq!(value(of_first(&setup), "BuildProjectNames"), None);
}
