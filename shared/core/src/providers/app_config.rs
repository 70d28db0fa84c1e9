//! AWS AppConfig starts a deployment of a configuration.

use super::{
    ActionPlace, ArtifactHandler, ParameterValue, Permission, ProviderFacts, passes_none, permissions_on,
};

pub(super) const FACTS: ProviderFacts = ProviderFacts {
    categories: &["Deploy"],
    name: "AppConfig",
    page: "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-AppConfig.html",
    artifacts: ArtifactHandler::ActionRole,
    permissions: Some(permissions),
    evidence: None,
    passed_roles: passes_none,
    parameters: &[("AppConfigApplicationId", ParameterValue::Configuration("Application"))],
};

fn permissions(_: &ActionPlace<'_>) -> Vec<Permission> {
    permissions_on(None, &["appconfig:StartDeployment", "appconfig:GetDeployment"])
}
