//! A snapshot of what a pipeline's cross-account actions depend on, in both accounts.
//!
//! Everything is read side by side, and no longer than the caller can wait. What does not exist is absent; what
//! can't be read, or was not answered in time, is unknown, with one line in `unreadable` that says why, and
//! never a reason to stop: half a snapshot still explains a lot.
//!
//! # Layout
//! - this file: what is read, and from which account
//! - `dependencies`: which keys, buckets, roles and builds a pipeline's actions depend on
//! - `reader`: one question to AWS: how long it may take, and what is noted where it fails
//! - `store`, `roles`, `builds`: keys and buckets, roles with their policies, build projects
//! - `shared_facts`: what several pipelines use in common, read once
//! - `evidence`: what the providers in the target account say
//! - `triggers`: what starts a pipeline when its source in another account changes

mod builds;
mod dependencies;
mod evidence;
mod fact_reader;
mod roles;
mod shared_facts;
mod store;
mod triggers;

use std::collections::BTreeSet;
use std::time::SystemTime;

use crosspipe_core::arn::{self, Arn};
use crosspipe_core::incident::Failure;
use crosspipe_core::pipeline::Pipeline;
use crosspipe_core::snapshot::{DeploymentFacts, Fact, Snapshot};
use futures_util::future::{join, join_all, join3, join4};
use futures_util::{StreamExt, stream};
use serde_json::Value;

use self::dependencies::{Dependencies, Target};
use self::evidence::Evidence;
use self::fact_reader::FactReader;
pub use self::shared_facts::SharedFacts;
pub use self::triggers::read_triggers;
use crate::Aws;

/// Target accounts that are read side by side for one pipeline; each is some ten calls at once.
const CONCURRENT_ACCOUNTS: usize = 8;

/// Where and as whom to look, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct GatherOptions<'a> {
    /// The pipeline's account and Region.
    pub tools: &'a Aws,
    /// The name of the role to take on in target accounts; without it they stay unknown.
    pub diagnostics_role: Option<&'a str>,
    /// Shows up in the target account's CloudTrail.
    pub session_name: &'a str,
    /// Whether what the scripts of a deployment printed is kept.
    pub log_tails: bool,
    /// When to go on with what is known by then; without it each call has its own time only.
    pub until: Option<SystemTime>,
    /// What was read for other pipelines of this run; without it everything is read anew.
    pub shared: Option<&'a SharedFacts>,
}

/// A snapshot, and what is missing from it.
#[derive(Debug)]
pub struct Gathered {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// Why parts of it are unknown, one line each.
    pub unreadable: Vec<String>,
}

/// Gathers what the cross-account actions of a pipeline depend on; `only` is the stage and name of the one
/// action to look at. Of `failures`, what the provider says is gathered, too. `live` is `GetPipeline`'s output.
pub async fn gather_snapshot(
    options: GatherOptions<'_>,
    live: Value,
    pipeline: &Pipeline,
    only: Option<(&str, &str)>,
    failures: &[Failure],
) -> Gathered {
    let reader = FactReader::new(options.until);
    let dependencies = Dependencies::of(pipeline, only);
    let own = SharedFacts::default();
    let shared = options.shared.unwrap_or(&own);
    let targets =
        dependencies.targets.iter().map(|target| target_account(options, target, failures, &reader, shared));
    let (mut snapshot, targets, rule_executions) = join3(
        tools_account(options.tools, &dependencies, &reader, shared),
        stream::iter(targets).buffered(CONCURRENT_ACCOUNTS).collect::<Vec<_>>(),
        rule_executions(options.tools, pipeline, failures, &reader),
    )
    .await;
    snapshot.rule_executions = rule_executions;
    let mut instance_roles = Vec::new();
    for evidence in targets.into_iter().flatten() {
        instance_roles.extend(evidence.instance_roles);
        merge_parts(&mut snapshot, evidence.parts);
    }
    if !options.log_tails {
        let deployments = snapshot.deployments.values_mut();
        let known = deployments.filter_map(|facts| if let Fact::Known(it) = facts { Some(it) } else { None });
        known.for_each(DeploymentFacts::remove_log_tails);
    }
    snapshot.pipeline = Fact::Known(live);
    snapshot.instance_roles = all_known(instance_roles);
    Gathered { snapshot, unreadable: reader.into_lines() }
}

/// Gathers what a pipeline uses in its own account, whether or not an action of it works in another: its stores' keys
/// and buckets, and its build projects with their roles. `live` is `GetPipeline`'s output.
pub async fn home_snapshot(tools: &Aws, live: Value, pipeline: &Pipeline) -> Gathered {
    let inquiry = FactReader::new(None);
    let dependencies = Dependencies::at_home(pipeline);
    let mut snapshot = tools_account(tools, &dependencies, &inquiry, &SharedFacts::default()).await;
    snapshot.pipeline = Fact::Known(live);
    Gathered { snapshot, unreadable: inquiry.into_lines() }
}

/// What the rules of the failed stages' conditions came to. A stage without conditions is not asked about.
async fn rule_executions(
    tools: &Aws,
    pipeline: &Pipeline,
    failures: &[Failure],
    reader: &FactReader,
) -> Vec<Value> {
    let has_conditions = |stage: &str| {
        let stage = pipeline.stages().find(|it| it.name() == stage);
        let has = |kind| stage.is_some_and(|it| it.as_value().get(kind).is_some());
        ["beforeEntry", "onSuccess", "onFailure"].into_iter().any(has)
    };
    let failed = failures.iter().filter(|failure| has_conditions(&failure.stage));
    let executions: BTreeSet<&str> = failed.map(|failure| failure.execution_id.as_str()).collect();
    let codepipeline = tools.codepipeline();
    let read = executions.into_iter().map(async |execution| {
        let details = codepipeline.list_rule_executions(pipeline.name(), execution);
        reader.known(&format!("the conditions of execution {execution}"), details).await
    });
    join_all(read).await.into_iter().filter_map(|details| details.known().cloned()).flatten().collect()
}

