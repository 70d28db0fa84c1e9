//! What holds for any sequence of requests of any owners on one pipeline, against a naive model.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where its own set-up is wrong"
)]

use std::collections::{BTreeMap, BTreeSet};

use crosspipe_core::owner::Owner;
use crosspipe_core::pipeline::Pipeline;
use crosspipe_core::pipeline::patch::{
    ActionRole, Change, Desired, KeyChoice, NewAction, OwnerStates, PatchError, plan, plan_revert,
};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

const OWNERS: [&str; 3] = ["one", "two", "three"];
const KEYS: [&str; 3] =
    ["alias/orders-artifacts", "arn:aws:kms:us-east-2:111111111111:key/1", "arn:aws:kms:x:1:key/2"];
const ROLES: [&str; 3] = [
    "arn:aws:iam::333333333333:role/platform/legacy,deployer@dublin",
    "arn:aws:iam::222222222222:role/a",
    "arn:aws:iam::222222222222:role/b",
];
const STAGES: [&str; 4] = ["Build", "Production", "New", "Newer"];
const NAMES: [&str; 3] = ["X", "Y", "Z"];

fn original() -> Value {
    serde_json::from_str(include_str!("data/pipeline-v2.json")).unwrap()
}

fn keys() -> impl Strategy<Value = KeyChoice> {
    let by_region =
        (select(&KEYS[..]), select(&KEYS[..]), subsequence(vec!["us-east-2", "eu-west-1"], 0..=2));
    prop_oneof![
        Just(KeyChoice::None),
        select(&KEYS[..]).prop_map(|key| KeyChoice::All(key.into())),
        by_region.prop_map(|(first, second, regions)| {
            let keys = regions.into_iter().zip([first, second]);
            KeyChoice::ByRegion(keys.map(|(region, key)| (region.into(), key.into())).collect())
        }),
    ]
}

fn actions() -> impl Strategy<Value = Vec<NewAction>> {
    let after = select(vec![None, Some("Source"), Some("Staging"), Some("New"), Some("Newer"), Some("Gone")]);
    let entry = (select(&STAGES[..]), select(&NAMES[..]), after, select(&ROLES[..]), any::<bool>());
    prop::collection::vec(entry, 0..4).prop_map(|entries| {
        let mut seen = BTreeSet::new();
        let distinct = entries.into_iter().filter(|(stage, name, ..)| seen.insert((*stage, *name)));
        let new_action =
            |(stage, name, after, role, region): (&str, &str, Option<&str>, &str, bool)| NewAction {
                stage: stage.into(),
                after_stage: after.map(Into::into),
                declaration: json!({
                    "name": name,
                    "actionTypeId": {"category": "Deploy", "owner": "AWS", "provider": "S3", "version": "1"},
                    "inputArtifacts": [{"name": "BuildOutput"}],
                    "roleArn": role,
                    "region": if region { "us-east-2" } else { "eu-west-1" },
                }),
            };
        distinct.map(new_action).collect()
    })
}

fn roles() -> impl Strategy<Value = Vec<ActionRole>> {
    let slots = vec![("Staging", "DeployDublin"), ("Staging", "Deploy"), ("Build", "Package"), ("New", "X")];
    (subsequence(slots, 0..=4), prop::collection::vec(select(&ROLES[..]), 4)).prop_map(|(slots, arns)| {
        let role = |((stage, action), arn): ((&str, &str), &str)| ActionRole {
            stage: stage.into(),
            action: action.into(),
            role_arn: arn.into(),
        };
        slots.into_iter().zip(arns).map(role).collect()
    })
}

fn desired() -> impl Strategy<Value = Desired> {
    (keys(), actions(), roles()).prop_map(|(encryption_keys, actions, roles)| Desired {
        encryption_keys,
        actions,
        roles,
    })
}

/// A pipeline, and what is on record of its patches.
struct Live {
    document: Value,
    states: OwnerStates,
}

impl Live {
    fn new() -> Self {
        Self { document: original(), states: OwnerStates::new() }
    }

    fn pipeline(&self) -> Pipeline {
        Pipeline::parse(self.document.clone()).unwrap()
    }

