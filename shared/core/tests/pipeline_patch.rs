//! Patching a pipeline as platform teams have them: what changes, what stays, what comes back.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where its own set-up is wrong"
)]

use std::collections::BTreeMap;

use crosspipe_core::owner::Owner;
use crosspipe_core::pipeline::Pipeline;
use crosspipe_core::pipeline::patch::{ActionRole, Change, Desired, KeyChoice, NewAction, plan, plan_revert};
use serde_json::{Value, json};

const KEY: &str = "arn:aws:kms:us-east-2:111111111111:key/11111111-2222-3333-4444-555555555555";
const ROLE: &str = "arn:aws:iam::222222222222:role/CrossAccount_Role";

/// A pipeline with its tags, which takes changes as AWS would.
struct Live {
    document: Value,
    tags: BTreeMap<String, String>,
}

impl Live {
    fn new() -> Self {
        let document = serde_json::from_str(include_str!("data/pipeline-v2.json")).unwrap();
        let tags = BTreeMap::from([
            ("aws:cloudformation:stack-name".to_owned(), "orders".to_owned()),
            ("team".to_owned(), "orders".to_owned()),
        ]);
        Self { document, tags }
    }

    fn pipeline(&self) -> Pipeline {
        Pipeline::parse(self.document.clone()).unwrap()
    }

    fn plan(&self, owner: &str, desired: &Desired, previous: Option<&Desired>) -> Change {
        plan(&self.pipeline(), &self.tags, &Owner::new("stack", owner), desired, previous).unwrap()
    }

    fn apply(&mut self, owner: &str, desired: &Desired, previous: Option<&Desired>) {
        let change = self.plan(owner, desired, previous);
        self.write(&change);
        assert!(self.plan(owner, desired, previous).is_none(), "the same request again is no change");
    }

    fn refuse(&self, desired: &Desired) -> String {
        let owner = Owner::new("stack", "one");
        plan(&self.pipeline(), &self.tags, &owner, desired, None).unwrap_err().to_string()
    }

    fn revert(&mut self, owner: &str, set: &[&Desired]) -> Vec<String> {
        let change = plan_revert(&self.pipeline(), &self.tags, &Owner::new("stack", owner), set);
        self.write(&change);
        change.left_alone
    }

    fn write(&mut self, change: &Change) {
        self.tags.extend(change.tags_to_add.clone());
        if let Some(pipeline) = &change.pipeline {
            self.document["pipeline"] = pipeline.clone();
        }
        self.tags.retain(|key, _| !change.tags_to_remove.contains(key));
    }

    fn action(&mut self, stage: &str, name: &str) -> &mut Value {
        let stages = self.document["pipeline"]["stages"].as_array_mut().unwrap();
        let stage = stages.iter_mut().find(|it| it["name"] == stage).unwrap();
        stage["actions"].as_array_mut().unwrap().iter_mut().find(|it| it["name"] == name).unwrap()
    }

    fn stages(&self) -> Vec<String> {
        self.pipeline().stages().map(|stage| stage.name().to_owned()).collect()
    }

    fn assert_original(&self) {
        let original = Self::new();
        assert_eq!(self.document.to_string(), original.document.to_string());
        assert_eq!(self.tags, original.tags);
    }
}

fn deploy(name: &str) -> Value {
    json!({
        "name": name,
        "actionTypeId": {"category": "Deploy", "owner": "AWS", "provider": "CodeDeploy", "version": "1"},
        "inputArtifacts": [{"name": "BuildOutput"}],
        "configuration": {"ApplicationName": "AccountBApplicationName"},
        "roleArn": ROLE,
    })
}

fn new_action(stage: &str, after_stage: Option<&str>, declaration: Value) -> NewAction {
    NewAction { stage: stage.into(), after_stage: after_stage.map(Into::into), declaration }
}

