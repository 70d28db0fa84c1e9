//! CodeBuild builds as its project's service role, which reads and writes the artifacts.

use super::{
    ActionPlace, ArtifactHandler, EvidenceSource, ParameterValue, Permission, ProviderFacts, passes_none,
    permissions_on,
};

pub(super) const FACTS: ProviderFacts = ProviderFacts {
    categories: &["Build", "Test"],
    name: "CodeBuild",
    page: "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html",
    artifacts: ArtifactHandler::ProjectRole,
    permissions: Some(permissions),
    evidence: Some(EvidenceSource::Build),
    passed_roles: passes_none,
    parameters: &[("CodeBuildProjectName", ParameterValue::Configuration("ProjectName"))],
};

fn permissions(place: &ActionPlace<'_>) -> Vec<Permission> {
    let batch = place.value("BatchEnabled").is_some_and(|it| it.eq_ignore_ascii_case("true"));
    let permissions: [&str; 2] = if batch {
        ["codebuild:StartBuildBatch", "codebuild:BatchGetBuildBatches"]
    } else {
        ["codebuild:StartBuild", "codebuild:BatchGetBuilds"]
    };
    permissions_on(place.named("codebuild", "ProjectName", "project/"), &permissions)
}
