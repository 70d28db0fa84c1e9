//! Pipelines: kept as sent, refused with AWS's reasons, guarded by IAM.

use crosspipe_e2e::{CallError, LocalAws};
use serde_json::{Value, json};

use crate::support::{Scene, action_type, allow, create_role, put_role_policy};

const UPDATE: &str = "CodePipeline_20150709.UpdatePipeline";
const GET: &str = "CodePipeline_20150709.GetPipeline";

fn update(scene: &Scene, pipeline: &Value) -> Result<Value, CallError> {
    scene.a.call_raw("codepipeline", UPDATE, json!({"pipeline": pipeline}))
}

#[test]
fn life_cycle() {
    let scene = Scene::with_grants();
    scene.create_pipeline("life");
    let twice = scene.a.call("codepipeline", "create_pipeline", json!({"pipeline": scene.pipeline("life")}));
    assert_eq!(twice.unwrap_err().code, "PipelineNameInUseException");

    update(&scene, &scene.pipeline("life")).unwrap();
    let got = scene.a.call("codepipeline", "get_pipeline", json!({"name": "life"})).unwrap();
    assert_eq!(got["pipeline"]["version"], 2);
    let arn = format!("arn:aws:codepipeline:eu-west-1:{}:life", scene.a.id());
    assert_eq!(got["metadata"]["pipelineArn"], arn.as_str());
    let listed = scene.a.call("codepipeline", "list_pipelines", json!({})).unwrap();
    assert_eq!(listed["pipelines"][0]["name"], "life");

    scene.a.call("codepipeline", "delete_pipeline", json!({"name": "life"})).unwrap();
    let gone = scene.a.call("codepipeline", "get_pipeline", json!({"name": "life"})).unwrap_err();
    assert_eq!(gone.code, "PipelineNotFoundException");
    let words = format!("Account '{}' does not have a pipeline with name 'life'", scene.a.id());
    assert_eq!(gone.message, words);
}

#[test]
fn members_that_nobody_knows_survive() {
    let scene = Scene::with_grants();
    scene.create_pipeline("kept");
    scene.a.add_new_members("codepipeline", &["fromTheFuture", "alsoNew"]).unwrap();
    let mut pipeline = scene.pipeline("kept");
    pipeline["pipelineType"] = json!("V2");
    pipeline["fromTheFuture"] = json!({"deep": [1, {"er": null}]});
    pipeline["stages"][1]["onFailure"] = json!({"result": "ROLLBACK", "alsoNew": true});
    pipeline["stages"][1]["actions"][0]["timeoutInMinutes"] = json!(17);
    update(&scene, &pipeline).unwrap();

    let got = scene.a.call_raw("codepipeline", GET, json!({"name": "kept"})).unwrap();
    for place in [
        "/pipelineType",
        "/fromTheFuture",
        "/stages/1/onFailure",
        "/stages/1/actions/0/timeoutInMinutes",
        "/stages/1/actions/0/namespace",
    ] {
        assert_eq!(got["pipeline"].pointer(place), pipeline.pointer(place), "{place}");
    }
}

#[test]
fn structure_is_checked() {
    let scene = Scene::with_grants();
    scene.create_pipeline("checked");
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut pipeline = scene.pipeline("checked");
        change(&mut pipeline);
        let error = update(&scene, &pipeline).unwrap_err();
        (error.code, error.message)
    };
    let invalid = |message: &str| ("InvalidStructureException".to_owned(), message.to_owned());

    let one_stage = refused(&|p| drop(p["stages"].as_array_mut().unwrap().pop()));
    let words = "Pipeline has only 1 stage(s). There should be a minimum of 2 stages in a pipeline";
    assert_eq!(one_stage, invalid(words));
    let unknown_input =
        refused(&|p| p["stages"][1]["actions"][0]["inputArtifacts"][0]["name"] = json!("Other"));
    let words = "Input Artifact Bundle Other in action Deploy is not declared as Output Artifact Bundle in any of the preceding actions";
    assert_eq!(unknown_input, invalid(words));
    let elsewhere = refused(&|p| p["stages"][1]["actions"][0]["region"] = json!("us-east-1"));
    assert!(
        elsewhere.1.starts_with("Your pipeline contains actions in more than one region"),
        "{elsewhere:?}"
    );
    let both_stores = refused(&|p| p["artifactStores"] = json!({"eu-west-1": p["artifactStore"]}));
    assert_eq!(both_stores.0, "InvalidStructureException");
    let same_names = refused(&|p| p["stages"][1]["name"] = json!("Source"));
    assert_eq!(same_names.0, "InvalidStructureException");
    let bad_role = refused(&|p| p["stages"][1]["actions"][0]["roleArn"] = json!("XR"));
    assert_eq!(bad_role.0, "ValidationException");
    let late_source =
        refused(&|p| p["stages"][1]["actions"][0]["actionTypeId"] = action_type("Source", "S3"));
    assert_eq!(late_source.0, "InvalidStructureException");

    let metadata = json!({"pipeline": scene.pipeline("checked"), "metadata": {"created": 1}});
    let error = scene.a.call_raw("codepipeline", UPDATE, metadata).unwrap_err();
    assert_eq!(error.code, "ValidationException");
    let unchanged = scene.a.call("codepipeline", "get_pipeline", json!({"name": "checked"})).unwrap();
    assert_eq!(unchanged["pipeline"]["version"], 1);
    let members: Vec<String> = scene.a.take_violations().unwrap().into_iter().map(|one| one.member).collect();
    assert_eq!(members, ["pipeline.stages[1].actions[0].roleArn", "metadata"]);
}

