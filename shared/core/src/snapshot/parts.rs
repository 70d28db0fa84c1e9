//! What is known of keys, buckets, roles, builds, deployments, services, executions and the organization.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Fact;
use crate::policy::PolicyDocument;

/// A KMS key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct KeyFacts {
    /// `DescribeKey`'s `KeyMetadata`.
    #[serde(skip_serializing_if = "Fact::is_unknown")]
    pub key_metadata: Fact<Value>,
    /// The key policy.
    #[serde(skip_serializing_if = "Fact::is_unknown")]
    pub policy: Fact<PolicyDocument>,
    /// `ListGrants`.
    #[serde(skip_serializing_if = "Fact::is_unknown")]
    pub grants: Fact<Vec<GrantFacts>>,
}

impl KeyFacts {
    pub(super) fn is_read(&self) -> bool {
        !(self.key_metadata.is_unknown() || self.policy.is_unknown() || self.grants.is_unknown())
    }
}

/// A grant on a KMS key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct GrantFacts {
    /// Who may use it.
    pub grantee_principal: String,
    /// For what.
    pub operations: Vec<String>,
}

/// An artifact bucket.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BucketFacts {
    /// The account that owns it.
    #[serde(skip_serializing_if = "Fact::is_unknown")]
    pub account: Fact<String>,
    /// Its Region.
    #[serde(skip_serializing_if = "Fact::is_unknown")]
    pub region: Fact<String>,
    /// Its policy.
    #[serde(skip_serializing_if = "Fact::is_unknown")]
    pub policy: Fact<PolicyDocument>,
    /// `BucketOwnerEnforced`, `BucketOwnerPreferred` or `ObjectWriter`.
    #[serde(skip_serializing_if = "Fact::is_unknown")]
    pub object_ownership: Fact<String>,
    /// The default encryption.
    #[serde(skip_serializing_if = "Fact::is_unknown")]
    pub encryption: Fact<Value>,
}

impl BucketFacts {
    /// Its ownership and encryption decide nothing about who gets in.
    pub(super) fn is_read(&self) -> bool {
        !(self.account.is_unknown() || self.region.is_unknown() || self.policy.is_unknown())
    }
}

/// An event bus of EventBridge.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EventBusFacts {
    /// Who may put events on it, beside its own account.
    #[serde(skip_serializing_if = "Fact::is_unknown")]
    pub policy: Fact<PolicyDocument>,
}

/// An IAM role.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RoleFacts {
    /// Who may assume it.
    #[serde(skip_serializing_if = "Fact::is_unknown")]
    pub trust_policy: Fact<PolicyDocument>,
    /// Inline policies, by name.
    #[serde(skip_serializing_if = "Fact::is_unknown")]
    pub inline_policies: Fact<BTreeMap<String, PolicyDocument>>,
    /// Attached managed policies, by ARN.
    #[serde(skip_serializing_if = "Fact::is_unknown")]
    pub attached_policies: Fact<BTreeMap<String, PolicyDocument>>,
    /// The permissions boundary.
    #[serde(skip_serializing_if = "Fact::is_unknown")]
    pub permissions_boundary: Fact<PolicyDocument>,
    /// Its tags, by key: `Tags` as the AWS CLI prints them, or an object.
    #[serde(alias = "Tags", skip_serializing_if = "Fact::is_unknown")]
    pub tags: Fact<RoleTags>,
}

