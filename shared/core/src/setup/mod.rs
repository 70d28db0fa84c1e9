//! The parameters that the three templates take to open pipelines as they are to other accounts.
//!
//! # Layout
//! - this file: what is asked for, what comes of it, and the parameters of each template
//! - `opened`: what one pipeline says of itself
//! - `deployed`: what actions do in target accounts, as parameters of target-account.yaml
//! - `sources`: sources in target accounts, whose changes start a pipeline by events

mod deployed;
mod opened;
mod sources;

use std::collections::BTreeSet;

use crate::arn;
use crate::pipeline::Pipeline;
use crate::snapshot::{Snapshot, SnapshotError};

use opened::Opened;
use sources::RemoteSource;

/// The name that target-account.yaml gives its role.
pub const TARGET_ROLE_NAME: &str = "CrosspipeTargetRole";
/// As many existing actions get a role by pipeline.yaml.
const ACTION_ROLES: [&str; 5] = ["ActionRole1", "ActionRole2", "ActionRole3", "ActionRole4", "ActionRole5"];
/// Stores of as many further Regions are opened by pipeline.yaml.
const FURTHER_STORES: [&str; 3] = ["ArtifactStore2", "ArtifactStore3", "ArtifactStore4"];
/// What a parameter holds. See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>.
const PARAMETER_BYTES: usize = 4096;

/// Names and values of a template's parameters, in the template's order.
pub type Parameters = Vec<(&'static str, String)>;

/// Whom pipelines are opened to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Targets {
    /// These accounts, 12 digits each.
    Accounts(Vec<String>),
    /// The roles of one name in an organization.
    Organization {
        /// `o-…`.
        id: String,
        /// Only in these parts of it, `o-…/r-…/ou-…/*`; none for all of it.
        paths: Vec<String>,
    },
}

/// An existing action that is to run in a target account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedAction {
    /// Its stage.
    pub stage: String,
    /// Its name.
    pub action: String,
    /// The account, 12 digits.
    pub account: String,
}

/// What the pipelines themselves don't say.
#[derive(Debug, Clone)]
pub struct Wishes {
    /// Whom to open the pipelines to.
    pub targets: Targets,
    /// The name of the role that actions assume in target accounts.
    pub target_role_name: String,
    /// Actions that are to run in target accounts and don't yet.
    pub moved_actions: Vec<MovedAction>,
    /// ARNs of the keys for stores that name none, each of its Region.
    pub key_arns: Vec<String>,
    /// Who gets the failure reports.
    pub alert_email: Option<String>,
    /// The pipelines' Region, for those whose `metadata` is not known.
    pub region: Option<String>,
}

/// The parameters of each template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// The tools account.
    pub account: String,
    /// Its Region.
    pub region: String,
    /// Of template.yaml.
    pub installation: Parameters,
    /// Of target-account.yaml.
    pub target_account: Parameters,
    /// Of pipeline.yaml, for each pipeline by name.
    pub pipelines: Vec<(String, Parameters)>,
    /// What could not be known, with what to do about it; a sentence each.
    pub unknown: Vec<String>,
}

/// Why there are no parameters for a pipeline.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SetupError {
    /// It can't be read.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// Nothing says which Region it is in.
    #[error("the Region of pipeline `{0}` is not known\n  next: give `--region`")]
    NoRegion(String),
    /// Its service role is none.
    #[error(
        "`{role}`, the service role of pipeline `{pipeline}`, is not the ARN of an IAM role\n  next: give what \
         `aws codepipeline get-pipeline` prints, unchanged"
    )]
    ServiceRole {
        /// The pipeline's name.
        pipeline: String,
        /// What stands for its role.
        role: String,
    },
    /// One installation serves one account and Region.
    #[error(
        "pipeline `{0}` is in another account or Region than the first one\n  next: run this again for it; an \
         installation serves one account and Region"
    )]
    Elsewhere(String),
    /// The pipelines' own account needs no opening.
    #[error("{0} is the pipeline's own account\n  next: give the accounts that it deploys into")]
    OwnAccount(String),
    /// No pipeline has the action.
    #[error("no pipeline has an action `{0}`\n  next: give `STAGE/ACTION=ACCOUNT` of an existing action")]
    NoSuchAction(String),
    /// The account is not one of those that are let in.
    #[error(
        "action `{action}` is to run in {account}, which is not among the target accounts\n  next: add it"
    )]
    NotATarget {
        /// Stage and name.
        action: String,
        /// The account.
        account: String,
    },
}

