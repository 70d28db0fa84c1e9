//! Another pipeline that is started.

use super::{
    ActionPlace, ArtifactHandler, ParameterValue, Permission, ProviderFacts, passes_none, permissions_on,
};

pub(super) const FACTS: ProviderFacts = ProviderFacts {
    categories: &["Invoke"],
    name: "CodePipeline",
    page: "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-PipelineInvoke.html",
    artifacts: ArtifactHandler::Nobody,
    permissions: Some(permissions),
    evidence: None,
    passed_roles: passes_none,
    parameters: &[("InvokedPipelineName", ParameterValue::Configuration("PipelineName"))],
};

fn permissions(place: &ActionPlace<'_>) -> Vec<Permission> {
    permissions_on(place.named("codepipeline", "PipelineName", ""), &["codepipeline:StartPipelineExecution"])
}
