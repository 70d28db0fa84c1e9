//! CodeBuild: the build that failed.

use crosspipe_core::snapshot::Snapshot;
use serde_json::Value;

use super::{ActionQuery, Evidence, roles_named, without_member};
use crate::gather::known_facts;

pub(super) async fn read(query: ActionQuery<'_>) -> Evidence {
    let Some(id) = query.external_id() else { return Evidence::default() };
    let codebuild = query.aws.codebuild();
    let build = async { Ok(codebuild.build(id).await?.map(|build| without_member(build, "environment"))) };
    let build = query.reader.fact(&format!("build {id}"), build).await;
    let roles =
        build.known().into_iter().flat_map(|build: &Value| roles_named(build, &["serviceRole"])).collect();
    let builds = known_facts([(id.to_owned(), build)]);
    Evidence { parts: Snapshot { builds, ..Snapshot::default() }, roles, instance_roles: None }
}