fn role(stage: &str, action: &str, role_arn: &str) -> ActionRole {
    ActionRole { stage: stage.into(), action: action.into(), role_arn: role_arn.into() }
}

/// What the walkthrough sets up, on all stores, with an action re-roled besides.
fn walkthrough() -> Desired {
    Desired {
        encryption_keys: KeyChoice::All(KEY.into()),
        actions: vec![new_action("External", Some("Staging"), deploy("ExternalDeploy"))],
        roles: vec![role("Production", "Deploy", ROLE), role("Staging", "DeployDublin", ROLE)],
    }
}

#[test]
fn the_walkthrough_changes_what_it_names_and_nothing_else() {
    let mut live = Live::new();
    live.apply("one", &walkthrough(), None);

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
    let mut ours = live.tags.iter().filter(|(key, _)| key.contains(&owner)).map(|(key, value)| {
        assert!(key.len() <= 128 && value.len() <= 256);
        (key.split(':').nth(2).unwrap().to_owned(), value.clone())
    });
    let tag = |kind: &str, value: &str| (kind.to_owned(), value.to_owned());
    assert_eq!(ours.next(), Some(tag("action", "External/ExternalDeploy")));
    assert_eq!(ours.next(), Some(tag("key", "none")));
    assert_eq!(ours.next(), Some(tag("key", "alias/orders-artifacts")));
    let roles: Vec<_> = ours.collect();
    assert!(roles.contains(&tag("role", "none")));
    let escaped = "arn:aws:iam::333333333333:role/platform/legacy@2cdeployer@40dublin";
    assert!(roles.contains(&tag("role", escaped)), "{roles:?}");

    assert_eq!(live.revert("one", &[&walkthrough()]), [""; 0]);
    live.assert_original();
}

#[test]
fn a_crash_between_the_writes_is_mended_by_the_same_request() {
    let desired = walkthrough();
    let mut remembered = Live::new();
    remembered.tags.extend(remembered.plan("one", &desired, None).tags_to_add);
    remembered.apply("one", &desired, None);
    remembered.revert("one", &[&desired]);
    remembered.assert_original();

    // A Create that UpdatePipeline refused, then its Delete.
    let mut refused = Live::new();
    refused.tags.extend(refused.plan("one", &desired, None).tags_to_add);
    refused.revert("one", &[&desired]);
    refused.assert_original();

    // A Delete that stopped before it forgot.
    let mut restored = Live::new();
    restored.apply("one", &desired, None);
    let change = plan_revert(&restored.pipeline(), &restored.tags, &Owner::new("stack", "one"), &[&desired]);
    restored.document["pipeline"] = change.pipeline.unwrap();
    assert_eq!(restored.revert("one", &[&desired]), [""; 0]);
    restored.assert_original();
}

#[test]
fn what_somebody_else_changed_since_stays() {
    let mut live = Live::new();
    live.apply("one", &walkthrough(), None);
    live.document["pipeline"]["artifactStores"]["us-east-2"]["encryptionKey"]["id"] = "alias/new".into();
    live.action("Production", "Deploy")["roleArn"] = "arn:aws:iam::444444444444:role/x".into();
    live.action("External", "ExternalDeploy")["configuration"] = json!({"ApplicationName": "edited"});

    let left = live.revert("one", &[&walkthrough()]);
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(
        left[0].starts_with("the encryption key of `artifactStores.us-east-2` was changed by somebody else")
    );
    assert!(left[1].starts_with("the role of action `Deploy` in stage `Production` was changed"));
    assert!(!live.stages().contains(&"External".to_owned()), "an edited action of ours is still ours");
    assert_eq!(live.tags, Live::new().tags);
    assert_eq!(live.action("Production", "Deploy")["roleArn"], "arn:aws:iam::444444444444:role/x");
}

