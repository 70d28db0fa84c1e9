//! What the provider in the target account says: of what an action works with, and of why it failed.
//!
//! One file per provider. Whatever is asked only of a failure needs the id that the failure gives.

mod cloudformation;
mod codebuild;
mod codedeploy;
mod ecs;
mod invoke;
mod stack_set;

use std::collections::BTreeSet;

use crosspipe_core::arn::Arn;
use crosspipe_core::incident::Failure;
use crosspipe_core::pipeline::Action;
use crosspipe_core::providers::{EvidenceSource, Provider};
use crosspipe_core::snapshot::{Fact, Snapshot};
use serde_json::Value;

use super::fact_reader::FactReader;
use super::store;
use crate::Aws;

/// What one provider says.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// The parts of the snapshot that it is kept in.
    pub parts: Snapshot,
    /// Roles that the provider works with, which the pipeline does not name.
    pub roles: BTreeSet<Arn>,
    /// Whether the action deploys to instances, and with which roles; none for other providers.
    pub instance_roles: Option<Fact<Vec<String>>>,
}

impl Evidence {
    /// Parts that name no further role.
    pub(super) fn of(parts: Snapshot) -> Self {
        Evidence { parts, ..Evidence::default() }
    }
}

/// An action that a provider is asked about.
#[derive(Clone, Copy)]
struct ActionQuery<'a> {
    /// In the target account and the action's Region.
    aws: &'a Aws,
    action: Action<'a>,
    failure: Option<&'a Failure>,
    reader: &'a FactReader,
}

impl<'a> ActionQuery<'a> {
    /// What the action is configured with; none where that is a variable whose value is not known.
    fn of(&self, key: &str) -> Option<&'a str> {
        Failure::configuration(self.failure, &self.action, key)
    }

    /// The provider's id of what failed.
    fn external_id(&self) -> Option<&'a str> {
        self.failure?.external_execution_id.as_deref()
    }

    /// The account that the action works in.
    fn account(&self) -> Option<String> {
        Some(Arn::parse(self.action.role_arn()?).ok()?.account().to_owned())
    }
}

/// Asks an action's provider.
pub(super) async fn read(
    aws: &Aws,
    action: Action<'_>,
    failure: Option<&Failure>,
    reader: &FactReader,
) -> Evidence {
    let Some(source) = Provider::of(&action).evidence() else { return Evidence::default() };
    let aws = action.region().map_or_else(|| aws.clone(), |region| aws.in_region(region));
    let query = ActionQuery { aws: &aws, action, failure, reader };
    match source {
        EvidenceSource::Deployment => codedeploy::read(query).await,
        EvidenceSource::StackEvents => cloudformation::read(query).await,
        EvidenceSource::Service => ecs::read(query).await,
        EvidenceSource::Bucket => read_bucket(query).await,
        EvidenceSource::Build => codebuild::read(query).await,
        EvidenceSource::Function => invoke::read_function(query).await,
        EvidenceSource::StateMachine => invoke::state_machine(query).await,
        EvidenceSource::StackSetOperation => stack_set::read(query).await,
    }
}

async fn read_bucket(query: ActionQuery<'_>) -> Evidence {
    let (Some(name), Some(account)) = (query.of("BucketName"), query.account()) else {
        return Evidence::default();
    };
    let facts = store::deploy_bucket(query.aws, name, &account, query.reader).await;
    Evidence::of(Snapshot { buckets: super::known_facts([(name.to_owned(), facts)]), ..Snapshot::default() })
}

/// A value without a member that may hold secrets.
pub(super) fn without_member(mut value: Value, member: &str) -> Value {
    if let Some(members) = value.as_object_mut() {
        members.shift_remove(member);
    }
    value
}

/// The roles that members of an answer name.
fn roles_named<'v>(value: &'v Value, members: &'v [&str]) -> impl Iterator<Item = Arn> + 'v {
    let named = members.iter().filter_map(|member| value.get(*member)?.as_str());
    named.filter_map(|arn| Arn::parse(arn).ok()).filter(|arn| arn.role_name().is_some())
}
