//! A repository of CodeCommit as a source.

use super::{
    ActionPlace, ArtifactHandler, ParameterValue, Permission, ProviderFacts, passes_none, permissions_on,
};

pub(super) const FACTS: ProviderFacts = ProviderFacts {
    categories: &["Source"],
    name: "CodeCommit",
    page: "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeCommit.html",
    artifacts: ArtifactHandler::ActionRole,
    permissions: Some(permissions),
    evidence: None,
    passed_roles: passes_none,
    parameters: &[("CodeCommitRepositoryName", ParameterValue::Configuration("RepositoryName"))],
};

fn permissions(place: &ActionPlace<'_>) -> Vec<Permission> {
    permissions_on(
        place.named("codecommit", "RepositoryName", ""),
        &[
            "codecommit:GetBranch",
            "codecommit:GetCommit",
            "codecommit:UploadArchive",
            "codecommit:GetUploadArchiveStatus",
        ],
    )
}
