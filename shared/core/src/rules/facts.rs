//! What a rule looks at: a pipeline and what is known of what it uses.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::action_facts::{ActionFacts, ActionGroup};
use crate::arn::{Arn, account_of};
use crate::incident::{Failure, Incident, Surroundings};
use crate::pipeline::{Action, Pipeline, Store};
use crate::providers::Provider;
use crate::snapshot::{BucketFacts, EventBusFacts, Fact, KeyFacts, RoleFacts, Snapshot};

/// One pipeline and what is known about it.
#[derive(Debug)]
pub struct Facts<'a> {
    snapshot: &'a Snapshot,
    pipeline: &'a Pipeline,
    /// Look at this action only: stage and name.
    only: Option<(&'a str, &'a str)>,
    /// What failed: an action, or a stage by a condition.
    failure: Option<&'a Failure>,
    /// The action that failed, and what was said about it.
    incident: Option<Incident<'a>>,
}

impl<'a> Facts<'a> {
    /// All actions of a pipeline.
    pub fn new(snapshot: &'a Snapshot, pipeline: &'a Pipeline) -> Self {
        Facts { snapshot, pipeline, only: None, failure: None, incident: None }
    }

    /// One action of a pipeline.
    pub fn of_action(
        snapshot: &'a Snapshot,
        pipeline: &'a Pipeline,
        stage: &'a str,
        action: &'a str,
    ) -> Self {
        Facts { snapshot, pipeline, only: Some((stage, action)), failure: None, incident: None }
    }

    /// The same with what failed: the rules that read its message speak only then.
    #[must_use]
    pub fn with_failure(self, failure: &'a Failure) -> Self {
        let failed = self.actions().find(|action| failure.is_of(action));
        let (service_role, snapshot) = (self.pipeline.role_arn(), self.snapshot);
        let read = |action| Incident::read(&Surroundings { failure, action, service_role, snapshot });
        Facts { failure: Some(failure), incident: failed.map(read), ..self }
    }

    /// The pipeline execution and the stage of what failed.
    pub fn failed_stage(&self) -> Option<(&'a str, &'a str)> {
        let failure = self.failure?;
        Some((&failure.execution_id, &failure.stage))
    }

