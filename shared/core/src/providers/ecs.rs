//! ECS updates a service: the action registers a task definition and passes its roles.

use super::{
    ActionPlace, ArtifactHandler, EvidenceSource, ParameterValue, PassedRole, Permission, ProviderFacts,
    permissions_on,
};

pub(super) const FACTS: ProviderFacts = ProviderFacts {
    categories: &["Deploy"],
    name: "ECS",
    page: "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECS.html",
    artifacts: ArtifactHandler::ActionRole,
    permissions: Some(permissions),
    evidence: Some(EvidenceSource::Service),
    passed_roles,
    parameters: &[("EcsClusterName", ParameterValue::Configuration("ClusterName"))],
};

fn permissions(place: &ActionPlace<'_>) -> Vec<Permission> {
    let service = || {
        let (cluster, service) = (place.value("ClusterName")?, place.value("ServiceName")?);
        // Services have two forms of ARN, with and without their cluster.
        let long = place.arn("ecs", &format!("service/{cluster}/{service}"))?;
        Some(vec![long, place.arn("ecs", &format!("service/{service}"))?])
    };
    let mut permissions = permissions_on(service(), &["ecs:DescribeServices", "ecs:UpdateService"]);
    permissions.extend(permissions_on(
        None,
        &["ecs:DescribeTaskDefinition", "ecs:DescribeTasks", "ecs:ListTasks", "ecs:RegisterTaskDefinition"],
    ));
    permissions
}

fn passed_roles<'a>(place: &ActionPlace<'a>) -> Vec<PassedRole<'a>> {
    let names = place.value("ClusterName").zip(place.value("ServiceName"));
    vec![PassedRole::OfTaskDefinition { service: names.map(|(cluster, name)| format!("{cluster}/{name}")) }]
}