/// The parameters that open these pipelines.
///
/// # Errors
/// When there can be none: [`SetupError`].
pub fn plan(snapshots: &[Snapshot], wishes: &Wishes) -> Result<Setup, SetupError> {
    let pipelines: Vec<Pipeline> = snapshots.iter().map(Snapshot::pipeline).collect::<Result<_, _>>()?;
    let mut opened = vec![];
    for (snapshot, pipeline) in snapshots.iter().zip(&pipelines) {
        opened.push(Opened::read(snapshot, pipeline, wishes)?);
    }
    let Some(first) = opened.first() else { return Err(SnapshotError::NotASnapshot.into()) };
    let (account, region) = (first.account.clone(), first.region.clone());
    if let Some(other) = opened.iter().find(|it| (&it.account, &it.region) != (&account, &region)) {
        return Err(SetupError::Elsewhere(other.pipeline.name().to_owned()));
    }
    check_wishes(&opened, &account, wishes)?;
    let mut unknown: Vec<String> = opened.iter().flat_map(|it| it.unknown.clone()).collect();
    let (deployed, unknown_in_targets) = deployed::parameters(&opened, wishes);
    unknown.extend(unknown_in_targets);
    if wishes.alert_email.is_none() {
        unknown.push(
            "nobody gets the failure reports yet: give `--alert-email`, or ChatNotifications, WebhookSecretArn or \
             EventBusName of template.yaml"
                .into(),
        );
    }
    let sources: Vec<Option<RemoteSource<'_>>> =
        opened.iter().map(|it| RemoteSource::read(it, &mut unknown)).collect();
    let event_bus = sources::event_bus(&opened, &sources);
    let mut installation = installation(&opened, wishes);
    installation.extend(event_bus.as_ref().map(|_| ("ReceiveEvents", "true".to_owned())));
    let mut target_account = scope(&opened).into_iter().collect::<Parameters>();
    target_account.extend(deployed);
    target_account.extend(event_bus);
    target_account.extend(role_name(wishes));
    let mut of_pipelines = vec![];
    for (it, source) in opened.iter().zip(&sources) {
        let mut parameters = of_pipeline(it, wishes, &mut unknown);
        parameters.extend(source.iter().flat_map(RemoteSource::parameters));
        of_pipelines.push((it.pipeline.name().to_owned(), parameters));
    }
    let all = of_pipelines.iter().flat_map(|(_, it)| it).chain(&installation).chain(&target_account);
    let long: BTreeSet<&str> =
        all.filter(|(_, value)| value.len() > PARAMETER_BYTES).map(|(name, _)| *name).collect();
    unknown.extend(long.into_iter().map(|name| {
        format!(
            "{name} is longer than the {PARAMETER_BYTES} bytes that a parameter holds: give `--organization` instead \
             of accounts, or a pattern where the template takes one"
        )
    }));
    Ok(Setup { account, region, installation, target_account, pipelines: of_pipelines, unknown })
}

