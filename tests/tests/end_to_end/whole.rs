//! Both templates in, both out again.

use serde_json::{Value, json};

use crate::scene::Scene;

#[test]
fn pipeline_is_patched_and_reverted() {
    let scene = Scene::deployed();
    let (world, live) = (&scene.world, scene.live());

    let store = &live.pipeline["artifactStore"];
    assert_eq!(store["encryptionKey"], json!({"id": world.key_arn, "type": "KMS"}));
    let stages: Vec<&str> = live.pipeline["stages"].as_array().unwrap().iter().map(name).collect();
    let staging = stages.iter().position(|stage| *stage == "Staging").unwrap();
    assert_eq!(stages[staging + 1], "Production", "{stages:?}");
    let action = &live.pipeline["stages"][staging + 1]["actions"][0];
    assert_eq!(
        (&action["name"], &action["roleArn"]),
        (&json!("ExternalDeploy"), &json!(world.target_role_arn()))
    );
    // What AWS will have thought of by then is kept, too.
    for member in scene
        .before
        .pipeline
        .as_object()
        .unwrap()
        .keys()
        .filter(|name| !["artifactStore", "stages", "version"].contains(&name.as_str()))
    {
        assert_eq!(live.pipeline[member], scene.before.pipeline[member], "{member}");
    }
    assert_eq!(scene.outputs["PipelineVersion"], live.pipeline["version"].to_string());
    let bytes: usize = scene.outputs["KeyPolicyBytes"].parse().unwrap();
    assert!(bytes > scene.before.key_policy.to_string().len() && bytes < 32_768);
    scene.remove();
}

fn name(value: &Value) -> &str {
    value["name"].as_str().unwrap()
}
