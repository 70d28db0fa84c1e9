//! Instances of a stack set of CloudFormation.

use super::{
    ActionPlace, ArtifactHandler, EvidenceSource, ParameterValue, Permission, ProviderFacts, passes_none,
    permissions_on,
};

pub(super) const FACTS: ProviderFacts = ProviderFacts {
    categories: &["Deploy"],
    name: "CloudFormationStackInstances",
    page: "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-StackSets.html",
    artifacts: ArtifactHandler::ActionRole,
    permissions: Some(permissions),
    evidence: Some(EvidenceSource::StackSetOperation),
    passed_roles: passes_none,
    parameters: &[("StackSetName", ParameterValue::Configuration("StackSetName"))],
};

pub(super) fn permissions(place: &ActionPlace<'_>) -> Vec<Permission> {
    permissions_on(
        stack_set_arns(place),
        &["cloudformation:CreateStackInstances", "cloudformation:DescribeStackSetOperation"],
    )
}

/// The ARNs that the stack set may have: with its id, and without.
pub(super) fn stack_set_arns(place: &ActionPlace<'_>) -> Option<Vec<String>> {
    let name = place.value("StackSetName")?;
    let id = place.arn("cloudformation", &format!("stackset/{name}:*"))?;
    Some(vec![id, place.arn("cloudformation", &format!("stackset/{name}"))?])
}
