//! A stack set of CloudFormation. It passes the administration role where the configuration names one.

use super::{
    ActionPlace, ArtifactHandler, EvidenceSource, ParameterValue, PassedRole, Permission, ProviderFacts,
    permissions_on, stack_instances,
};

pub(super) const FACTS: ProviderFacts = ProviderFacts {
    categories: &["Deploy"],
    name: "CloudFormationStackSet",
    page: "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-StackSets.html",
    artifacts: ArtifactHandler::ActionRole,
    permissions: Some(permissions),
    evidence: Some(EvidenceSource::StackSetOperation),
    passed_roles,
    parameters: &[("StackSetName", ParameterValue::Configuration("StackSetName"))],
};

fn permissions(place: &ActionPlace<'_>) -> Vec<Permission> {
    let mut permissions = stack_instances::permissions(place);
    permissions.extend(permissions_on(
        stack_instances::stack_set_arns(place),
        &[
            "cloudformation:CreateStackSet",
            "cloudformation:UpdateStackSet",
            "cloudformation:DescribeStackSet",
        ],
    ));
    permissions
}

fn passed_roles<'a>(place: &ActionPlace<'a>) -> Vec<PassedRole<'a>> {
    let role = place.value("AdministrationRoleArn").into_iter();
    role.map(|role| PassedRole::Named { role, service: "cloudformation.amazonaws.com" }).collect()
}
