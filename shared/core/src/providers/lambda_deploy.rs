//! A Lambda function that is deployed: its code is updated, and its alias moved.

use super::lambda::function;
use super::{ActionPlace, ArtifactHandler, ParameterValue, Permission, ProviderFacts, on, passes_none};

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
        permissions.extend(on(function(place), &["lambda:UpdateFunctionCode", "lambda:PublishVersion"]));
    }
    if place.value("FunctionAlias").is_some() {
        permissions.extend(on(function(place), &["lambda:GetAlias", "lambda:UpdateAlias"]));
    }
    permissions
}