/// The tags of a role, by key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "RoleTagsShape", into = "BTreeMap<String, String>")]
pub struct RoleTags(BTreeMap<String, String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum RoleTagsShape {
    Printed(Vec<PrintedTag>),
    ByKey(BTreeMap<String, String>),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PrintedTag {
    key: String,
    value: String,
}

impl From<RoleTagsShape> for RoleTags {
    fn from(shape: RoleTagsShape) -> Self {
        match shape {
            RoleTagsShape::Printed(tags) => tags.into_iter().map(|tag| (tag.key, tag.value)).collect(),
            RoleTagsShape::ByKey(tags) => RoleTags(tags),
        }
    }
}

impl From<RoleTags> for BTreeMap<String, String> {
    fn from(tags: RoleTags) -> Self {
        tags.0
    }
}

impl FromIterator<(String, String)> for RoleTags {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(tags: T) -> Self {
        RoleTags(tags.into_iter().collect())
    }
}

impl RoleTags {
    /// Each tag's key and value.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter()
    }

    /// Whether there is a tag of this key, whose case counts for little in conditions.
    pub fn has(&self, key: &str) -> bool {
        self.0.keys().any(|it| it.eq_ignore_ascii_case(key))
    }
}

impl RoleFacts {
    pub(super) fn is_read(&self) -> bool {
        !(self.trust_policy.is_unknown()
            || self.inline_policies.is_unknown()
            || self.attached_policies.is_unknown()
            || self.permissions_boundary.is_unknown())
    }
}

/// A CodeBuild project, of `BatchGetProjects`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BuildProjectFacts {
    /// The key that encrypts its output: ARN or alias.
    #[serde(skip_serializing_if = "Fact::is_unknown")]
    pub encryption_key: Fact<String>,
    /// The role that builds.
    #[serde(skip_serializing_if = "Fact::is_unknown")]
    pub service_role: Fact<String>,
    /// Its other members, `environment` left out by those who gather.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// A CodeDeploy deployment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DeploymentFacts {
    /// `GetDeployment`.
    #[serde(skip_serializing_if = "Fact::is_unknown")]
    pub deployment_info: Fact<Value>,
    /// `BatchGetDeploymentTargets`, of those that failed, or of all where none did.
    #[serde(skip_serializing_if = "Fact::is_unknown")]
    pub targets: Fact<Vec<Value>>,
}

impl DeploymentFacts {
    /// Leaves out what the scripts of its targets have printed.
    pub fn remove_log_tails(&mut self) {
        let Fact::Known(targets) = &mut self.targets else { return };
        // `instanceTarget`, `ecsTarget`, …: the kind is the member.
        let kinds = targets.iter_mut().filter_map(Value::as_object_mut).flat_map(Map::values_mut);
        let events = kinds.filter_map(|kind| kind.get_mut("lifecycleEvents")?.as_array_mut()).flatten();
        for diagnostics in events.filter_map(|event| event.get_mut("diagnostics")?.as_object_mut()) {
            diagnostics.remove("logTail");
        }
    }
}

/// A service of an ECS cluster, and the tasks that it lost.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceFacts {
    /// One of `DescribeServices`' `services`.
    #[serde(skip_serializing_if = "Fact::is_unknown")]
    pub service: Fact<Value>,
    /// `DescribeTasks`' `tasks`, of those that stopped.
    #[serde(skip_serializing_if = "Fact::is_unknown")]
    pub stopped_tasks: Fact<Vec<Value>>,
    /// `DescribeTaskDefinition`'s `taskDefinition`, of which its ARN and its roles: `taskRoleArn`,
    /// `executionRoleArn`.
    #[serde(skip_serializing_if = "Fact::is_unknown")]
    pub task_definition: Fact<Value>,
}

/// An execution of a Step Functions state machine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StateMachineExecutionFacts {
    /// `DescribeExecution`, without `input` and `output`.
    #[serde(skip_serializing_if = "Fact::is_unknown")]
    pub execution: Fact<Value>,
    /// `GetExecutionHistory --reverse-order`'s `events`: the last ones, the last first.
    #[serde(skip_serializing_if = "Fact::is_unknown")]
    pub events: Fact<Vec<Value>>,
}

/// An organization.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OrganizationFacts {
    /// `o-…`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its accounts that matter here, by their 12 digits.
    pub accounts: BTreeMap<String, AccountFacts>,
}

/// An account of an organization.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AccountFacts {
    /// `o-…/r-…/ou-…/`: where it is in the organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paths: Option<Vec<String>>,
    /// The policies of each level, from the root to the account.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub service_control_policies: Vec<Vec<PolicyDocument>>,
}
