//! A pipeline with artifact stores in two Regions, opened by one stack.

use crosspipe_e2e::world::{PIPELINE_STACK, World};
use crosspipe_e2e::{Account, LocalAws, functions};
use serde_json::{Value, json};

use crate::scene::REGION;

const OTHER_REGION: &str = "us-east-1";
const TARGET_ROLE: &str = "CrosspipeTargetRole";

/// A key and a bucket in the other Region, which the pipeline uses there; it has no action there yet.
fn add_region(world: &World<'_>) -> (String, String) {
    let there = world.tools.in_region(OTHER_REGION);
    let key = there.call("kms", "create_key", json!({})).unwrap()["KeyMetadata"]["Arn"]
        .as_str()
        .unwrap()
        .to_owned();
    let bucket = format!("codepipeline-{OTHER_REGION}-{}", world.tools.id());
    there.call("s3", "create_bucket", json!({"Bucket": bucket})).unwrap();
    let put = json!({
        "Bucket": bucket, "Key": world.artifact, "Body": "orders 1.4.2", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key,
    });
    there.call("s3", "put_object", put).unwrap();
    let live = world.tools.call("codepipeline", "get_pipeline", json!({"name": world.pipeline})).unwrap();
    let mut pipeline = live["pipeline"].clone();
    let home = pipeline.as_object_mut().unwrap().remove("artifactStore").unwrap();
    pipeline["artifactStores"] = json!({REGION: home, OTHER_REGION: {"type": "S3", "location": bucket}});
    world.tools.call("codepipeline", "update_pipeline", json!({"pipeline": pipeline})).unwrap();
    (bucket, key)
}

fn stores(world: &World<'_>) -> Value {
    let live = world.tools.call("codepipeline", "get_pipeline", json!({"name": world.pipeline})).unwrap();
    live["pipeline"]["artifactStores"].clone()
}

fn policies(account: &Account<'_>, bucket: &str, key: &str) -> (Option<Value>, Value) {
    let parse = |answer: Value| serde_json::from_str::<Value>(answer["Policy"].as_str().unwrap()).unwrap();
    let bucket = account.call("s3", "get_bucket_policy", json!({"Bucket": bucket})).ok().map(parse);
    let key = account.call("kms", "get_key_policy", json!({"KeyId": key, "PolicyName": "default"})).unwrap();
    (bucket, parse(key))
}

#[test]
fn stores_of_two_regions_are_opened() {
    let world = World::build(LocalAws::shared(), REGION).unwrap();
    let (bucket, key) = add_region(&world);
    let there = world.tools.in_region(OTHER_REGION);
    let before = (policies(&there, &bucket, &key), stores(&world));
    let both = |home: &str, further: &str| format!("{home},{further}");
    let bucket_arn = |name: &str| format!("arn:aws:s3:::{name}");
    let scope = [
        ("ArtifactBucketArns", both(&bucket_arn(&world.bucket), &bucket_arn(&bucket))),
        ("ArtifactKeyArns", both(&world.key_arn, &key)),
    ];
    let mut parameters = world.target_parameters();
    parameters.extend(scope.clone());
    world.deploy_targets(&parameters, &[&world.target]).unwrap();
    let packaged = world.package_tools(&functions::build().unwrap()).unwrap();
    let mut parameters = world.tools_parameters();
    parameters.extend(scope);
    world.install(&packaged, &parameters).unwrap_or_else(|error| panic!("{error}"));
    let mut parameters = world.pipeline_parameters();
    parameters.insert("ArtifactStore2", format!("{bucket}={key}"));
    world.open_pipeline(PIPELINE_STACK, &parameters).unwrap_or_else(|error| panic!("{error}"));

    let opened = stores(&world);
    assert_eq!(opened[REGION]["encryptionKey"]["id"], json!(world.key_arn));
    assert_eq!(opened[OTHER_REGION]["encryptionKey"]["id"], json!(key));
    // Whoever builds uses the key of each Region.
    let (_, key_policy) = policies(&there, &bucket, &key);
    assert!(key_policy.to_string().contains(&world.build_role_arn), "{key_policy}");
    // The target role reads what is in the other Region: through the policies of both there, encrypted under its key.
    let service_role = world.tools.assume(&world.service_role_arn).unwrap();
    let role = format!("arn:aws:iam::{}:role/{TARGET_ROLE}", world.target.id());
    let target_role = service_role.assume(&role).unwrap().in_region(OTHER_REGION);
    target_role.call("s3", "get_object", json!({"Bucket": bucket, "Key": world.artifact})).unwrap();

    world.remove_tools().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((policies(&there, &bucket, &key), stores(&world)), before);
}

/// A key of a Region in which the pipeline has no store: nothing is changed, and the reason names the Region.
#[test]
fn region_without_a_store_is_refused() {
    let world = World::build(LocalAws::shared(), REGION).unwrap();
    let (bucket, key) = add_region(&world);
    let there = world.tools.in_region("eu-central-1");
    let stray = there.call("kms", "create_key", json!({})).unwrap()["KeyMetadata"]["Arn"]
        .as_str()
        .unwrap()
        .to_owned();
    world.deploy_target().unwrap();
    let packaged = world.package_tools(&functions::build().unwrap()).unwrap();
    let mut parameters = world.tools_parameters();
    parameters.insert("ArtifactKeyArns", format!("{},{key},{stray}", world.key_arn));
    parameters.insert("ArtifactBucketArns", format!("arn:aws:s3:::{},arn:aws:s3:::{bucket}", world.bucket));
    world.install(&packaged, &parameters).unwrap_or_else(|error| panic!("{error}"));
    let before = (policies(&world.tools.in_region(OTHER_REGION), &bucket, &key), stores(&world));
    let mut parameters = world.pipeline_parameters();
    parameters.insert("ArtifactStore2", format!("{bucket}={stray}"));
    let error = world.open_pipeline(PIPELINE_STACK, &parameters).expect_err("refused").to_string();
    assert!(error.contains("no artifact store for Region `eu-central-1`"), "{error}");
    assert_eq!((policies(&world.tools.in_region(OTHER_REGION), &bucket, &key), stores(&world)), before);
}
