//! What a patch changes, and what it refuses.

use std::collections::BTreeMap;

use crosspipe_core::owner::Owner;
use crosspipe_core::pipeline::patch::{ActionRole, Desired, KeyChoice, NewAction, OwnerStates, plan_revert};
use serde_json::json;

use crate::live::*;

#[test]
fn walkthrough_patch_changes_only_named_parts() {
    let mut live = Live::new();
    live.apply("one", &walkthrough());

    let mut expected = Live::new();
    let pipeline = &mut expected.document["pipeline"];
    pipeline["artifactStores"]["us-east-2"]["encryptionKey"]["id"] = KEY.into();
    pipeline["artifactStores"]["eu-west-1"]["encryptionKey"] = json!({"id": KEY, "type": "KMS"});
    let stages = pipeline["stages"].as_array_mut().unwrap();
    stages.insert(3, json!({"name": "External", "actions": [deploy("ExternalDeploy")]}));
    expected.action("Production", "Deploy")["roleArn"] = ROLE.into();
    expected.action("Staging", "DeployDublin")["roleArn"] = ROLE.into();
    assert_eq!(live.document.to_string(), expected.document.to_string());

    let owner = Owner::new("stack", "one").short();
    let on_record = serde_json::to_value(&live.states).unwrap();
    let state = &on_record[&owner];
    let replaced = |setting: &str| state["settings"][setting]["previous"].clone();
    assert_eq!(replaced("key:eu-west-1"), json!(null));
    assert_eq!(replaced("key:us-east-2"), json!("alias/orders-artifacts"));
    assert_eq!(replaced("role:Production/Deploy"), json!(null));
    let role = "arn:aws:iam::333333333333:role/platform/legacy,deployer@dublin";
    assert_eq!(replaced("role:Staging/DeployDublin"), json!(role));
    let added = json!({"External/ExternalDeploy": {"stage": "External", "after_stage": "Staging"}});
    assert_eq!(state["actions"], added);
    assert_eq!(serde_json::from_value::<OwnerStates>(on_record.clone()).unwrap(), live.states);

    assert_eq!(live.revert("one"), [""; 0]);
    live.assert_original();
}

#[test]
fn interrupted_writes_are_completed() {
    let desired = walkthrough();
    let mut recorded = Live::new();
    recorded.states = recorded.plan("one", &desired).during;
    recorded.apply("one", &desired);
    recorded.revert("one");
    recorded.assert_original();

    // A Create that UpdatePipeline refused, then its Delete.
    let mut refused = Live::new();
    refused.states = refused.plan("one", &desired).during;
    refused.revert("one");
    refused.assert_original();

    // A Delete that stopped before it forgot.
    let mut restored = Live::new();
    restored.apply("one", &desired);
    let change = plan_revert(&restored.pipeline(), &restored.states, &Owner::new("stack", "one"));
    restored.states = change.during;
    restored.document["pipeline"] = change.pipeline.unwrap();
    assert_eq!(restored.revert("one"), [""; 0]);
    restored.assert_original();

    // An Update from one role to another that was refused, and rolled back.
    let with_role =
        |arn: &str| Desired { roles: vec![role("Production", "Deploy", arn)], ..Desired::default() };
    let (first, second) = (with_role(ROLE), with_role("arn:aws:iam::222222222222:role/Other"));
    let mut rolled_back = Live::new();
    rolled_back.apply("one", &first);
    rolled_back.states = rolled_back.plan("one", &second).during;
    rolled_back.apply("one", &first);
    rolled_back.revert("one");
    rolled_back.assert_original();
}

#[test]
fn aws_defaults_are_no_change() {
    let mut live = Live::new();
    live.apply("one", &walkthrough());
    let action = live.action("External", "ExternalDeploy");
    action["runOrder"] = 1.into();
    action["outputArtifacts"] = json!([]);
    action["region"] = "us-east-2".into();
    assert!(live.is_settled("one", &walkthrough()));
}

