//! A Lambda function that is deployed: its code is updated, and its alias moved.

use super::lambda::function_arns;
use super::{
    ActionPlace, ArtifactHandler, ParameterValue, Permission, ProviderFacts, passes_none, permissions_on,
};

pub(super) const FACTS: ProviderFacts = ProviderFacts {
    categories: &["Deploy"],
    name: "Lambda",
    page: "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-LambdaDeploy.html",
    artifacts: ArtifactHandler::ActionRole,
    permissions: Some(permissions),
    evidence: None,
    passed_roles: passes_none,
    parameters: &[("LambdaDeployFunctionName", ParameterValue::Configuration("FunctionName"))],
};

fn permissions(place: &ActionPlace<'_>) -> Vec<Permission> {
    let mut permissions = vec![];
    if place.has_input() {
        permissions.extend(permissions_on(
            function_arns(place),
            &["lambda:UpdateFunctionCode", "lambda:PublishVersion"],
        ));
    }
    if place.value("FunctionAlias").is_some() {
        permissions.extend(permissions_on(function_arns(place), &["lambda:GetAlias", "lambda:UpdateAlias"]));
    }
    permissions
}
