//! Deploys to EC2 instances by Systems Manager; the instances download the artifact with their own roles.

use super::{
    ActionPlace, ArtifactHandler, LOGS, ParameterValue, Permission, ProviderFacts, passes_none,
    permissions_on,
};

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
    let mut permissions = permissions_on(None, &["ssm:SendCommand"]);
    if place.value("InstanceType") == Some("EC2") {
        permissions.extend(permissions_on(None, &["ec2:DescribeInstances"]));
    }
    // Instances leave their target groups while they are deployed to.
    if place.value("TargetGroupNameList").is_some() {
        permissions.extend(permissions_on(
            None,
            &["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"],
        ));
    }
    permissions.extend(permissions_on(None, &LOGS));
    permissions
}
