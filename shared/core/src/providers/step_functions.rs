//! A state machine of Step Functions that is run.

use super::{
    ActionPlace, ArtifactHandler, EvidenceSource, ParameterValue, Permission, ProviderFacts, passes_none,
    permissions_on,
};

pub(super) const FACTS: ProviderFacts = ProviderFacts {
    categories: &["Invoke"],
    name: "StepFunctions",
    page: "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-StepFunctions.html",
    artifacts: ArtifactHandler::ActionRole,
    permissions: Some(permissions),
    evidence: Some(EvidenceSource::StateMachine),
    passed_roles: passes_none,
    parameters: &[("StateMachineArn", ParameterValue::Configuration("StateMachineArn"))],
};

fn permissions(place: &ActionPlace<'_>) -> Vec<Permission> {
    let machine = place.value("StateMachineArn");
    let mut permissions = permissions_on(
        machine.map(|it| vec![it.to_owned()]),
        &["states:StartExecution", "states:DescribeStateMachine"],
    );
    // How an execution ends is asked of the execution; express ones are asked of nothing.
    let executions = machine.map(|it| vec![format!("{}:*", it.replace(":stateMachine:", ":execution:"))]);
    permissions.extend(permissions_on(executions, &["states:DescribeExecution"]));
    permissions
}
