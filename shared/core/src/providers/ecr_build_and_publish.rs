//! Builds an image on managed compute and pushes it to ECR.

use super::{
    ActionPlace, ArtifactHandler, LOGS, ParameterValue, Permission, ProviderFacts, passes_none,
    permissions_on,
};

pub(super) const FACTS: ProviderFacts = ProviderFacts {
    categories: &["Build"],
    name: "ECRBuildAndPublish",
    page: "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECRBuildAndPublish.html",
    artifacts: ArtifactHandler::ActionRole,
    permissions: Some(permissions),
    evidence: None,
    passed_roles: passes_none,
    parameters: &[("EcrPublishRepositoryName", ParameterValue::Configuration("ECRRepositoryName"))],
};

fn permissions(place: &ActionPlace<'_>) -> Vec<Permission> {
    let mut permissions = permissions_on(None, &LOGS);
    // A public registry has permissions of its own.
    if place.value("RegistryType").is_none_or(|it| it.eq_ignore_ascii_case("private")) {
        permissions.extend(permissions_on(None, &["ecr:GetAuthorizationToken"]));
        permissions.extend(permissions_on(
            place.named("ecr", "ECRRepositoryName", "repository/"),
            &[
                "ecr:BatchCheckLayerAvailability",
                "ecr:InitiateLayerUpload",
                "ecr:UploadLayerPart",
                "ecr:CompleteLayerUpload",
                "ecr:PutImage",
            ],
        ));
    }
    permissions
}
