//! Who else than the roles of cross-account actions uses the artifact stores: the pipeline's service role, the roles
//! of actions that stay at home, and the service roles of build projects.

use std::collections::BTreeMap;

use super::action_facts::labels;
use super::facts::{Facts, role_label};
use crate::arn::account_of;
use crate::pipeline::{Action, Store};
use crate::providers::{ArtifactHandler, Provider};
use crate::snapshot::Fact;

/// What one role does with the artifacts of one store.
#[derive(Debug)]
pub(super) struct StoreUse<'a> {
    pub store: Store<'a>,
    /// Names of the artifacts that are read.
    pub inputs: Vec<&'a str>,
    /// Names of the artifacts that are written.
    pub outputs: Vec<&'a str>,
    /// The actions for which, `Stage/Action`.
    actions: Vec<String>,
}

impl<'a> StoreUse<'a> {
    fn new(store: Store<'a>) -> Self {
        StoreUse { store, inputs: vec![], outputs: vec![], actions: vec![] }
    }

    /// How to speak of the actions for which the artifacts are used.
    pub(super) fn label(&self) -> String {
        labels(self.actions.clone())
    }

    /// What is done with the artifacts.
    pub(super) fn verb(&self) -> &'static str {
        match (self.inputs.is_empty(), self.outputs.is_empty()) {
            (false, false) => "read and write",
            (true, false) => "write",
            _ => "read",
        }
    }

    fn add(&mut self, action: &Action<'a>, inputs: &[&'a str], outputs: &[&'a str]) {
        let label = format!("{}/{}", action.stage().name(), action.name());
        if !self.actions.contains(&label) {
            self.actions.push(label);
        }
        for (names, of) in [(inputs, &mut self.inputs), (outputs, &mut self.outputs)] {
            for name in names {
                if !of.contains(name) {
                    of.push(name);
                }
            }
        }
    }
}

/// What the roles of the pipeline's own account do with each store: the service role, for actions that have none of
/// their own and to copy artifacts from the Region that they are made in to the Region that they are used in; and the
/// roles of actions that stay at home.
pub(super) fn home_role_uses<'a>(facts: &Facts<'a>) -> Vec<HomeUse<'a>> {
    if stays_at_home(facts) {
        return vec![];
    }
    let service_role = facts.pipeline().role_arn();
    let producers = facts.producers();
    let mut uses = Uses::default();
    for action in facts.actions() {
        let inputs: Vec<&str> = action.input_artifacts().collect();
        let outputs: Vec<&str> = action.output_artifacts().collect();
        let Some(store) = store_of(facts, &action) else { continue };
        let role = action.role_arn().unwrap_or(service_role);
        let is_home = facts.pipeline().target_account(&action).is_none();
        let keeps = Provider::of(&action).artifacts().is_action_role() || is_third_party_source(&action);
        if is_home && keeps {
            uses.add(role, store, &action, &inputs, &outputs);
        }
        for artifact in inputs {
            let made_in = producers.get(artifact).and_then(|it| store_of(facts, it));
            if let Some(from) = made_in.filter(|from| from.path() != store.path()) {
                uses.add(service_role, from, &action, &[artifact], &[]);
                uses.add(service_role, store, &action, &[], &[artifact]);
            }
        }
    }
    let uses = uses.0.into_iter().map(|((role, _), of_store)| HomeUse { role, of_store });
    uses.filter(|it| !(it.of_store.inputs.is_empty() && it.of_store.outputs.is_empty())).collect()
}

/// What a role of the pipeline's account does with a store.
#[derive(Debug)]
pub(super) struct HomeUse<'a> {
    /// The role's ARN.
    pub role: &'a str,
    /// What it does.
    pub of_store: StoreUse<'a>,
}

impl HomeUse<'_> {
    /// How to speak of the role.
    pub(super) fn label(&self, facts: &Facts<'_>) -> String {
        if self.role == facts.pipeline().role_arn() {
            "the service role".to_owned()
        } else {
            role_label(self.role)
        }
    }
}

/// Whether CodePipeline itself brings the source from another company, as GitHub's first version, and keeps it as the
/// service role; such actions take no role of their own.
fn is_third_party_source(action: &Action<'_>) -> bool {
    (action.category(), action.owner()) == ("Source", "ThirdParty")
}

/// Nothing here is of concern to a pipeline without a cross-account action.
fn stays_at_home(facts: &Facts<'_>) -> bool {
    facts.pipeline().cross_account_actions().next().is_none()
}

fn store_of<'a>(facts: &Facts<'a>, action: &Action<'a>) -> Option<Store<'a>> {
    facts.pipeline().store_for(action.region())
}

/// By role and store.
#[derive(Default)]
struct Uses<'a>(BTreeMap<(&'a str, String), StoreUse<'a>>);

impl<'a> Uses<'a> {
    fn add(
        &mut self,
        role: &'a str,
        store: Store<'a>,
        action: &Action<'a>,
        inputs: &[&'a str],
        outputs: &[&'a str],
    ) {
        let of_store = self.0.entry((role, store.path())).or_insert_with(|| StoreUse::new(store));
        of_store.add(action, inputs, outputs);
    }
}

/// A build project whose service role reads and writes artifacts.
#[derive(Debug)]
pub(super) struct BuildUse<'a> {
    /// The project's name.
    pub project: &'a str,
    /// Its service role, where that is known.
    pub role: Fact<&'a String>,
    /// The account that it builds in, where that is known.
    pub account: Option<&'a str>,
    /// What it does with the artifacts of a store.
    pub of_store: StoreUse<'a>,
}

/// What the service role of each build project does with artifacts.
pub(super) fn build_uses<'a>(facts: &Facts<'a>) -> Vec<BuildUse<'a>> {
    if stays_at_home(facts) {
        return vec![];
    }
    let mut uses: BTreeMap<(&str, Option<&str>, String), BuildUse<'a>> = BTreeMap::new();
    for action in facts.actions() {
        if Provider::of(&action).artifacts() != ArtifactHandler::ProjectRole {
            continue;
        }
        let (Some(project), Some(store)) = (action.configuration("ProjectName"), store_of(facts, &action))
        else {
            continue;
        };
        let account = facts.account_of(&action);
        let known = facts.snapshot().build_projects.get(project).map_or(Fact::Unknown, Fact::as_ref);
        let role = known.part(|project| &project.service_role);
        // Projects of both accounts may have one name, and the snapshot has one of them.
        let elsewhere = role.known().is_some_and(|role| account_of(role) != account);
        let of = uses.entry((project, account, store.path())).or_insert_with(|| BuildUse {
            project,
            role: if elsewhere { Fact::Unknown } else { role },
            account,
            of_store: StoreUse::new(store),
        });
        let inputs: Vec<&str> = action.input_artifacts().collect();
        let outputs: Vec<&str> = action.output_artifacts().collect();
        of.of_store.add(&action, &inputs, &outputs);
    }
    uses.into_values().collect()
}
