//! The facts that rules look at, each known, absent or unknown.
//!
//! A snapshot is one JSON object whose parts have the shape that the AWS CLI prints. A part that is
//! missing is *unknown*, never a fault; `null` means that it was looked for and is absent.
//!
//! # Layout
//! - [`fact`]: known, absent, unknown
//! - this file: the parts

pub mod fact;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use fact::Fact;

use crate::pipeline::{Pipeline, PipelineError};
use crate::policy::PolicyDocument;

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
    /// `ListActionExecutions` details of the execution at hand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub action_executions: Vec<Value>,
    /// Parts that nothing here looks at yet are kept for those that will.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

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
        let snapshot: Snapshot = serde_json::from_value(Value::Object(parts))
            .map_err(|error| SnapshotError::Part(error.to_string()))?;
        if snapshot.pipeline.is_unknown() { Err(SnapshotError::NotASnapshot) } else { Ok(snapshot) }
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
    #[error("the pipeline can't be read: {0}")]
    Pipeline(#[from] PipelineError),
}
