//! The types of custom resources: rules say which of them may have written what they find missing.

use serde::{Deserialize, Serialize};

/// A type of custom resource, without `Custom::`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ResourceType {
    /// Statements in a key's policy.
    ArtifactKeyGrant,
    /// Statements in a bucket's policy.
    ArtifactBucketGrant,
    /// An inline policy of a service role.
    ServiceRoleGrant,
    /// The encryption key of a build project.
    BuildProjectKey,
    /// Keys, actions and action roles of a pipeline.
    PipelinePatch,
}

impl ResourceType {
    /// All of them.
    pub const ALL: [ResourceType; 5] = [
        ResourceType::ArtifactKeyGrant,
        ResourceType::ArtifactBucketGrant,
        ResourceType::ServiceRoleGrant,
        ResourceType::BuildProjectKey,
        ResourceType::PipelinePatch,
    ];

    /// The name in templates, without `Custom::`.
    pub fn name(self) -> &'static str {
        match self {
            ResourceType::ArtifactKeyGrant => "ArtifactKeyGrant",
            ResourceType::ArtifactBucketGrant => "ArtifactBucketGrant",
            ResourceType::ServiceRoleGrant => "ServiceRoleGrant",
            ResourceType::BuildProjectKey => "BuildProjectKey",
            ResourceType::PipelinePatch => "PipelinePatch",
        }
    }

    /// The type that a template calls so, such as `Custom::ArtifactKeyGrant`.
    pub fn of_cloudformation(name: &str) -> Option<Self> {
        let name = name.strip_prefix("Custom::")?;
        Self::ALL.into_iter().find(|resource_type| resource_type.name() == name)
    }
}
