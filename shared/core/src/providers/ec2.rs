//! Deploys to EC2 instances by Systems Manager; the instances download the artifact with their own roles.

use super::{ActionPlace, ArtifactHandler, LOGS, ParameterValue, Permission, ProviderFacts, on, passes_none};

pub(super) const FACTS: ProviderFacts = ProviderFacts {
    categories: &["Deploy"],
    name: "EC2",
    page: "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-EC2Deploy.html",
    artifacts: ArtifactHandler::ActionAndInstanceRoles,
    permissions: Some(permissions),
    evidence: None,
    passed_roles: passes_none,
    parameters: &[("Ec2Deploy", ParameterValue::Yes)],
};

fn permissions(place: &ActionPlace<'_>) -> Vec<Permission> {
    let mut permissions = on(None, &["ssm:SendCommand"]);
    if place.value("InstanceType") == Some("EC2") {
        permissions.extend(on(None, &["ec2:DescribeInstances"]));
    }
    permissions.extend(on(None, &LOGS));
    permissions
}