    /// What failed, and what was said about it; none where nothing failed, or an action that the pipeline does
    /// not have (any more).
    pub fn incident(&self) -> Option<&Incident<'a>> {
        self.incident.as_ref()
    }

    /// Whether AWS says that a statement denies what the failed action asked for.
    pub(super) fn is_told_of_statement(&self) -> bool {
        let denial = self.incident().and_then(|incident| incident.denial.as_ref());
        denial.is_some_and(|denial| denial.explicit == Some(true))
    }

    /// Everything that is known.
    pub fn snapshot(&self) -> &'a Snapshot {
        self.snapshot
    }

    /// The pipeline.
    pub fn pipeline(&self) -> &'a Pipeline {
        self.pipeline
    }

    /// The actions to look at, whatever their account.
    pub fn actions(&self) -> impl Iterator<Item = Action<'a>> {
        let only = self.only;
        self.pipeline.actions().filter(move |action| {
            only.is_none_or(|(stage, name)| action.stage().name() == stage && action.name() == name)
        })
    }

    /// The cross-account actions to look at.
    pub fn cross_account_actions(&self) -> impl Iterator<Item = ActionFacts<'_>> {
        self.actions().filter_map(|action| self.cross_account(action))
    }

    /// An action with its facts, where it is a cross-account action.
    pub(super) fn cross_account(&self, action: Action<'a>) -> Option<ActionFacts<'_>> {
        let account = self.pipeline.target_account(&action)?;
        Some(ActionFacts { facts: self, action, account })
    }

    /// The account that an action works in: its role's, else the pipeline's.
    pub fn account_of(&self, action: &Action<'a>) -> Option<&'a str> {
        self.pipeline.target_account(action).or_else(|| self.pipeline.account())
    }

    /// The other account that an action reaches into: by its role, or without one by the stack role that it
    /// passes or the bucket that it uses. None where it stays at home.
    pub fn reaches_into(&self, action: &Action<'a>) -> Option<&'a str> {
        let own = self.pipeline.account();
        let stack_role = || account_of(action.configuration("RoleArn")?);
        let owner = |bucket: &str| self.bucket(bucket).known()?.account.known().map(String::as_str);
        let bucket =
            || ["BucketName", "S3Bucket"].into_iter().find_map(|it| owner(action.configuration(it)?));
        let by_configuration = || match Provider::of(action) {
            Provider::CloudFormation => stack_role(),
            Provider::S3Deploy | Provider::S3Source => bucket(),
            _ => None,
        };
        let other = by_configuration().filter(|account| Some(*account) != own);
        self.pipeline.target_account(action).or(other)
    }

    /// The Region that an action works in.
    pub fn region_of(&self, action: &Action<'a>) -> Option<&'a str> {
        action.region().or_else(|| self.pipeline.region())
    }

    /// The stores that cross-account actions use, and any other of which something is known.
    pub fn stores(&self) -> impl Iterator<Item = Store<'a>> {
        let used: BTreeSet<String> = self
            .cross_account_actions()
            .filter_map(|action| action.store())
            .map(|store| store.path())
            .collect();
        self.pipeline.stores().filter(move |store| {
            used.contains(&store.path())
                || self.snapshot.buckets.contains_key(store.bucket())
                || store.key_id().is_some_and(|key| self.snapshot.keys.contains_key(key))
        })
    }

    /// The customer managed keys of these stores that are given by ARN.
    pub fn keys(&self) -> impl Iterator<Item = (Store<'a>, Arn)> {
        self.stores().filter_map(|store| Some((store, self.key_of(&store)?)))
    }

    /// The ARN of a store's customer managed key: as it is given, or of the key that an alias's ARN stands for
    /// where the snapshot says so.
    pub(crate) fn key_of(&self, store: &Store<'a>) -> Option<Arn> {
        let arn = Arn::parse(store.key_id()?).ok()?;
        if arn.resource().starts_with("key/") {
            return Some(arn);
        }
        let alias = self.snapshot.keys.get(arn.as_str())?.known()?.key_metadata.known()?;
        key_metadata_arn(alias).and_then(|arn| Arn::parse(arn).ok())
    }

    /// The ARN of an alias by which a store's key is given, where the snapshot does not say of which key.
    pub(super) fn unresolved_alias(&self, store: &Store<'a>) -> Option<&'a str> {
        let is_alias = |id: &&str| id.starts_with("arn:") && id.contains(":alias/");
        store.key_id().filter(is_alias).filter(|_| self.key_of(store).is_none())
    }

    /// Cross-account actions that have their role and their store in common, in the order of the first of each.
    pub(super) fn groups_by_role_and_store(&self) -> Vec<ActionGroup<'_>> {
        self.group_by(|action| {
            (action.role_arn().to_owned(), action.store().map(|store| store.path()).unwrap_or_default())
        })
    }

    /// Cross-account actions that have their account and their store in common, in the order of the first of each.
    pub(super) fn groups_by_account_and_store(&self) -> Vec<ActionGroup<'_>> {
        self.group_by(|action| {
            (action.account.to_owned(), action.store().map(|store| store.path()).unwrap_or_default())
        })
    }

    /// Cross-account actions that have their role in common, in the order of the first of each.
    pub(super) fn groups_by_role(&self) -> Vec<ActionGroup<'_>> {
        self.group_by(|action| (action.role_arn().to_owned(), String::new()))
    }

    fn group_by(&self, key: impl Fn(&ActionFacts<'_>) -> (String, String)) -> Vec<ActionGroup<'_>> {
        let (mut groups, mut places): (Vec<ActionGroup<'_>>, HashMap<_, usize>) = (vec![], HashMap::new());
        for action in self.cross_account_actions() {
            let place = *places.entry(key(&action)).or_insert(groups.len());
            match groups.get_mut(place) {
                Some(group) => group.actions.push(action),
                None => groups.push(ActionGroup { first: action, actions: vec![action] }),
            }
        }
        groups
    }

    /// The action that makes each artifact.
    pub(super) fn producers(&self) -> BTreeMap<&'a str, Action<'a>> {
        let mut producers = BTreeMap::new();
        for action in self.pipeline.actions() {
            for artifact in action.output_artifacts() {
                producers.entry(artifact).or_insert(action);
            }
        }
        producers
    }

    /// The Region of a store: its entry's, else the pipeline's, else that of its bucket or key.
    pub fn store_region(&self, store: &Store<'a>) -> Option<&'a str> {
        let of_bucket =
            || self.snapshot.buckets.get(store.bucket())?.known()?.region.known().map(String::as_str);
        store.region().or_else(|| self.pipeline.region()).or_else(of_bucket)
    }

    /// What is known of a role.
    pub fn role(&self, arn: &str) -> Fact<&'a RoleFacts> {
        self.snapshot.roles.get(arn).map_or(Fact::Unknown, Fact::as_ref)
    }

    /// The instance roles that are known in an account.
    pub(super) fn instance_roles(&self, account: &str) -> impl Iterator<Item = &'a str> {
        let known = self.snapshot.instance_roles.known().into_iter().flatten().map(String::as_str);
        known.filter(move |role| account_of(role) == Some(account))
    }

    /// What is known of a key, under its own ARN or under that of an alias.
    pub fn key(&self, arn: &str) -> Fact<&'a KeyFacts> {
        let by_alias = || {
            self.snapshot.keys.values().find(|key| {
                let metadata = key.known().and_then(|key| key.key_metadata.known());
                metadata.and_then(key_metadata_arn) == Some(arn)
            })
        };
        self.snapshot.keys.get(arn).or_else(by_alias).map_or(Fact::Unknown, Fact::as_ref)
    }

    /// What is known of an event bus, by ARN.
    pub fn event_bus(&self, arn: &str) -> Fact<&'a EventBusFacts> {
        self.snapshot.event_buses.get(arn).map_or(Fact::Unknown, Fact::as_ref)
    }

    /// What is known of a bucket.
    pub fn bucket(&self, name: &str) -> Fact<&'a BucketFacts> {
        self.snapshot.buckets.get(name).map_or(Fact::Unknown, Fact::as_ref)
    }

    /// The partition of this pipeline's ARNs.
    pub fn partition(&self) -> String {
        Arn::parse(self.pipeline.role_arn()).map_or_else(|_| "aws".into(), |arn| arn.partition().to_owned())
    }
}

/// The ARN in `DescribeKey`'s answer.
fn key_metadata_arn(metadata: &Value) -> Option<&str> {
    text(metadata.get("KeyMetadata").unwrap_or(metadata), "/Arn")
}

/// Where a role is in the snapshot.
pub(super) fn role_location(arn: &str) -> String {
    format!("roles[\"{arn}\"]")
}

/// How to speak of a role: by name and account.
pub(super) fn role_label(arn: &str) -> String {
    match Arn::parse(arn) {
        Ok(role) => format!("role {} of account {}", role.role_name().unwrap_or(arn), role.account()),
        Err(_) => format!("role {arn}"),
    }
}

/// A text member, whatever holds it.
pub(super) fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
}