#[test]
fn service_role_must_assume_action_role() {
    let scene = Scene::without_grants();
    let create =
        || scene.a.call("codepipeline", "create_pipeline", json!({"pipeline": scene.pipeline("assumed")}));
    let words = format!(
        "{} is not authorized to perform AssumeRole on role {}",
        scene.service_role, scene.target_role
    );
    let refused = CallError { code: "InvalidStructureException".to_owned(), message: words, status: 400 };
    assert_eq!(create().unwrap_err(), refused, "the service role's side is missing");

    scene.let_service_role_assume();
    let trust = |principal: &str| {
        let statement =
            json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"});
        let document = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
        scene
            .b
            .call("iam", "update_assume_role_policy", json!({"RoleName": "XR", "PolicyDocument": document}))
            .unwrap();
    };
    trust(scene.b.id());
    assert_eq!(create().unwrap_err(), refused, "the target role's trust is missing");
    trust(&scene.service_role);
    create().unwrap();
}

#[test]
fn iam_guards_operations_and_pass_role() {
    let scene = Scene::with_grants();
    scene.create_pipeline("guarded");
    let root = format!("arn:aws:iam::{}:root", scene.a.id());
    let editor = scene.a.assume(&create_role(&scene.a, "Editor", &json!({"AWS": root}))).unwrap();
    let arn = format!("arn:aws:codepipeline:eu-west-1:{}:guarded", scene.a.id());

    let denied = editor.call("codepipeline", "get_pipeline", json!({"name": "guarded"})).unwrap_err();
    assert_eq!(denied.code, "AccessDeniedException");
    assert!(
        denied
            .message
            .contains(&format!("codepipeline:GetPipeline on resource: {arn} because no identity-based")),
        "{denied}"
    );
    put_role_policy(&scene.a, "Editor", "edit", &allow("codepipeline:*", &arn)).unwrap();
    editor.call("codepipeline", "get_pipeline", json!({"name": "guarded"})).unwrap();

    let pipeline = json!({"pipeline": scene.pipeline("guarded")});
    let denied = editor.call("codepipeline", "update_pipeline", pipeline.clone()).unwrap_err();
    assert!(denied.message.contains("iam:PassRole"), "{denied}");
    put_role_policy(&scene.a, "Editor", "pass", &allow("iam:PassRole", &scene.service_role)).unwrap();
    editor.call("codepipeline", "update_pipeline", pipeline).unwrap();
}

#[test]
fn tags_are_limited_as_on_aws() {
    let scene = Scene::with_grants();
    scene.create_pipeline("tagged");
    let arn = format!("arn:aws:codepipeline:eu-west-1:{}:tagged", scene.a.id());
    let tag =
        |tags: Value| scene.a.call("codepipeline", "tag_resource", json!({"resourceArn": arn, "tags": tags}));
    tag(json!([{"key": "team", "value": "deploy é @ 1"}, {"key": "other", "value": ""}])).unwrap();
    scene
        .a
        .call("codepipeline", "untag_resource", json!({"resourceArn": arn, "tagKeys": ["other"]}))
        .unwrap();
    let listed = scene.a.call("codepipeline", "list_tags_for_resource", json!({"resourceArn": arn})).unwrap();
    assert_eq!(listed["tags"], json!([{"key": "team", "value": "deploy é @ 1"}]));

    assert_eq!(tag(json!([{"key": "json", "value": "{\"a\":1}"}])).unwrap_err().code, "InvalidTagsException");
    let long = "x".repeat(257);
    let raw = json!({"resourceArn": arn, "tags": [{"key": "long", "value": long}]});
    let error = scene.a.call_raw("codepipeline", "CodePipeline_20150709.TagResource", raw).unwrap_err();
    assert_eq!(error.code, "ValidationException");
    let refused = scene.a.take_violations().unwrap();
    assert_eq!(refused.first().map(|one| one.member.as_str()), Some("tags[0].value"));
    let fifty: Vec<_> = (0..50).map(|n| json!({"key": format!("k{n}"), "value": "v"})).collect();
    assert_eq!(tag(json!(fifty)).unwrap_err().code, "TooManyTagsException");
}

#[test]
fn accounts_do_not_see_each_other() {
    let scene = Scene::with_grants();
    scene.create_pipeline("mine");
    let [other] = LocalAws::shared().new_accounts();
    let listed = LocalAws::shared().account(other).call("codepipeline", "list_pipelines", json!({})).unwrap();
    assert_eq!(listed["pipelines"], json!([]));
}