#[test]
fn defaults_that_aws_fills_in_are_no_change() {
    let mut live = Live::new();
    live.apply("one", &walkthrough(), None);
    let action = live.action("External", "ExternalDeploy");
    action["runOrder"] = 1.into();
    action["outputArtifacts"] = json!([]);
    action["region"] = "us-east-2".into();
    assert!(live.plan("one", &walkthrough(), None).is_none());
}

#[test]
fn an_added_action_stays_while_others_depend_on_it() {
    for (field, value, reason) in [
        ("inputArtifacts", json!([{"name": "Made"}]), "output artifact `Made`"),
        ("configuration", json!({"X": "#{ours.Id}"}), "variables `#{ours.…}`"),
    ] {
        let mut maker = deploy("Maker");
        maker["outputArtifacts"] = json!([{"name": "Made"}]);
        maker["namespace"] = "ours".into();
        let mut feeder = deploy("Feeder");
        feeder["outputArtifacts"] = json!([{"name": "Raw"}]);
        maker["inputArtifacts"] = json!([{"name": "Raw"}]);
        let actions = vec![
            new_action("Build", None, feeder),
            new_action("Build", None, maker),
            new_action("Build", None, deploy("Loner")),
        ];
        let desired = Desired { actions, ..Desired::default() };
        let mut live = Live::new();
        live.apply("one", &desired, None);
        live.action("Production", "Deploy")[field] = value;

        let dropped = live.plan("one", &Desired::default(), Some(&desired));
        assert_eq!(dropped.tags_to_remove.len(), 1, "an Update still remembers what had to stay");
        let left = live.revert("one", &[&desired]);
        assert!(
            left[0].starts_with("action `Maker` in stage `Build` stays, because action `Deploy` in stage")
        );
        assert!(left[0].contains(reason), "{left:?}");
        assert!(left[1].contains("`Feeder`") && left[1].contains("output artifact `Raw`"), "{left:?}");
        assert_eq!(left.len(), 2);
        assert_eq!(live.tags, Live::new().tags);
        assert_eq!(live.pipeline().stages().nth(1).unwrap().actions().count(), 4, "only the loner went");
    }
}

#[test]
fn a_stage_with_foreign_actions_stays() {
    let mut live = Live::new();
    live.apply("one", &walkthrough(), None);
    let stages = live.document["pipeline"]["stages"].as_array_mut().unwrap();
    stages[3]["actions"].as_array_mut().unwrap().push(deploy("Theirs"));
    assert!(live.plan("one", &walkthrough(), None).is_none());
    live.revert("one", &[&walkthrough()]);
    assert_eq!(live.stages(), ["Source", "Build", "Staging", "External", "Production"]);
}

#[test]
fn an_update_moves_a_stage_of_ours_and_keeps_it_when_its_action_is_renamed() {
    let staged = |after: Option<&str>, name: &str| Desired {
        actions: vec![new_action("External", after, deploy(name))],
        ..Desired::default()
    };
    let mut live = Live::new();
    let (first, second, third) = (staged(Some("Build"), "A"), staged(None, "A"), staged(None, "B"));
    live.apply("one", &first, None);
    assert_eq!(live.stages(), ["Source", "Build", "External", "Staging", "Production"]);
    live.apply("one", &second, Some(&first));
    assert_eq!(live.stages(), ["Source", "Build", "Staging", "Production", "External"]);
    let stages = live.document["pipeline"]["stages"].as_array_mut().unwrap();
    stages[4]["onFailure"] = json!({"result": "FAIL"});
    stages.swap(3, 4);
    live.apply("one", &third, Some(&second));
    assert_eq!(live.stages(), ["Source", "Build", "Staging", "External", "Production"]);
    assert_eq!(live.document["pipeline"]["stages"][3]["onFailure"]["result"], "FAIL");
    live.revert("one", &[&third]);
    live.assert_original();
}