#[test]
fn update_moves_owned_stage() {
    let staged = |after: Option<&str>, name: &str| Desired {
        actions: vec![new_action("External", after, deploy(name))],
        ..Desired::default()
    };
    let mut live = Live::new();
    let (first, second, third) = (staged(Some("Build"), "A"), staged(None, "A"), staged(None, "B"));
    live.apply("one", &first);
    assert_eq!(live.stages(), ["Source", "Build", "External", "Staging", "Production"]);
    live.apply("one", &second);
    assert_eq!(live.stages(), ["Source", "Build", "Staging", "Production", "External"]);
    let stages = live.document["pipeline"]["stages"].as_array_mut().unwrap();
    stages[4]["onFailure"] = json!({"result": "FAIL"});
    stages.swap(3, 4);
    live.apply("one", &third);
    assert_eq!(live.stages(), ["Source", "Build", "Staging", "External", "Production"]);
    assert_eq!(live.document["pipeline"]["stages"][3]["onFailure"]["result"], "FAIL");
    live.revert("one");
    live.assert_original();
}

#[test]
fn region_key_of_single_store_pipeline() {
    let mut live = Live::new();
    let pipeline = live.document["pipeline"].as_object_mut().unwrap();
    pipeline.remove("artifactStores");
    let store =
        json!({"type": "S3", "location": "b", "encryptionKey": {"id": "k", "type": "HSM", "note": 1}});
    live.document["pipeline"]["artifactStore"] = store.clone();
    let desired = |region: &str| Desired {
        encryption_keys: KeyChoice::ByRegion(BTreeMap::from([(region.to_owned(), KEY.to_owned())])),
        ..Desired::default()
    };
    live.apply("one", &desired("us-east-2"));
    let key = &live.document["pipeline"]["artifactStore"]["encryptionKey"];
    assert_eq!(*key, json!({"id": KEY, "type": "KMS", "note": 1}));
    live.revert("one");
    assert_eq!(live.document["pipeline"]["artifactStore"], store);
    assert!(
        live.refuse(&desired("eu-west-1")).starts_with("`EncryptionKeyArns.eu-west-1`: the pipeline has no")
    );
}

#[test]
fn invalid_patch_names_path_and_step() {
    let live = Live::new();
    let actions = |actions: Vec<NewAction>| Desired { actions, ..Desired::default() };
    let roles = |roles: Vec<ActionRole>| Desired { roles, ..Desired::default() };
    let cases = [
        (
            actions(vec![new_action("Production", None, deploy("Deploy"))]),
            "`Actions[0]`: stage `Production` already has an action `Deploy`, which is not this resource's; give",
        ),
        (
            actions(vec![new_action("New", Some("staging"), deploy("A"))]),
            "`Actions[0].AfterStage`: the pipeline has no stage `staging`; did you mean `Staging`? its stages: `So",
        ),
        (
            actions(vec![new_action("New", None, deploy("A")), new_action("New", None, deploy("A"))]),
            "`Actions[1]`: action `A` in stage `New` is already in `Actions[0]`; remove one",
        ),
        (actions(vec![new_action("a b", None, deploy("A"))]), "`Actions[0].Stage` is `a b`; a name is"),
        (
            actions(vec![new_action("New", None, json!({"name": "A"}))]),
            "`Actions[0].Action.actionTypeId` is missing",
        ),
        (
            roles(vec![role("Prod", "Deploy", ROLE)]),
            "`ActionRoles[0].Stage`: the pipeline has no stage `Prod`; its stages: `Source`, `Build`, `Staging`, `Pr",
        ),
        (
            roles(vec![role("Production", "Deploi", ROLE)]),
            "`ActionRoles[0].Action`: stage `Production` has no action `Deploi`; did you mean `Deploy`? its actions: `Ap",
        ),
        (
            roles(vec![role("Staging", "Deploy", ROLE), role("Staging", "Deploy", ROLE)]),
            "`ActionRoles[1]`: action `Deploy` in stage `Staging` is already in `ActionRoles[0]`",
        ),
        (
            Desired {
                roles: vec![role("N", "A", ROLE)],
                ..actions(vec![new_action("N", None, deploy("A"))])
            },
            "`ActionRoles[0]`: action `A` in stage `N` is added by `Actions[0]`; give its role there as `RoleArn`",
        ),
        (
            Desired {
                encryption_keys: KeyChoice::ByRegion(BTreeMap::from([("eu-west-2".into(), KEY.into())])),
                ..Desired::default()
            },
            "`EncryptionKeyArns.eu-west-2`: the pipeline has no artifact store for Region `eu-west-2`; did you mean \
             `eu-west-1`? its stores: `us-east-2`, `eu-west-1`; add the store",
        ),
    ];
    for (desired, expected) in cases {
        let message = live.refuse(&desired);
        assert!(message.starts_with(expected), "{message}");
    }
}
