use std::collections::BTreeSet;

use super::{MovedAction, SetupError, Targets, Wishes};
use crate::arn::Arn;
use crate::pipeline::{Action, Pipeline, Store};
use crate::providers::Provider;
use crate::rules::Facts;
use crate::snapshot::Snapshot;

/// What a pipeline says of itself.
#[derive(Debug)]
pub(super) struct Opened<'a> {
    pub pipeline: &'a Pipeline,
    pub snapshot: &'a Snapshot,
    pub partition: String,
    pub account: String,
    pub region: String,
    pub service_role_name: String,
    /// `/`, or `/…/`.
    pub service_role_path: String,
    /// The store of the pipeline's own Region.
    pub home: OpenedStore,
    /// All stores, the one of the pipeline's own Region first.
    pub stores: Vec<OpenedStore>,
    /// Build projects of its own account and Region whose output others use, by name.
    pub build_projects: BTreeSet<String>,
    /// Their roles, but for the service role.
    pub build_roles: BTreeSet<String>,
    /// Its actions that are to run in target accounts.
    pub moved: Vec<(Action<'a>, &'a MovedAction)>,
    /// What is not known, a sentence each.
    pub unknown: Vec<String>,
}

/// An artifact store.
#[derive(Debug, Clone)]
pub(super) struct OpenedStore {
    pub bucket: String,
    /// The ARN, or a text that no template takes for one.
    pub key_arn: String,
}

impl<'a> Opened<'a> {
    pub(super) fn read(
        snapshot: &'a Snapshot,
        pipeline: &'a Pipeline,
        wishes: &'a Wishes,
    ) -> Result<Self, SetupError> {
        let name = pipeline.name();
        let no_role =
            || SetupError::ServiceRole { pipeline: name.to_owned(), role: pipeline.role_arn().to_owned() };
        let role = Arn::parse(pipeline.role_arn()).map_err(|_| no_role())?;
        let service_role_name = role.role_name().ok_or_else(no_role)?.to_owned();
        let path = role.resource().trim_start_matches("role").strip_suffix(&service_role_name);
        let service_role_path = path.unwrap_or("/").to_owned();
        let account = pipeline.account().ok_or_else(no_role)?.to_owned();
        let facts = Facts::new(snapshot, pipeline);
        let region = region_of(&facts, wishes).ok_or_else(|| SetupError::NoRegion(name.to_owned()))?;
        let mut unknown = vec![];
        let (build_projects, build_roles) = builds(snapshot, pipeline, &region, &mut unknown);
        let mut stores = vec![];
        for store in pipeline.stores() {
            let store_region = store.region().unwrap_or(&region);
            let key_arn = key_arn(&facts, &store, store_region, &build_projects, wishes);
            let key_arn = key_arn.unwrap_or_else(|| {
                unknown.push(no_key(name, &store, store_region));
                format!("KEY-ARN-OF-{store_region}")
            });
            let opened = OpenedStore { bucket: store.bucket().to_owned(), key_arn };
            stores.insert(if store_region == region { 0 } else { stores.len() }, (store_region, opened));
        }
        let stores: Vec<OpenedStore> = stores.into_iter().map(|(_, store)| store).collect();
        let home = stores.first().ok_or_else(|| SetupError::NoRegion(name.to_owned()))?.clone();
        let of_action = |action: Action<'a>| {
            let wished = wishes.moved_actions.iter();
            let mut wished =
                wished.filter(move |it| it.stage == action.stage().name() && it.action == action.name());
            wished.next().map(|it| (action, it))
        };
        let moved: Vec<_> = pipeline.actions().filter_map(of_action).collect();
        let mut opened = Opened {
            pipeline,
            snapshot,
            partition: role.partition().to_owned(),
            account,
            region,
            service_role_name,
            service_role_path,
            home,
            stores,
            build_projects,
            build_roles,
            moved,
            unknown,
        };
        opened.note_foreign_roles(wishes);
        Ok(opened)
    }

    /// The roles of other accounts that its actions have now, each with its account.
    pub(super) fn target_roles(&self) -> impl Iterator<Item = (String, String)> {
        let existing = self.pipeline.cross_account_actions();
        existing.filter_map(|(action, account)| Some((action.role_arn()?.to_owned(), account.to_owned())))
    }

    /// Every action that runs in another account, or is to, with that account.
    pub(super) fn target_actions(&self) -> impl Iterator<Item = (Action<'a>, &'a str)> {
        let moved = self.moved.iter().map(|(action, moved)| (*action, moved.account.as_str()));
        let is_moved = |action: &Action<'_>| self.moved.iter().any(|(it, _)| it.path() == action.path());
        let existing = self.pipeline.cross_account_actions().filter(move |(action, _)| !is_moved(action));
        existing.chain(moved)
    }

    /// Actions that run already in other accounts, under roles that the templates neither make nor let in.
    fn note_foreign_roles(&mut self, wishes: &Wishes) {
        for (action, account) in self.pipeline.cross_account_actions() {
            let role = action.role_arn().unwrap_or_default();
            let name = format!("action `{}/{}`", action.stage().name(), action.name());
            let is_ours =
                Arn::parse(role).is_ok_and(|role| role.role_name() == Some(&wishes.target_role_name));
            let sentence = match &wishes.targets {
                Targets::Accounts(accounts) if !accounts.iter().any(|it| it == account) => format!(
                    "{name} runs in {account}, which is not among the target accounts: add it, or leave it as it is"
                ),
                Targets::Organization { .. } if !is_ours => format!(
                    "{name} runs under {role}, and only roles of the name {} are let in: give its account a stack of \
                     target-account.yaml and `--action {}/{}={account}`",
                    wishes.target_role_name,
                    action.stage().name(),
                    action.name()
                ),
                _ => continue,
            };
            let is_moved = self.moved.iter().any(|(it, _)| it.path() == action.path());
            if !is_moved && !self.unknown.contains(&sentence) {
                self.unknown.push(sentence);
            }
        }
    }
}

