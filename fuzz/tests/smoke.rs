//! Each target on its seeds and a bounded number of mutants of them.

#![allow(clippy::unwrap_used, reason = "a test without its seeds has failed")]

use std::path::Path;

use crosspipe_fuzz::{smoke, targets};

fn check(name: &str) {
    let (_, target) = targets::ALL.into_iter().find(|(each, _)| *each == name).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(name);
    let seeds = smoke::seeds(&folder).unwrap();
    assert!(!seeds.is_empty(), "{}", folder.display());
    smoke(name, &seeds, target).unwrap();
}

#[test]
fn policy() {
    check("policy");
}

#[test]
fn pipeline() {
    check("pipeline");
}

#[test]
fn snapshot() {
    check("snapshot");
}

#[test]
fn event() {
    check("event");
}

#[test]
fn message() {
    check("message");
}

#[test]
fn mutants_are_varied_json() {
    use crosspipe_fuzz::mutate::{Random, mutant};
    let seeds = smoke::seeds(&Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds/policy")).unwrap();
    let mut random = Random::new(1);
    let mutants: std::collections::BTreeSet<Vec<u8>> =
        (0..400).map(|_| mutant(&mut random, &seeds)).collect();
    let json = mutants.iter().filter(|it| serde_json::from_slice::<serde_json::Value>(it).is_ok()).count();
    assert!(mutants.len() > 300 && json > 200, "{} mutants, {json} of JSON", mutants.len());
}
