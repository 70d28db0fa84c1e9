//! Build projects as teams have them, once the artifacts are under the customer managed key.

use crosspipe_e2e::world::{BUILD_PROJECTS, PIPELINE_STACK};
use serde_json::{Value, json};

use crate::scene::Scene;

const AWS_MANAGED: &str = "alias/aws/s3";

fn project_key(scene: &Scene, projects: &[&str]) -> Value {
    json!({"ProjectNames": projects, "KeyArn": scene.world.key_arn})
}

#[test]
fn project_key_is_put_back() {
    let scene = Scene::deployed();
    let key = &scene.world.key_arn;
    for project in ["one", "two"] {
        scene.make_build_project(project, &scene.world.service_role_arn);
    }
    let other = "arn:aws:kms:eu-west-1:111111111111:key/other";
    let set = json!({"name": "two", "encryptionKey": other});
    scene.world.tools.call("codebuild", "update_project", set).unwrap();

    scene.create("first", "BuildProjectKey", project_key(&scene, &["one"])).unwrap();
    scene.update("first", "BuildProjectKey", project_key(&scene, &["two", "one"])).unwrap();
    scene.create("second", "BuildProjectKey", project_key(&scene, &["two"])).unwrap();
    assert_eq!([&scene.project_key("one"), &scene.project_key("two")], [key, key]);

    // A project that is no longer in the list is put back, unless another stack wants it.
    scene.update("first", "BuildProjectKey", project_key(&scene, &["two"])).unwrap();
    assert!(scene.project_key("one").contains(AWS_MANAGED));
    scene.delete("first");
    assert_eq!(scene.project_key("two"), *key);
    scene.delete("second");
    assert_eq!(scene.project_key("two"), other);

    // What somebody else has set since stays.
    scene.create("third", "BuildProjectKey", project_key(&scene, &["one"])).unwrap();
    let set = json!({"name": "one", "encryptionKey": other});
    scene.world.tools.call("codebuild", "update_project", set).unwrap();
    scene.delete("third");
    assert_eq!(scene.project_key("one"), other);

    for (properties, parts) in [
        (project_key(&scene, &["missing"]), ["`ProjectNames`", "`missing`"]),
        (project_key(&scene, &[]), ["`ProjectNames`", "names no project"]),
        (json!({"ProjectNames": "one", "KeyArn": "alias/x"}), ["`KeyArn`", "alias"]),
    ] {
        let reason = scene.refused("BuildProjectKey", properties);
        assert!(parts.iter().all(|part| reason.contains(part)), "{reason}");
    }
    scene.remove();
}

/// The most common pipeline there is: Source, CodeBuild, cross-account deploy.
#[test]
fn builds_work_under_the_customer_key() {
    let scene = Scene::deployed();
    let (tools, world) = (&scene.world.tools, &scene.world);
    let role = world.build_role_arn.as_str();
    assert_eq!(run(&scene), None, "pipeline.yaml has the builds use the artifact key");
    let mut parameters = world.pipeline_parameters();
    parameters.retain(|name, _| !name.starts_with("Build"));
    world.update_pipeline(PIPELINE_STACK, &parameters).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(scene.live().build_keys, scene.before.build_keys, "put back, and the pipeline is as before");

    let notice = |stack: &str| {
        let properties = json!({"PipelineName": world.pipeline, "EncryptionKeyArn": world.key_arn});
        let mut template: Value = serde_json::from_str(&scene.template("PipelinePatch", properties)).unwrap();
        template["Outputs"] = json!({"Notice": {"Value": {"Fn::GetAtt": ["Resource", "Notice"]}}});
        tools.deploy_stack(stack, &template.to_string(), &[], &[]).unwrap().remove("Notice").unwrap()
    };
    let before = notice("before");
    for part in ["`orders-build`", "Custom::BuildProjectKey", "`OwnRoleArns`", role, "\"kms:Decrypt\""] {
        assert!(before.contains(part), "`{part}` is not in: {before}");
    }
    let failed = run(&scene);
    assert_eq!(failed.as_deref(), Some("Build"), "the build's role can't use the key");

    let mut grant = scene.key_grant(&[world.target.id()]);
    grant["OwnRoleArns"] = json!(role);
    scene.create("key", "ArtifactKeyGrant", grant).unwrap();
    assert_eq!(run(&scene).as_deref(), Some("Production"), "no target account can use aws/s3");
    scene.create("project", "BuildProjectKey", project_key(&scene, &BUILD_PROJECTS)).unwrap();
    assert_eq!(run(&scene), None, "everything works under the customer managed key");
    let after = notice("after");
    assert!(!after.contains("orders-build"), "{after}");

    for stack in ["after", "project", "key", "before"] {
        scene.delete(stack);
    }
    assert_eq!(scene.live().build_keys, scene.before.build_keys);
    let elsewhere = scene.key_grant(&[world.target.id()]);
    let mut foreign = elsewhere.clone();
    foreign["OwnRoleArns"] = json!(world.target_role_arn());
    let reason = scene.refused("ArtifactKeyGrant", foreign);
    assert!(reason.contains("`OwnRoleArns`") && reason.contains(world.target.id()), "{reason}");
}

/// Runs the pipeline; the stage that failed.
fn run(scene: &Scene) -> Option<String> {
    let (tools, name) = (&scene.world.tools, &scene.world.pipeline);
    let started = tools.call("codepipeline", "start_pipeline_execution", json!({"name": name})).unwrap();
    let filter = json!({"pipelineExecutionId": started["pipelineExecutionId"]});
    let executions = tools
        .call("codepipeline", "list_action_executions", json!({"pipelineName": name, "filter": filter}))
        .unwrap();
    let details = executions["actionExecutionDetails"].as_array().unwrap();
    let failed = details.iter().find(|detail| detail["status"] == "Failed");
    failed.map(|detail| detail["stageName"].as_str().unwrap().to_owned())
}
