//! Deploys to a cluster of EKS on managed compute, as the action's role.

use super::{
    ActionPlace, ArtifactHandler, LOGS, ParameterValue, Permission, ProviderFacts, passes_none,
    permissions_on,
};

pub(super) const FACTS: ProviderFacts = ProviderFacts {
    categories: &["Deploy"],
    name: "EKS",
    page: "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-EKS.html",
    artifacts: ArtifactHandler::ActionRole,
    permissions: Some(permissions),
    evidence: None,
    passed_roles: passes_none,
    parameters: &[("EksClusterName", ParameterValue::Configuration("ClusterName"))],
};

fn permissions(place: &ActionPlace<'_>) -> Vec<Permission> {
    let mut permissions =
        permissions_on(place.named("eks", "ClusterName", "cluster/"), &["eks:DescribeCluster"]);
    permissions.extend(permissions_on(None, &LOGS));
    permissions
}
