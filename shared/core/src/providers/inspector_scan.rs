//! Amazon Inspector scans source code or an image on managed compute.

use super::{
    ActionPlace, ArtifactHandler, LOGS, ParameterValue, Permission, ProviderFacts, passes_none,
    permissions_on,
};

pub(super) const FACTS: ProviderFacts = ProviderFacts {
    categories: &["Invoke"],
    name: "InspectorScan",
    page: "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-InspectorScan.html",
    artifacts: ArtifactHandler::ActionRole,
    permissions: Some(permissions),
    evidence: None,
    passed_roles: passes_none,
    parameters: &[
        ("InspectorScan", ParameterValue::Yes),
        ("EcrRepositoryName", ParameterValue::Configuration("ECRRepositoryName")),
    ],
};

fn permissions(place: &ActionPlace<'_>) -> Vec<Permission> {
    let mut permissions = permissions_on(None, &["inspector-scan:ScanSbom"]);
    permissions.extend(permissions_on(None, &LOGS));
    if place.value("InspectorRunMode") == Some("ECRImageScan") {
        permissions.extend(permissions_on(None, &["ecr:GetAuthorizationToken"]));
        permissions.extend(permissions_on(
            place.named("ecr", "ECRRepositoryName", "repository/"),
            &["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        ));
    }
    permissions
}
