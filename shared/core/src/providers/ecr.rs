//! An image of ECR as a source.

use super::{
    ActionPlace, ArtifactHandler, ParameterValue, Permission, ProviderFacts, passes_none, permissions_on,
};

pub(super) const FACTS: ProviderFacts = ProviderFacts {
    categories: &["Source"],
    name: "ECR",
    page: "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECR.html",
    artifacts: ArtifactHandler::ActionRole,
    permissions: Some(permissions),
    evidence: None,
    passed_roles: passes_none,
    parameters: &[("EcrRepositoryName", ParameterValue::Configuration("RepositoryName"))],
};

fn permissions(place: &ActionPlace<'_>) -> Vec<Permission> {
    permissions_on(place.named("ecr", "RepositoryName", "repository/"), &["ecr:DescribeImages"])
}
