//! One installation, several pipelines.

use crosspipe_e2e::StackError;
use crosspipe_e2e::world::STACK;
use serde_json::{Value, json};

use crate::scene::Scene;

#[test]
fn second_pipeline_survives_the_first() {
    let scene = Scene::deployed_with(|world, parameters| {
        parameters.insert("PipelineArns", format!("{}*", world.pipeline_arn()));
    });
    let (world, tools) = (&scene.world, &scene.world.tools);
    let mut second: Value = scene.before.pipeline.clone();
    second["name"] = json!("orders-two");
    tools
        .call_raw("codepipeline", "CodePipeline_20150709.CreatePipeline", json!({"pipeline": second}))
        .unwrap();
    let mut parameters = world.pipeline_parameters();
    parameters.insert("PipelineName", "orders-two".to_owned());
    world.open_pipeline("crosspipe-orders-two", &parameters).unwrap_or_else(|error| panic!("{error}"));

    // The first one goes; what the second one needs stays.
    scene.delete(crosspipe_e2e::world::PIPELINE_STACK);
    let live = scene.live();
    assert_eq!(live.pipeline["artifactStore"], scene.before.pipeline["artifactStore"]);
    for document in [&live.key_policy, &live.bucket_policy, &json!(live.service_role.inline)] {
        assert!(document.to_string().contains(world.target.id()), "{document}");
    }
    let name = json!({"name": "orders-two"});
    let patched = tools.call_raw("codepipeline", "CodePipeline_20150709.GetPipeline", name).unwrap();
    assert_eq!(patched["pipeline"]["artifactStore"]["encryptionKey"]["id"], world.key_arn);

    let error = tools.delete_stack(STACK).unwrap_err();
    assert!(matches!(error, StackError::Call(_)), "{error}");
    assert!(error.to_string().contains("crosspipe-AccessProviderArn"), "{error}");

    scene.delete("crosspipe-orders-two");
    tools.delete_stack(STACK).unwrap_or_else(|error| panic!("{error}"));
    world.remove_target().unwrap();
    scene.assert_unchanged(&scene.before);
}

#[test]
fn targets_outside_the_scope_are_refused() {
    let scene = Scene::deployed();
    let properties =
        json!({"RoleName": "crosspipe-unlisted", "TargetRoleArns": scene.world.target_role_arn()});
    let reason = scene.refused("ServiceRoleGrant", properties);
    assert!(reason.contains("iam:ListRolePolicies"), "{reason}");

    // Caught before anything is created.
    let world = &scene.world;
    let mut parameters = world.pipeline_parameters();
    parameters.retain(|name, _| !["TargetAccountIds", "TargetRoleArns"].contains(name));
    let error = world.open_pipeline("nobody", &parameters).unwrap_err();
    assert!(error.to_string().contains("TargetAccountIds"), "{error}");
    parameters.insert("OrganizationId", "o-a1b2c3d4e5".to_owned());
    parameters.insert("TargetRoleName", "*".to_owned());
    let error = world.open_pipeline("everybody", &parameters).unwrap_err();
    assert!(error.to_string().contains("TargetRoleName"), "{error}");
    scene.remove();
}
