//! The parameters that `crosspipe init` fills in are the templates' own, with values that those allow.

use crosspipe_core::setup::{self, MovedAction, Setup, TARGET_ROLE_NAME, Targets, Wishes};
use crosspipe_core::snapshot::Snapshot;
use crosspipe_e2e::fixtures;
use serde_json::{Value, json};

use crate::documented_commands::check_parameters;
use crate::reading::{PIPELINE, TARGET, TOOLS, read};

const TARGET_ACCOUNT: &str = "222222222222";

/// The demo's pipeline, with the project that builds.
fn demo() -> Value {
    let role = "arn:aws:iam::111111111111:role/service-role/AWSCodePipelineServiceRole-orders";
    let values = [
        ("ServiceRoleArn", role),
        ("Bucket", "orders-artifacts"),
        ("Region", "eu-west-1"),
        ("ToolsAccount", "111111111111"),
    ];
    let pipeline: Value = fixtures::fill(fixtures::PIPELINE, &values).unwrap();
    let key = "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    json!({
        "pipeline": {"pipeline": pipeline, "metadata": {"pipelineArn": "arn:aws:codepipeline:eu-west-1:111111111111:orders"}},
        "buildProjects": {"orders-build": {"encryptionKey": key, "serviceRole": role}},
    })
}

fn cdk() -> Value {
    let text = read("accuracy/public/lint/cdk-pipelines-default/snapshot.json");
    // A bucket's name has no capitals.
    serde_json::from_str(&text.replace("ShopPipeline-artifacts", "shop-artifacts")).unwrap()
}

/// The demo's pipeline with a store in each of two Regions.
fn two_regions() -> Value {
    let mut snapshot = demo();
    let pipeline = snapshot["pipeline"]["pipeline"].as_object_mut().unwrap();
    pipeline.remove("artifactStore");
    let store = |region: &str| {
        let key = format!("arn:aws:kms:{region}:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab");
        json!({"type": "S3", "location": format!("orders-{region}"), "encryptionKey": {"type": "KMS", "id": key}})
    };
    pipeline.insert(
        "artifactStores".into(),
        json!({"eu-west-1": store("eu-west-1"), "us-east-1": store("us-east-1")}),
    );
    snapshot
}

/// The demo's pipeline with its source in a repository of a target account.
fn repository_abroad() -> Value {
    let mut snapshot = demo();
    let source = &mut snapshot["pipeline"]["pipeline"]["stages"][0]["actions"][0];
    source["roleArn"] = json!(format!("arn:aws:iam::{TARGET_ACCOUNT}:role/CrosspipeTargetRole"));
    source["actionTypeId"]["provider"] = json!("CodeCommit");
    source["configuration"] = json!({"RepositoryName": "orders", "BranchName": "main"});
    snapshot
}

fn plan(snapshot: Value, targets: Targets, moved: Option<(&str, &str, &str)>) -> Setup {
    let moved = moved.map(|(stage, action, account)| MovedAction {
        stage: stage.into(),
        action: action.into(),
        account: account.into(),
    });
    let wishes = Wishes {
        targets,
        target_role_name: TARGET_ROLE_NAME.into(),
        moved_actions: moved.into_iter().collect(),
        key_arns: vec![],
        alert_email: Some("you@example.com".into()),
        region: None,
    };
    setup::plan(&[Snapshot::from_value(snapshot).unwrap()], &wishes).unwrap()
}

/// What is wrong with what is given to any of the templates.
fn problems(setup: &Setup) -> Vec<String> {
    let of = |template, parameters: &setup::Parameters| {
        let given = parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        check_parameters(template, &given, true)
    };
    let mut problems = of(TOOLS, &setup.installation);
    problems.extend(of(TARGET, &setup.target_account));
    for (_, parameters) in &setup.pipelines {
        problems.extend(of(PIPELINE, parameters));
    }
    problems
}

#[test]
fn every_parameter_is_taken() {
    let accounts = || Targets::Accounts(vec![TARGET_ACCOUNT.to_owned(), "535526422543".to_owned()]);
    let organization = || Targets::Organization {
        id: "o-a1b2c3d4e5".into(),
        paths: vec!["o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*".into()],
    };
    for (name, snapshot, moved) in [
        ("demo", demo(), Some(("Staging", "Deploy", TARGET_ACCOUNT))),
        ("demo, no action named", demo(), None),
        ("CDK", cdk(), None),
        ("a repository abroad", repository_abroad(), None),
        ("two Regions", two_regions(), Some(("Staging", "Deploy", TARGET_ACCOUNT))),
    ] {
        for targets in [accounts(), organization()] {
            let setup = plan(snapshot.clone(), targets, moved);
            assert!(problems(&setup).is_empty(), "{name}: {:?}\n{setup:#?}", problems(&setup));
        }
    }
}

/// What is not known is not made up: the template refuses what stands for it.
#[test]
fn unknown_key_is_refused() {
    let mut snapshot = demo();
    snapshot["buildProjects"] = json!({});
    let setup = plan(snapshot, Targets::Accounts(vec![TARGET_ACCOUNT.into()]), None);
    assert!(setup.unknown.iter().any(|it| it.contains("--key-arn")), "{setup:#?}");
    let refused = problems(&setup);
    assert!(refused.len() == 3 && refused.iter().all(|it| it.contains("ArtifactKeyArn")), "{refused:?}");
}