    fn plan(&self, owner: &str, desired: &Desired) -> Result<Change, PatchError> {
        plan(&self.pipeline(), &self.states, &Owner::new("stack", owner), desired)
    }

    /// Whether the request fitted; one that doesn't changes nothing.
    fn apply(&mut self, owner: &'static str, desired: &Desired) -> bool {
        let Ok(change) = self.plan(owner, desired) else { return false };
        assert!(change.drifted.is_empty(), "{:?}", change.drifted);
        self.write(&change);
        assert!(self.is_settled(owner, desired), "the same request again is no change");
        true
    }

    fn is_settled(&self, owner: &str, desired: &Desired) -> bool {
        self.plan(owner, desired).is_ok_and(|change| {
            let states = [&change.during, &change.after];
            change.pipeline.is_none() && change.drifted.is_empty() && states == [&self.states; 2]
        })
    }

    fn plan_revert(&self, owner: &str) -> Change {
        plan_revert(&self.pipeline(), &self.states, &Owner::new("stack", owner))
    }

    fn delete(&mut self, owner: &'static str) {
        let change = self.plan_revert(owner);
        assert!(change.drifted.is_empty(), "{:?}", change.drifted);
        self.write(&change);
        assert!(!self.states.contains_key(&Owner::new("stack", owner).short()));
    }

    fn write(&mut self, change: &Change) {
        if let Some(pipeline) = &change.pipeline {
            self.document["pipeline"] = pipeline.clone();
        }
        self.states = change.after.clone();
    }

    fn assert_original(&self) {
        assert_eq!(self.document.to_string(), original().to_string());
        assert_eq!(self.states, OwnerStates::new());
    }
}

/// Keys and roles by `store` or `Stage/Action`, of the original pipeline's stores and actions only.
fn slots(document: &Value) -> BTreeMap<String, Option<String>> {
    let pipeline = Pipeline::parse(document.clone()).unwrap();
    let keys = pipeline.stores().map(|it| (it.path(), it.key_id().map(str::to_owned)));
    let roles = pipeline.actions().filter(|it| !NAMES.contains(&it.name()));
    let roles =
        roles.map(|it| (format!("{}/{}", it.stage().name(), it.name()), it.role_arn().map(str::to_owned)));
    keys.chain(roles).collect()
}

/// The document without slots, and without actions and stages that only the tests add.
fn masked(document: &Value) -> String {
    let mut document = document.clone();
    for store in document["pipeline"]["artifactStores"].as_object_mut().unwrap().values_mut() {
        store.as_object_mut().unwrap().shift_remove("encryptionKey");
    }
    let stages = document["pipeline"]["stages"].as_array_mut().unwrap();
    for stage in stages.iter_mut() {
        let actions = stage["actions"].as_array_mut().unwrap();
        actions.retain(|action| !NAMES.contains(&action["name"].as_str().unwrap()));
        for action in actions {
            action.as_object_mut().unwrap().shift_remove("roleArn");
        }
    }
    stages.retain(|stage| stage["actions"] != json!([]));
    document.to_string()
}

