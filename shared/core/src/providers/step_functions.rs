//! A state machine of Step Functions that is run.

use super::{ActionPlace, ArtifactHandler, ParameterValue, Permission, ProviderFacts, on, passes_none};

pub(super) const FACTS: ProviderFacts = ProviderFacts {
    categories: &["Invoke"],
    name: "StepFunctions",
    page: "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-StepFunctions.html",
    artifacts: ArtifactHandler::ActionRole,
    permissions: Some(permissions),
    passed_roles: passes_none,
    parameters: &[("StateMachineArn", ParameterValue::Configuration("StateMachineArn"))],
};

fn permissions(place: &ActionPlace<'_>) -> Vec<Permission> {
    on(
        place.value("StateMachineArn").map(|it| vec![it.to_owned()]),
        &["states:StartExecution", "states:DescribeStateMachine"],
    )
}
