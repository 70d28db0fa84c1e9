//! The facts that rules look at, each known, absent or unknown.
//!
//! A snapshot is one JSON object whose parts have the shape that the AWS CLI prints. A part that is
//! missing is *unknown*, never a fault; `null` means that it was looked for and is absent.
//!
//! # Layout
//! - [`fact`]: known, absent, unknown
//! - [`parts`]: what is known of keys, buckets, roles, builds, deployments, services and the organization
//! - `printed`: parts as the AWS CLI prints them
//! - this file: the whole

pub mod fact;
pub mod parts;
mod printed;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use fact::Fact;

pub use parts::{
    AccountFacts, BucketFacts, BuildProjectFacts, DeploymentFacts, EventBusFacts, GrantFacts, KeyFacts,
    OrganizationFacts, RoleFacts, RoleTags, ServiceFacts, StateMachineExecutionFacts,
};

use crate::field_error::FieldError;
use crate::pipeline::Pipeline;

/// Everything that was found out about one pipeline.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Snapshot {
    /// `GetPipeline`: `{"pipeline": {…}, "metadata": {…}}`, or a bare structure.
    #[serde(skip_serializing_if = "Fact::is_unknown")]
    pub pipeline: Fact<Value>,
    /// Artifact keys, by ARN.
    pub keys: BTreeMap<String, Fact<KeyFacts>>,
    /// Artifact buckets, by name.
    pub buckets: BTreeMap<String, Fact<BucketFacts>>,
    /// Roles of both accounts, by ARN.
    pub roles: BTreeMap<String, Fact<RoleFacts>>,
    /// CodeBuild projects of the pipeline's account, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub build_projects: BTreeMap<String, Fact<BuildProjectFacts>>,
    /// The ARNs of the roles of the instances that CodeDeploy deploys to; absent where it deploys to none.
    #[serde(skip_serializing_if = "Fact::is_unknown")]
    pub instance_roles: Fact<Vec<String>>,
    /// The organization of both accounts, as far as it could be read.
    #[serde(skip_serializing_if = "Fact::is_unknown")]
    pub organization: Fact<OrganizationFacts>,
    /// CodeDeploy's deployments, by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub deployments: BTreeMap<String, Fact<DeploymentFacts>>,
    /// `GetDeploymentGroup`'s `deploymentGroupInfo`, by `application/group`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub deployment_groups: BTreeMap<String, Fact<Value>>,
    /// `DescribeStacks`, by the stack's name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub stacks: BTreeMap<String, Fact<Value>>,
    /// `DescribeStackEvents`, by the stack's name or id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub stack_events: BTreeMap<String, Fact<Vec<Value>>>,
    /// `ListStackSetOperationResults` of the last operation, by the stack set's name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub stack_set_operations: BTreeMap<String, Fact<Vec<Value>>>,
    /// `DescribeChangeSet`, by `stack/change set`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub change_sets: BTreeMap<String, Fact<Value>>,
    /// Services of ECS clusters, by `cluster/service`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, Fact<ServiceFacts>>,
    /// `BatchGetBuilds`, by the build's id; without `environment`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub builds: BTreeMap<String, Fact<Value>>,
    /// `GetFunctionConfiguration`, by the function's name; without `Environment`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub functions: BTreeMap<String, Fact<Value>>,
    /// Executions of state machines, by ARN.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub state_machine_executions: BTreeMap<String, Fact<StateMachineExecutionFacts>>,
    /// `ListActionExecutions` details of the execution at hand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub action_executions: Vec<Value>,
    /// `ListRuleExecutions` details of the execution at hand: the rules of its stages' conditions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rule_executions: Vec<Value>,
    /// `DescribeRule` of each EventBridge rule of the pipeline's account and Region whose target is the pipeline.
    /// Each with `Targets`, its targets with the pipeline's ARN, where those are known.
    #[serde(skip_serializing_if = "Fact::is_unknown")]
    pub event_rules: Fact<Vec<Value>>,
    /// The event buses of these rules, by ARN.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub event_buses: BTreeMap<String, Fact<EventBusFacts>>,
    /// `DescribeRule` of each rule of another account's default event bus that forwards to one of these buses, with
    /// `Targets`, its targets that do; by account.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub forwarding_rules: BTreeMap<String, Fact<Vec<Value>>>,
    /// Why parts are unknown, one line each, as far as those who gathered it know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<String>,
    /// Parts that nothing here looks at yet are kept for those that will.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

impl Snapshot {
    /// Reads a snapshot, or a bare `get-pipeline` output, which is a snapshot of the pipeline alone.
    ///
    /// # Errors
    /// When the value is neither.
    pub fn from_value(value: Value) -> Result<Self, SnapshotError> {
        let Value::Object(mut parts) = value else { return Err(SnapshotError::NotASnapshot) };
        if parts.contains_key("stages") {
            let pipeline = Fact::Known(Value::Object(parts));
            return Ok(Snapshot { pipeline, ..Snapshot::default() });
        }
        // `get-pipeline` output has the pipeline and its metadata side by side.
        if let Some(metadata) = parts.remove("metadata") {
            let pipeline = parts.remove("pipeline").unwrap_or_default();
            parts.insert("pipeline".into(), serde_json::json!({"pipeline": pipeline, "metadata": metadata}));
        }
        printed::from_printed(&mut parts);
        let snapshot: Snapshot = serde_json::from_value(Value::Object(parts))
            .map_err(|error| SnapshotError::Part(error.to_string()))?;
        if snapshot.pipeline.is_unknown() { Err(SnapshotError::NotASnapshot) } else { Ok(snapshot) }
    }

    /// Whether everything that there is to know of a key, bucket or role is known, or it is absent; `place` is
    /// as rules name it, `keys["<arn>"]`, with or without the part behind it.
    pub fn is_read(&self, place: &str) -> bool {
        let Some((collection, rest)) = place.split_once("[\"") else { return false };
        let Some((id, _)) = rest.split_once("\"]") else { return false };
        match collection {
            "keys" => self.keys.get(id).is_some_and(|key| key.all(KeyFacts::is_read)),
            "buckets" => self.buckets.get(id).is_some_and(|bucket| bucket.all(BucketFacts::is_read)),
            "roles" => self.roles.get(id).is_some_and(|role| role.all(RoleFacts::is_read)),
            _ => false,
        }
    }

    /// The pipeline.
    ///
    /// # Errors
    /// When its structure can't be read, or the snapshot has none.
    pub fn pipeline(&self) -> Result<Pipeline, SnapshotError> {
        let value = self.pipeline.known().ok_or(SnapshotError::NotASnapshot)?;
        Ok(Pipeline::parse(value.clone())?)
    }
}

/// Why a value can't be used as a snapshot.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SnapshotError {
    /// There is no pipeline in it.
    #[error(
        "there is no `pipeline` in it: give a snapshot, or the output of `aws codepipeline get-pipeline`"
    )]
    NotASnapshot,
    /// A part does not have its shape.
    #[error("a part of the snapshot does not have the shape that the AWS CLI prints: {0}")]
    Part(String),
    /// The pipeline's structure can't be read.
    #[error("the pipeline can't be read: {}", .0.with_help())]
    Pipeline(#[from] FieldError),
}