#[test]
fn a_later_owner_keeps_its_value_and_restores_the_original() {
    let with_role = |role_arn: &str| Desired {
        encryption_keys: KeyChoice::All(KEY.into()),
        roles: vec![role("Staging", "DeployDublin", role_arn)],
        ..Desired::default()
    };
    let (one, two) = (with_role("arn:aws:iam::222222222222:role/one"), with_role(ROLE));
    let mut live = Live::new();
    live.apply("one", &one, None);
    live.apply("two", &two, None);
    assert_eq!(live.revert("one", &[&one]), [""; 0]);
    assert_eq!(live.action("Staging", "DeployDublin")["roleArn"], ROLE);
    assert_eq!(live.document["pipeline"]["artifactStores"]["eu-west-1"]["encryptionKey"]["id"], KEY);
    assert_eq!(live.revert("two", &[&two]), [""; 0]);
    live.assert_original();
}

#[test]
fn a_role_that_another_owner_gave_survives_a_new_declaration() {
    let adds = |role: &str| {
        let mut action = deploy("ExternalDeploy");
        action["roleArn"] = role.into();
        Desired { actions: vec![new_action("External", None, action)], ..Desired::default() }
    };
    let (first, second) =
        (adds("arn:aws:iam::222222222222:role/a"), adds("arn:aws:iam::222222222222:role/b"));
    let other = Desired { roles: vec![role("External", "ExternalDeploy", ROLE)], ..Desired::default() };
    let mut live = Live::new();
    live.apply("one", &first, None);
    live.apply("two", &other, None);
    live.apply("one", &second, Some(&first));
    assert_eq!(live.action("External", "ExternalDeploy")["roleArn"], ROLE);
    live.revert("two", &[&other]);
    assert_eq!(live.action("External", "ExternalDeploy")["roleArn"], "arn:aws:iam::222222222222:role/b");
    live.revert("one", &[&second]);
    live.assert_original();
}

#[test]
fn long_role_arns_and_a_damaged_memory() {
    let long = format!("arn:aws:iam::333333333333:role/{}/r", "p".repeat(500));
    let mut live = Live::new();
    live.action("Staging", "DeployDublin")["roleArn"] = long.clone().into();
    let desired = Desired { roles: vec![role("Staging", "DeployDublin", ROLE)], ..Desired::default() };
    live.apply("one", &desired, None);
    let part = live.tags.keys().find(|key| key.ends_with(":1")).unwrap().clone();

    let mut damaged = Live { document: live.document.clone(), tags: live.tags.clone() };
    damaged.tags.remove(&part);
    let left = damaged.revert("one", &[&desired]);
    assert!(left[0].ends_with("can't be read, so what it remembered is not put back"), "{left:?}");
    assert_eq!(damaged.action("Staging", "DeployDublin")["roleArn"], ROLE);

    live.revert("one", &[&desired]);
    assert_eq!(live.action("Staging", "DeployDublin")["roleArn"], long);
    assert_eq!(live.tags, Live::new().tags);
}

#[test]
fn a_key_for_a_region_of_a_single_store_pipeline() {
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
    live.apply("one", &desired("us-east-2"), None);
    let key = &live.document["pipeline"]["artifactStore"]["encryptionKey"];
    assert_eq!(*key, json!({"id": KEY, "type": "KMS", "note": 1}));
    live.revert("one", &[&desired("us-east-2")]);
    assert_eq!(live.document["pipeline"]["artifactStore"], store);
    assert!(
        live.refuse(&desired("eu-west-1")).starts_with("`EncryptionKeyArns.eu-west-1`: the pipeline has no")
    );
}

#[test]
fn a_request_that_does_not_fit_is_refused_with_path_and_next_step() {
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
        (
            actions((0..50).map(|n| new_action("New", None, deploy(&format!("A{n}")))).collect()),
            "the pipeline would need 51 tags to remember what is replaced and can have 50; remove 1 of its tags",
        ),
    ];
    for (desired, expected) in cases {
        let message = live.refuse(&desired);
        assert!(message.starts_with(expected), "{message}");
    }
}
