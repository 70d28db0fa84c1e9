//! A Lambda function that is invoked.

use super::{
    ActionPlace, ArtifactHandler, EvidenceSource, ParameterValue, Permission, ProviderFacts, passes_none,
    permissions_on,
};

pub(super) const FACTS: ProviderFacts = ProviderFacts {
    categories: &["Invoke"],
    name: "Lambda",
    page: "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Lambda.html",
    artifacts: ArtifactHandler::ActionRole,
    permissions: Some(permissions),
    evidence: Some(EvidenceSource::Function),
    passed_roles: passes_none,
    parameters: &[("LambdaFunctionName", ParameterValue::Configuration("FunctionName"))],
};

fn permissions(place: &ActionPlace<'_>) -> Vec<Permission> {
    permissions_on(function_arns(place), &["lambda:InvokeFunction"])
}

/// The function's ARN, by name or as it is given.
pub(super) fn function_arns(place: &ActionPlace<'_>) -> Option<Vec<String>> {
    let name = place.value("FunctionName")?;
    let arn = if name.starts_with("arn:") {
        name.to_owned()
    } else {
        place.arn("lambda", &format!("function:{name}"))?
    };
    Some(vec![arn])
}
