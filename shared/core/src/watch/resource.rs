//! What was changed, and which pipelines depend on it.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::watch_event::{WatchEventError, text_at};
use crate::arn::Arn;
use crate::pipeline::Pipeline;

/// Something that pipelines depend on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resource {
    /// A bucket, by name.
    Bucket(String),
    /// A key, by ARN or, where the record has no ARN, by id.
    Key(String),
    /// A role, by account and name; its path is not part of it.
    Role {
        /// The account, 12 digits.
        account: String,
        /// The name.
        name: String,
    },
    /// A pipeline, by name.
    Pipeline(String),
}

/// The calls that are watched, by event source; template.yaml's rule names the same.
///
/// They can break a pipeline, or resolve a finding.
/// `kms:CreateGrant` is not among them: AWS services make grants all day, and few of them matter here.
pub const WATCHED: [(&str, &[&str]); 4] = [
    (
        "s3.amazonaws.com",
        &[
            "CreateBucket",
            "DeleteBucket",
            "DeleteBucketOwnershipControls",
            "DeleteBucketPolicy",
            "PutBucketOwnershipControls",
            "PutBucketPolicy",
        ],
    ),
    (
        "kms.amazonaws.com",
        &[
            "CancelKeyDeletion",
            "DisableKey",
            "EnableKey",
            "PutKeyPolicy",
            "RetireGrant",
            "RevokeGrant",
            "ScheduleKeyDeletion",
        ],
    ),
    (
        "iam.amazonaws.com",
        &[
            "AttachRolePolicy",
            "CreateRole",
            "DeleteRole",
            "DeleteRolePermissionsBoundary",
            "DeleteRolePolicy",
            "DetachRolePolicy",
            "PutRolePermissionsBoundary",
            "PutRolePolicy",
            "UpdateAssumeRolePolicy",
        ],
    ),
    ("codepipeline.amazonaws.com", &["CreatePipeline", "DeletePipeline", "UpdatePipeline"]),
];

impl Resource {
    /// Whether a pipeline depends on it.
    pub fn is_used_by(&self, pipeline: &Pipeline) -> bool {
        match self {
            Resource::Bucket(name) => pipeline.stores().any(|store| store.bucket() == name),
            Resource::Key(key) => {
                let id = key.rsplit('/').next().unwrap_or_default();
                let is_it = |given: &str| given == key || given.rsplit('/').next() == Some(id);
                pipeline.stores().filter_map(|store| store.key_id()).any(is_it)
            }
            Resource::Role { account, name } => {
                let of_actions = pipeline
                    .actions()
                    .flat_map(|action| [action.role_arn(), action.configuration("RoleArn")])
                    .flatten();
                let mut roles = std::iter::once(pipeline.role_arn()).chain(of_actions);
                roles.any(|role| {
                    Arn::parse(role)
                        .is_ok_and(|arn| arn.account() == account && arn.role_name() == Some(name))
                })
            }
            Resource::Pipeline(name) => pipeline.name() == name,
        }
    }
}

impl Resource {
    /// Whether an event of this account can be about it, `own` being the pipelines' account. Events of target accounts
    /// are forwarded for the sake of their roles; what they have in buckets, keys and pipelines is not these.
    pub fn can_be_changed_in(&self, account: &str, own: &str) -> bool {
        match self {
            Resource::Role { account: its_account, .. } => its_account == account,
            Resource::Bucket(_) | Resource::Key(_) | Resource::Pipeline(_) => account == own,
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Resource::Bucket(name) => write!(f, "bucket {name}"),
            Resource::Key(key) => write!(f, "key {key}"),
            Resource::Role { account, name } => write!(f, "role {name} of account {account}"),
            Resource::Pipeline(name) => write!(f, "pipeline {name}"),
        }
    }
}

/// The resource that a CloudTrail record says was changed; `account` is where it was recorded.
pub(super) fn changed_resource(record: &Value, account: &str) -> Result<Resource, WatchEventError> {
    let call = text_at(record, "/eventName").unwrap_or_default();
    let source = text_at(record, "/eventSource").unwrap_or_default();
    let is_watched = |(service, calls): (&str, &[&str])| service == source && calls.contains(&call.as_str());
    if !WATCHED.into_iter().any(is_watched) {
        return Err(WatchEventError::OtherCall(format!("{source}:{call}")));
    }
    // Parameters of more than 100 KB are left out of a record, `resources` never is.
    let (found, field) = match source.as_str() {
        "s3.amazonaws.com" => {
            let field = "requestParameters.bucketName";
            let of_arn = || resource_arn(record, "AWS::S3::Bucket").map(|arn| arn.resource().to_owned());
            (text_at(record, "/requestParameters/bucketName").or_else(of_arn).map(Resource::Bucket), field)
        }
        "kms.amazonaws.com" => {
            // A grant can be retired by a token that says nothing of its key.
            let arn = resource_arn(record, "AWS::KMS::Key").map(|arn| arn.to_string());
            let key = arn.or_else(|| text_at(record, "/requestParameters/keyId"));
            (key.map(Resource::Key), "resources[].ARN")
        }
        "iam.amazonaws.com" => {
            let name = text_at(record, "/requestParameters/roleName");
            let role = name.map(|name| Resource::Role { account: account.to_owned(), name });
            (role, "requestParameters.roleName")
        }
        _ => {
            let name = text_at(record, "/requestParameters/pipeline/name")
                .or_else(|| text_at(record, "/requestParameters/name"));
            (name.map(Resource::Pipeline), "requestParameters.pipeline.name")
        }
    };
    found.ok_or(WatchEventError::Missing { call, field })
}

/// The ARN in the record's list of resources.
fn resource_arn(record: &Value, kind: &str) -> Option<Arn> {
    let resources = record.get("resources")?.as_array()?;
    let of_kind = resources.iter().filter(|it| it.get("type").and_then(Value::as_str) == Some(kind));
    of_kind.filter_map(|it| it.get("ARN")?.as_str()).find_map(|arn| Arn::parse(arn).ok())
}