/// The pipeline's Region: its ARN's, else that of its only store's bucket or key, else the one that is given.
fn region_of(facts: &Facts<'_>, wishes: &Wishes) -> Option<String> {
    let single = facts.pipeline().stores().next().filter(|store| store.region().is_none());
    let of_store = || {
        let store = single?;
        let of_key = || Some(facts.key_of(&store)?.region().to_owned());
        facts.store_region(&store).map(str::to_owned).or_else(of_key)
    };
    facts.pipeline().region().map(str::to_owned).or_else(of_store).or_else(|| wishes.region.clone())
}

/// The customer managed key of a store: the one that it names, else the one that is given for its Region, else its
/// bucket's default, else the one that the build projects use already.
fn key_arn(
    facts: &Facts<'_>,
    store: &Store<'_>,
    region: &str,
    build_projects: &BTreeSet<String>,
    wishes: &Wishes,
) -> Option<String> {
    let account = facts.pipeline().account();
    let fits = |arn: &Arn| {
        arn.service() == "kms"
            && arn.resource().starts_with("key/")
            && arn.region() == region
            && Some(arn.account()) == account
    };
    let parse = |text: &str| Arn::parse(text).ok().filter(fits);
    let named = facts.key_of(store).filter(fits);
    let given = || wishes.key_arns.iter().find_map(|key| parse(key));
    let of_bucket = || {
        let encryption = facts.bucket(store.bucket()).known()?.encryption.known()?.clone();
        parse(encryption.get("KMSMasterKeyID")?.as_str()?)
    };
    let of_builds = || {
        let projects =
            build_projects.iter().filter_map(|name| facts.snapshot().build_projects.get(name)?.known());
        let keys: BTreeSet<&String> = projects.filter_map(|project| project.encryption_key.known()).collect();
        // More than one says nothing.
        keys.first().filter(|_| keys.len() == 1).and_then(|key| parse(key))
    };
    named.or_else(given).or_else(of_bucket).or_else(of_builds).map(|arn| arn.to_string())
}

fn no_key(pipeline: &str, store: &Store<'_>, region: &str) -> String {
    let named = store.key_id().map_or_else(
        || "names no customer managed key".to_owned(),
        |id| format!("names its key as `{id}`, which is not the ARN of a key of its own account and Region"),
    );
    format!(
        "the artifact store of pipeline `{pipeline}` in {region} {named}: give its ARN with `--key-arn`; `aws kms \
         create-key --region {region} --query KeyMetadata.Arn` makes one"
    )
}

/// Names and roles of the build projects of the pipeline's own account and Region whose output other actions use.
fn builds(
    snapshot: &Snapshot,
    pipeline: &Pipeline,
    region: &str,
    unknown: &mut Vec<String>,
) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut names, mut roles) = (BTreeSet::new(), BTreeSet::new());
    let builds = pipeline.actions().filter(|action| {
        Provider::of(action) == Provider::CodeBuild
            && pipeline.target_account(action).is_none()
            && action.output_artifacts().next().is_some()
    });
    for build in builds {
        let Some(name) = build.configuration("ProjectName").filter(|name| !name.contains("#{")) else {
            continue;
        };
        let is_elsewhere = build.region().is_some_and(|it| it != region);
        if is_elsewhere {
            unknown.push(format!(
                "build project `{name}` is in another Region than pipeline `{}`: set its encryption key by hand",
                pipeline.name()
            ));
        }
        // Its role uses the store of its Region, whose key grant names the same roles.
        if is_elsewhere || names.insert(name.to_owned()) {
            let project = snapshot.build_projects.get(name).and_then(|it| it.known());
            match project.and_then(|it| it.service_role.known()) {
                Some(role) if role != pipeline.role_arn() => drop(roles.insert(role.clone())),
                Some(_) => {}
                None => unknown.push(format!(
                    "the service role of build project `{name}` could not be read: add its ARN to BuildRoleArns"
                )),
            }
        }
    }
    (names, roles)
}
