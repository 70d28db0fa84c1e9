//! CodeDeploy deploys to instances, which download the revision with their own roles.

use super::{
    ActionPlace, ArtifactHandler, EvidenceSource, ParameterValue, Permission, ProviderFacts, passes_none,
    permissions_on,
};

pub(super) const FACTS: ProviderFacts = ProviderFacts {
    categories: &["Deploy"],
    name: "CodeDeploy",
    page: "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeDeploy.html",
    artifacts: ArtifactHandler::ActionAndInstanceRoles,
    permissions: Some(permissions),
    evidence: Some(EvidenceSource::Deployment),
    passed_roles: passes_none,
    parameters: &[("CodeDeployApplicationName", ParameterValue::Configuration("ApplicationName"))],
};

pub(super) fn permissions(place: &ActionPlace<'_>) -> Vec<Permission> {
    let resources = || {
        let (application, group) = (place.value("ApplicationName")?, place.value("DeploymentGroupName")?);
        let group = place.arn("codedeploy", &format!("deploymentgroup:{application}/{group}"))?;
        Some(vec![group, place.arn("codedeploy", &format!("application:{application}"))?])
    };
    let mut permissions = permissions_on(
        resources(),
        &[
            "codedeploy:CreateDeployment",
            "codedeploy:GetDeployment",
            "codedeploy:GetApplicationRevision",
            "codedeploy:RegisterApplicationRevision",
        ],
    );
    permissions.extend(permissions_on(None, &["codedeploy:GetDeploymentConfig"]));
    permissions
}