fn check_wishes(opened: &[Opened<'_>], own: &str, wishes: &Wishes) -> Result<(), SetupError> {
    for moved in &wishes.moved_actions {
        let name = format!("{}/{}", moved.stage, moved.action);
        if !opened.iter().any(|it| it.moved.iter().any(|(_, found)| found == &moved)) {
            return Err(SetupError::NoSuchAction(name));
        }
        if let Targets::Accounts(accounts) = &wishes.targets
            && !accounts.contains(&moved.account)
        {
            return Err(SetupError::NotATarget { action: name, account: moved.account.clone() });
        }
    }
    let listed = match &wishes.targets {
        Targets::Accounts(accounts) => accounts.as_slice(),
        Targets::Organization { .. } => &[],
    };
    let mut named = listed.iter().chain(wishes.moved_actions.iter().map(|it| &it.account));
    match named.find(|account| *account == own) {
        Some(account) => Err(SetupError::OwnAccount(account.clone())),
        None => Ok(()),
    }
}

/// Of template.yaml: what may be changed, and who may be let in.
fn installation(opened: &[Opened<'_>], wishes: &Wishes) -> Parameters {
    let Some(first) = opened.first() else { return vec![] };
    let of_region = |service, resource: String| {
        arn::build(&first.partition, service, &first.region, &first.account, resource)
    };
    let pipelines = opened.iter().map(|it| of_region("codepipeline", it.pipeline.name().to_owned()));
    let mut parameters = vec![("PipelineArns", list(pipelines))];
    parameters.extend(scope(opened));
    let projects = opened.iter().flat_map(|it| &it.build_projects);
    let projects = list(projects.map(|name| of_region("codebuild", format!("project/{name}"))));
    parameters.extend(given("BuildProjectArns", projects));
    let roles = opened.iter().flat_map(|it| it.build_roles.iter().cloned());
    parameters.extend(given("BuildRoleArns", list(roles)));
    match &wishes.targets {
        Targets::Accounts(accounts) => parameters.push(("AllowedAccounts", list(accounts.iter().cloned()))),
        Targets::Organization { id, .. } => {
            parameters.push(("AllowedOrganizationId", id.clone()));
            // Roles that actions run under are named one by one.
            let role = arn::role(&first.partition, "*", &wishes.target_role_name);
            parameters.push(("AllowedRoleArns", role));
        }
    }
    parameters.extend(wishes.alert_email.clone().map(|address| ("AlertEmail", address)));
    parameters
}

/// What template.yaml and target-account.yaml have in common: service roles, buckets and keys of all pipelines.
fn scope(opened: &[Opened<'_>]) -> [(&'static str, String); 3] {
    let stores = || opened.iter().flat_map(|it| it.stores.iter().map(move |store| (it, store)));
    [
        ("ServiceRoleArns", list(opened.iter().map(|it| it.pipeline.role_arn().to_owned()))),
        ("ArtifactBucketArns", list(stores().map(|(it, store)| arn::bucket(&it.partition, &store.bucket)))),
        ("ArtifactKeyArns", list(stores().map(|(_, store)| store.key_arn.clone()))),
    ]
}

/// Of pipeline.yaml.
fn of_pipeline(opened: &Opened<'_>, wishes: &Wishes, unknown: &mut Vec<String>) -> Parameters {
    let name = opened.pipeline.name();
    let home = &opened.home;
    let mut parameters = vec![
        ("PipelineName", name.to_owned()),
        ("ServiceRoleName", opened.service_role_name.clone()),
        ("ServiceRolePath", opened.service_role_path.clone()),
        ("ArtifactBucketName", home.bucket.clone()),
        ("ArtifactKeyArn", home.key_arn.clone()),
    ];
    let mut further = opened.stores.iter().skip(1);
    parameters.extend(
        FURTHER_STORES
            .into_iter()
            .zip(further.by_ref())
            .map(|(name, store)| (name, format!("{}={}", store.bucket, store.key_arn))),
    );
    for store in further {
        unknown.push(format!(
            "bucket `{}` of pipeline `{name}` is of one Region more than pipeline.yaml opens: use \
             Custom::ArtifactKeyGrant and Custom::ArtifactBucketGrant in a template of your own for it",
            store.bucket
        ));
    }
    let role_of = |account: &str| arn::role(&opened.partition, account, &wishes.target_role_name);
    match &wishes.targets {
        Targets::Accounts(accounts) => {
            let existing = opened.target_roles().filter(|(_, account)| accounts.contains(account));
            let roles = accounts.iter().map(|it| role_of(it)).chain(existing.map(|(role, _)| role));
            parameters.push(("TargetAccountIds", list(accounts.iter().cloned())));
            parameters.push(("TargetRoleArns", list(roles)));
        }
        Targets::Organization { id, paths } => {
            parameters.push(("OrganizationId", id.clone()));
            parameters.extend(given("OrganizationPaths", list(paths.iter().cloned())));
            parameters.extend(role_name(wishes));
        }
    }
    let moved =
        opened.moved.iter().map(|(_, it)| (format!("{}/{}", it.stage, it.action), role_of(&it.account)));
    let moved: Vec<(String, String)> = moved.collect();
    parameters.extend(
        ACTION_ROLES.into_iter().zip(&moved).map(|(name, (action, role))| (name, format!("{action}={role}"))),
    );
    for (action, _) in moved.iter().skip(ACTION_ROLES.len()) {
        unknown.push(format!(
            "action `{action}` of pipeline `{name}` is one more than pipeline.yaml gives roles: use \
             Custom::PipelinePatch in a template of your own for it"
        ));
    }
    parameters.extend(given("BuildProjectNames", list(opened.build_projects.iter().cloned())));
    parameters.extend(given("BuildRoleArns", list(opened.build_roles.iter().cloned())));
    parameters
}

/// The name of the target role, where it is another than the templates'.
fn role_name(wishes: &Wishes) -> Option<(&'static str, String)> {
    let name = Some(&wishes.target_role_name).filter(|name| *name != TARGET_ROLE_NAME)?;
    Some(("TargetRoleName", name.clone()))
}

/// A parameter that is left out where it would be empty.
fn given(name: &'static str, value: String) -> Option<(&'static str, String)> {
    (!value.is_empty()).then_some((name, value))
}

/// The values, each once, as a parameter lists them.
fn list(values: impl Iterator<Item = String>) -> String {
    let mut seen = BTreeSet::new();
    let once: Vec<String> = values.filter(|value| seen.insert(value.clone())).collect();
    once.join(",")
}

#[cfg(test)]
mod tests;
