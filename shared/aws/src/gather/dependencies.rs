//! Which keys, buckets, roles and builds a pipeline's cross-account actions depend on, as far as the pipeline
//! itself says.

use std::collections::{BTreeMap, BTreeSet};

use crosspipe_core::arn::Arn;
use crosspipe_core::pipeline::{Action, Pipeline};
use crosspipe_core::providers::Provider;

/// What to look at.
#[derive(Debug, Default)]
pub(super) struct Dependencies<'a> {
    /// The pipeline's account; empty where it is not known.
    pub account: &'a str,
    /// Artifact keys that are given by ARN.
    pub keys: BTreeSet<String>,
    /// Artifact buckets.
    pub buckets: BTreeSet<String>,
    /// Region, where it is another than the pipeline's, and name of build projects of the pipeline's account
    /// whose output another account uses.
    pub projects: BTreeSet<(Option<&'a str>, &'a str)>,
    /// Roles of the pipeline's account.
    pub own_roles: BTreeSet<Arn>,
    /// Everybody else's.
    pub targets: Vec<Target<'a>>,
}

/// What to look at in a target account.
#[derive(Debug)]
pub(super) struct Target<'a> {
    /// Its 12 digits.
    pub account: String,
    /// The partition of its ARNs.
    pub partition: String,
    /// Its roles.
    pub roles: BTreeSet<Arn>,
    /// The actions that work in it.
    pub actions: Vec<Action<'a>>,
}

impl<'a> Dependencies<'a> {
    /// What the cross-account actions depend on, or the one of this stage and name.
    pub(super) fn of(pipeline: &'a Pipeline, only: Option<(&str, &str)>) -> Self {
        let mut dependencies =
            Dependencies { account: pipeline.account().unwrap_or_default(), ..Dependencies::default() };
        let mut roles = BTreeSet::new();
        let mut working: BTreeMap<&str, Vec<Action<'a>>> = BTreeMap::new();
        let meant = |action: &Action<'_>| only.is_none_or(|it| it == (action.stage().name(), action.name()));
        for (action, account) in pipeline.cross_account_actions().filter(|(action, _)| meant(action)) {
            roles.insert(pipeline.role_arn());
            roles.extend(action.role_arn());
            // The role that a stack is given.
            roles.extend(action.configuration("RoleArn"));
            working.entry(account).or_default().push(action);
            dependencies.projects.extend(builds_of(pipeline, &action));
            let Some(store) = pipeline.store_for(action.region()) else { continue };
            dependencies.buckets.insert(store.bucket().to_owned());
            dependencies.keys.extend(store.key_id().filter(|key| key.contains(":key/")).map(str::to_owned));
        }
        // Actions that stay at home share the artifacts with those that do not.
        if pipeline.cross_account_actions().next().is_some() {
            dependencies.add_home(pipeline, meant, &mut roles);
        }
        let mut by_account: BTreeMap<(String, String), BTreeSet<Arn>> = BTreeMap::new();
        for role in roles.into_iter().filter_map(|arn| Arn::parse(arn).ok()) {
            let account = (role.account().to_owned(), role.partition().to_owned());
            by_account.entry(account).or_default().insert(role);
        }
        for ((account, partition), roles) in by_account {
            if account == dependencies.account {
                dependencies.own_roles = roles;
            } else {
                let actions = working.remove(account.as_str()).unwrap_or_default();
                dependencies.targets.push(Target { account, partition, roles, actions });
            }
        }
        dependencies
    }

    /// What the pipeline uses in its own account, but for roles: also where no action works in another account.
    pub(super) fn at_home(pipeline: &'a Pipeline) -> Self {
        let account = pipeline.account().unwrap_or_default();
        let mut dependencies = Dependencies { account, ..Dependencies::default() };
        dependencies.add_home(pipeline, |_| true, &mut BTreeSet::new());
        dependencies
    }

    /// What these actions depend on where they stay in the pipeline's account.
    fn add_home(
        &mut self,
        pipeline: &'a Pipeline,
        meant: impl Fn(&Action<'_>) -> bool,
        roles: &mut BTreeSet<&'a str>,
    ) {
        let home = pipeline.actions().filter(|action| pipeline.target_account(action).is_none());
        for action in home.filter(|action| meant(action)) {
            roles.insert(pipeline.role_arn());
            roles.extend(action.role_arn());
            if Provider::of(&action) == Provider::CodeBuild {
                let project = action.configuration("ProjectName");
                self.projects.extend(project.map(|project| (action.region(), project)));
            }
            let Some(store) = pipeline.store_for(action.region()) else { continue };
            self.buckets.insert(store.bucket().to_owned());
            self.keys.extend(store.key_id().filter(|key| key.contains(":key/")).map(str::to_owned));
        }
    }
}

/// Region and name of the projects in the pipeline's own account that build what an action uses.
fn builds_of<'a>(
    pipeline: &'a Pipeline,
    consumer: &Action<'a>,
) -> impl Iterator<Item = (Option<&'a str>, &'a str)> {
    let inputs: Vec<&str> = consumer.input_artifacts().collect();
    let own = pipeline.actions().filter(|it| pipeline.target_account(it).is_none());
    let builds = own.filter(move |build| {
        Provider::of(build) == Provider::CodeBuild
            && build.output_artifacts().any(|output| inputs.contains(&output))
    });
    builds.filter_map(|build| Some((build.region(), build.configuration("ProjectName")?)))
}
