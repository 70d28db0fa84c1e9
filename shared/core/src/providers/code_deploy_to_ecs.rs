//! CodeDeploy deploys to ECS, blue/green: the action registers the task definition and passes its roles.

use super::{
    ActionPlace, ArtifactHandler, EvidenceSource, ParameterValue, PassedRole, Permission, ProviderFacts,
    code_deploy, permissions_on,
};

pub(super) const FACTS: ProviderFacts = ProviderFacts {
    categories: &["Deploy"],
    name: "CodeDeployToECS",
    page: "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECSbluegreen.html",
    artifacts: ArtifactHandler::ActionRole,
    permissions: Some(permissions),
    evidence: Some(EvidenceSource::Deployment),
    passed_roles,
    parameters: &[
        ("CodeDeployApplicationName", ParameterValue::Configuration("ApplicationName")),
        ("CodeDeployToEcs", ParameterValue::Yes),
    ],
};

fn permissions(place: &ActionPlace<'_>) -> Vec<Permission> {
    let mut permissions = code_deploy::permissions(place);
    permissions.extend(permissions_on(None, &["ecs:RegisterTaskDefinition"]));
    permissions
}

/// The task definition is in an artifact.
fn passed_roles<'a>(_: &ActionPlace<'a>) -> Vec<PassedRole<'a>> {
    vec![PassedRole::OfTaskDefinition { service: None }]
}
