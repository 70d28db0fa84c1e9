//! The views over a pipeline's structure, on a pipeline as platform teams have them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where its own set-up is wrong"
)]

use crosspipe_core::pipeline::Pipeline;
use serde_json::{Value, json};

fn fixture() -> Value {
    serde_json::from_str(include_str!("data/pipeline-v2.json")).unwrap()
}

#[test]
fn metadata_is_read_and_never_kept() {
    let pipeline = Pipeline::parse(fixture()).unwrap();
    assert_eq!(pipeline.as_value().to_string(), fixture()["pipeline"].to_string());
    assert_eq!(pipeline.arn(), Some("arn:aws:codepipeline:us-east-2:111111111111:orders-release"));
    assert_eq!((pipeline.account(), pipeline.region()), (Some("111111111111"), Some("us-east-2")));
}

#[test]
fn bare_structure_takes_service_role_account() {
    let pipeline = Pipeline::parse(fixture()["pipeline"].clone()).unwrap();
    assert_eq!(pipeline.name(), "orders-release");
    assert_eq!((pipeline.account(), pipeline.region(), pipeline.arn()), (Some("111111111111"), None, None));
}

#[test]
fn action_views_are_complete() {
    let pipeline = Pipeline::parse(fixture()).unwrap();
    let action = pipeline.actions().find(|it| it.name() == "DeployDublin").unwrap();
    assert_eq!(
        (action.path().as_str(), action.stage().name(), action.index()),
        ("stages[2].actions[1]", "Staging", 1)
    );
    assert_eq!(
        (action.category(), action.owner(), action.provider(), action.version()),
        ("Deploy", "AWS", "CloudFormation", "1")
    );
    assert_eq!(action.configuration("StackName"), Some("orders"));
    assert_eq!(action.region(), Some("eu-west-1"));
    assert_eq!(action.input_artifacts().collect::<Vec<_>>(), ["Templates"]);
    assert_eq!(action.output_artifacts().count(), 0);
    assert_eq!(action.run_order(), 2);
    let crossing: Vec<_> = pipeline.cross_account_actions().map(|(it, to)| (it.path(), to)).collect();
    assert_eq!(crossing, [("stages[2].actions[1]".to_owned(), "333333333333")]);
}

#[test]
fn a_store_is_found_by_region() {
    let mut value = fixture();
    let pipeline = Pipeline::parse(value.clone()).unwrap();
    let path = |pipeline: &Pipeline, region| pipeline.store_for(region).map(|store| store.path());
    assert_eq!(path(&pipeline, None).as_deref(), Some("artifactStores.us-east-2"));
    assert_eq!(path(&pipeline, Some("eu-west-1")).as_deref(), Some("artifactStores.eu-west-1"));
    assert_eq!(path(&pipeline, Some("ap-south-1")), None);
    assert_eq!(pipeline.store_for(None).and_then(|store| store.key_id()), Some("alias/orders-artifacts"));

    let structure = value["pipeline"].as_object_mut().unwrap();
    structure.remove("artifactStores");
    assert_eq!(Pipeline::parse(value.clone()).unwrap().stores().count(), 0);
    value["pipeline"]["artifactStore"] = json!({"type": "S3", "location": "bucket"});
    let pipeline = Pipeline::parse(value).unwrap();
    let store = pipeline.store_for(Some("us-east-2")).unwrap();
    assert_eq!((store.path().as_str(), store.bucket(), store.key_id()), ("artifactStore", "bucket", None));
    assert_eq!(
        path(&pipeline, Some("eu-west-1")),
        None,
        "`artifactStore` serves the pipeline's own Region only"
    );
}
