//! Every provider is complete, and each action type is one provider's.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;

#[test]
fn every_provider_is_complete() {
    for provider in Provider::KNOWN {
        let facts = provider.facts().unwrap();
        assert!(
            facts
                .page
                .starts_with("https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-"),
            "{provider:?}"
        );
        assert!(!facts.categories.is_empty() && !facts.name.is_empty(), "{provider:?}");
        let no_list = facts.permissions.is_none();
        assert_eq!(no_list, provider == Provider::CodeStarSourceConnection, "{provider:?}");
    }
    assert!(Provider::Other.facts().is_none());
    assert_eq!(Provider::Other.artifacts(), ArtifactHandler::Unknown);
}

#[test]
fn action_types_are_told_apart() {
    let types = Provider::KNOWN
        .into_iter()
        .filter_map(Provider::facts)
        .flat_map(|facts| facts.categories.iter().map(move |category| (*category, facts.name)));
    let types: Vec<_> = types.collect();
    let distinct: BTreeSet<_> = types.iter().collect();
    assert_eq!(distinct.len(), types.len());
}

#[test]
fn every_file_is_a_provider() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/providers");
    let others = ["mod.rs", "tests.rs", "action_place.rs"];
    let files = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name());
    let files = files.filter(|it| !others.iter().any(|other| it == other)).count();
    assert_eq!(files, Provider::KNOWN.len());
}