type Pile = Vec<(&'static str, String)>;

/// Each slot as a pile of what owners want, the original at the bottom.
struct Model {
    piles: BTreeMap<String, (Option<String>, Pile)>,
}

impl Model {
    fn new() -> Self {
        Self { piles: slots(&original()).into_iter().map(|(slot, value)| (slot, (value, vec![]))).collect() }
    }

    fn set(&mut self, owner: &'static str, desired: &Desired) {
        for (slot, (_, pile)) in &mut self.piles {
            let wanted = match &desired.encryption_keys {
                KeyChoice::All(key) if slot.starts_with("artifactStores.") => Some(key.clone()),
                KeyChoice::ByRegion(keys) if slot.starts_with("artifactStores.") => {
                    keys.get(slot.trim_start_matches("artifactStores.")).cloned()
                }
                _ => desired
                    .roles
                    .iter()
                    .find(|it| format!("{}/{}", it.stage, it.action) == *slot)
                    .map(|it| it.role_arn.clone()),
            };
            let shown = pile.last().map(|(_, value)| value.clone());
            let holds = pile.iter().any(|(it, value)| *it == owner && Some(value) == wanted.as_ref());
            if holds && shown == wanted {
                continue;
            }
            pile.retain(|(it, _)| *it != owner);
            pile.extend(wanted.map(|value| (owner, value)));
        }
    }

    fn shown(&self) -> BTreeMap<String, Option<String>> {
        let show = |(original, pile): &(Option<String>, Pile)| {
            pile.last().map(|(_, value)| value.clone()).or_else(|| original.clone())
        };
        self.piles.iter().map(|(slot, pile)| (slot.clone(), show(pile))).collect()
    }
}

proptest! {
    #[test]
    fn revert_restores_original(first in desired(), second in desired()) {
        let mut live = Live::new();
        live.apply("one", &first);
        live.apply("one", &second);
        live.delete("one");
        live.assert_original();
    }

    #[test]
    fn update_equals_create(first in desired(), second in desired()) {
        let (mut updated, mut created) = (Live::new(), Live::new());
        updated.apply("one", &first);
        // A Create needs every `AfterStage`; an Update doesn't look at those of stages that are there.
        if updated.apply("one", &second) && created.apply("one", &second) {
            // The order of stages may tell: a stage that was there before is not moved for another's sake.
            prop_assert_eq!(slots(&updated.document), slots(&created.document));
            prop_assert_eq!(updated.states, created.states);
        }
    }

    #[test]
    fn owner_order_does_not_matter(
        requests in prop::collection::vec((select(&OWNERS[..]), prop::option::weighted(0.75, desired())), 1..12),
        last in Just(OWNERS.to_vec()).prop_shuffle(),
    ) {
        let (mut live, mut model) = (Live::new(), Model::new());
        let untouched = masked(&live.document);
        for (owner, request) in requests.into_iter().chain(last.into_iter().map(|owner| (owner, None))) {
            match request {
                Some(desired) if live.apply(owner, &desired) => model.set(owner, &desired),
                Some(_) => {}
                None => {
                    live.delete(owner);
                    model.set(owner, &Desired::default());
                }
            }
            prop_assert_eq!(slots(&live.document), model.shown());
            prop_assert_eq!(masked(&live.document), untouched.clone());
            prop_assert_eq!(&live.document["metadata"], &original()["metadata"]);
        }
        live.assert_original();
    }

    #[test]
    fn crash_after_any_write_recovers(first in desired(), second in desired(), written in 0..3_u8, deletes: bool) {
        let mut live = Live::new();
        if !live.apply("one", &first) {
            return Ok(());
        }
        let change = match deletes {
            false => match live.plan("one", &second) {
                Ok(change) => change,
                Err(_) => return Ok(()),
            },
            true => live.plan_revert("one"),
        };
        live.states = change.during;
        if written > 0 {
            live.document["pipeline"] = change.pipeline.unwrap_or(live.document["pipeline"].take());
        }
        if written > 1 {
            live.states = change.after;
        }
        if deletes {
            live.delete("one");
        } else {
            // CloudFormation either repeats the Update or rolls it back; then somebody deletes the stack.
            let [repeated, rolled_back] = [&second, &first].map(|desired| live.plan("one", desired));
            prop_assert!(repeated.is_ok_and(|it| it.drifted.is_empty()));
            prop_assert!(rolled_back.is_ok_and(|it| it.drifted.is_empty()));
            live.apply("one", &second);
            live.delete("one");
        }
        live.assert_original();
    }

    #[test]
    fn arbitrary_json_is_read_or_refused(path in select(vec![
        "/name", "/roleArn", "/stages", "/stages/0", "/stages/0/actions", "/stages/0/actions/0/actionTypeId/owner",
        "/artifactStores", "/artifactStores/us-east-2", "/artifactStores/us-east-2/encryptionKey/id",
        "/stages/1/actions/0/inputArtifacts/0/name", "/stages/1/actions/0/runOrder",
    ]), odd in select(vec![json!(null), json!(true), json!(-1.5), json!([]), json!({}), json!([1]), json!("text")])) {
        let mut value = original()["pipeline"].clone();
        *value.pointer_mut(path).unwrap() = odd;
        match Pipeline::parse(value.clone()) {
            Ok(pipeline) => prop_assert_eq!(pipeline.as_value(), &value),
            Err(error) => prop_assert!(!error.field.is_empty() && !error.problem.is_empty()),
        }
    }
}
