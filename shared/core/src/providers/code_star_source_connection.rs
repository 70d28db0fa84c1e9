//! A connection to a provider of repositories. Which of its two services' permissions is asked for depends on
//! when the connection was made, so what a role lacks is seen only where AWS says so.

use super::{ArtifactHandler, ParameterValue, ProviderFacts, passes_none};

pub(super) const FACTS: ProviderFacts = ProviderFacts {
    categories: &["Source"],
    name: "CodeStarSourceConnection",
    page: "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html",
    artifacts: ArtifactHandler::ActionRole,
    permissions: None,
    evidence: None,
    passed_roles: passes_none,
    parameters: &[("ConnectionArn", ParameterValue::Configuration("ConnectionArn"))],
};
