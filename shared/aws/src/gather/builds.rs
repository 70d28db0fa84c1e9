//! Build projects of the pipeline's account, whose output other accounts use.

use crosspipe_core::snapshot::{BuildProjectFacts, Fact};

use super::evidence::without_member;
use super::fact_reader::FactReader;
use crate::Aws;

/// A project. One without a key of its own says nothing of a key, which here means that it has none.
pub(super) async fn read_project(aws: &Aws, name: &str, reader: &FactReader) -> Fact<BuildProjectFacts> {
    let codebuild = aws.codebuild();
    let project = match reader.fact(name, codebuild.project(name)).await {
        Fact::Known(project) => project,
        Fact::Absent => return Fact::Absent,
        Fact::Unknown => return Fact::Unknown,
    };
    let Ok(mut facts) = serde_json::from_value::<BuildProjectFacts>(without_member(project, "environment"))
    else {
        reader.note(&format!("build project `{name}` does not have the shape that the AWS CLI prints"));
        return Fact::Unknown;
    };
    if facts.encryption_key.is_unknown() {
        facts.encryption_key = Fact::Absent;
    }
    Fact::Known(facts)
}
