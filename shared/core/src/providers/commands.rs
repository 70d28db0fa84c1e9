//! Commands on managed compute, as the action's role.

use super::{
    ActionPlace, ArtifactHandler, LOGS, ParameterValue, Permission, ProviderFacts, passes_none,
    permissions_on,
};

pub(super) const FACTS: ProviderFacts = ProviderFacts {
    categories: &["Compute"],
    name: "Commands",
    page: "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Commands.html",
    artifacts: ArtifactHandler::ActionRole,
    permissions: Some(permissions),
    evidence: None,
    passed_roles: passes_none,
    parameters: &[("RunCommands", ParameterValue::Yes)],
};

fn permissions(_: &ActionPlace<'_>) -> Vec<Permission> {
    permissions_on(None, &LOGS)
}