/// What the pipeline's own account knows.
async fn tools_account(
    tools: &Aws,
    dependencies: &Dependencies<'_>,
    reader: &FactReader,
    shared: &SharedFacts,
) -> Snapshot {
    let own = dependencies.account;
    let keys = dependencies.keys.iter().map(async |arn| {
        let facts = shared.keys.get(arn, Box::pin(store::read_key(tools, arn, reader))).await;
        (arn.clone(), facts)
    });
    let buckets = dependencies.buckets.iter().map(async |name| {
        let facts = shared.buckets.get(name, Box::pin(store::read_bucket(tools, name, own, reader))).await;
        (name.clone(), facts)
    });
    let projects = dependencies.projects.iter().map(async |(region, name)| {
        let aws = region.map_or_else(|| tools.clone(), |region| tools.in_region(region));
        ((*name).to_owned(), builds::read_project(&aws, name, reader).await)
    });
    let iam = tools.iam();
    let roles = roles::read_roles(&iam, dependencies.own_roles.iter(), reader, shared);
    // The role that builds is known from its project only.
    let builds = async {
        let projects = join_all(projects).await;
        let builders = projects.iter().filter_map(|(_, project)| project.known()?.service_role.known());
        let builders = builders.filter_map(|role| Arn::parse(role).ok());
        let builders: BTreeSet<Arn> =
            builders.filter(|role| role.account() == own && !dependencies.own_roles.contains(role)).collect();
        let builders = roles::read_roles(&iam, builders.iter(), reader, shared).await;
        (projects, builders)
    };
    let (keys, buckets, (projects, builders), roles) =
        join4(join_all(keys), join_all(buckets), builds, roles).await;
    Snapshot {
        keys: keys.into_iter().collect(),
        buckets: buckets.into_iter().collect(),
        build_projects: known_facts(projects),
        roles: known_facts(roles.into_iter().chain(builders)),
        ..Snapshot::default()
    }
}

/// What a target account knows, through its diagnostics role: the actions' roles, and beside them the providers and
/// then the roles that these name.
async fn target_account(
    options: GatherOptions<'_>,
    target: &Target<'_>,
    failures: &[Failure],
    reader: &FactReader,
    shared: &SharedFacts,
) -> Vec<Evidence> {
    let Some(aws) = session_in(options, &target.partition, &target.account, reader, shared).await else {
        return vec![];
    };
    let asked = target.actions.iter().map(|action| {
        let failure = failures.iter().find(|failure| failure.is_of(action));
        evidence::read(&aws, *action, failure, reader)
    });
    let iam = aws.iam();
    let providers = async {
        let evidence = join_all(asked).await;
        let named = evidence.iter().flat_map(|evidence| evidence.roles.iter());
        let named = named.filter(|arn| arn.account() == target.account && !target.roles.contains(arn));
        let named = roles::read_roles(&iam, named, reader, shared).await;
        (evidence, named)
    };
    let (roles, (mut evidence, named)) =
        join(roles::read_roles(&iam, target.roles.iter(), reader, shared), providers).await;
    let roles = known_facts(roles.into_iter().chain(named));
    evidence.push(Evidence::of(Snapshot { roles, ..Snapshot::default() }));
    evidence
}

/// A session of the diagnostics role in a target account; none where no such role is given or it can't be assumed.
async fn session_in(
    options: GatherOptions<'_>,
    partition: &str,
    account: &str,
    reader: &FactReader,
    shared: &SharedFacts,
) -> Option<Aws> {
    let role = arn::role(partition, account, options.diagnostics_role?);
    let session = options.tools.assume_role(&role, options.session_name);
    match shared.sessions.get(&role, Box::pin(reader.known(&role, session))).await {
        Fact::Known(aws) => Some(aws),
        Fact::Absent | Fact::Unknown => None,
    }
}

/// What is unknown is left out: that is how a snapshot says so.
fn known_facts<T, M: FromIterator<(String, Fact<T>)>>(
    parts: impl IntoIterator<Item = (String, Fact<T>)>,
) -> M {
    parts.into_iter().filter(|(_, fact)| !fact.is_unknown()).collect()
}

/// What several actions say together: nothing is left open only if none leaves it open.
fn all_known(facts: Vec<Fact<Vec<String>>>) -> Fact<Vec<String>> {
    if facts.is_empty() || facts.iter().any(Fact::is_unknown) {
        return Fact::Unknown;
    }
    let mut roles: Vec<String> = facts.iter().filter_map(Fact::known).flatten().cloned().collect();
    roles.sort();
    roles.dedup();
    if roles.is_empty() { Fact::Absent } else { Fact::Known(roles) }
}

/// Adds what else was found. A bucket that artifacts are kept in is described in full already.
fn merge_parts(into: &mut Snapshot, parts: Snapshot) {
    for (name, bucket) in parts.buckets {
        into.buckets.entry(name).or_insert(bucket);
    }
    into.roles.extend(parts.roles);
    into.deployments.extend(parts.deployments);
    into.deployment_groups.extend(parts.deployment_groups);
    into.stacks.extend(parts.stacks);
    into.stack_events.extend(parts.stack_events);
    into.stack_set_operations.extend(parts.stack_set_operations);
    into.change_sets.extend(parts.change_sets);
    into.services.extend(parts.services);
    into.builds.extend(parts.builds);
    into.functions.extend(parts.functions);
    into.state_machine_executions.extend(parts.state_machine_executions);
}
