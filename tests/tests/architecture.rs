//! The arrows of ARCHITECTURE.md, held against `cargo metadata` and the core's source.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests are tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What each package that ships may depend on, of this workspace.
const ARROWS: [(&str, &[&str]); 8] = [
    ("crosspipe-core", &[]),
    ("crosspipe-https", &[]),
    ("crosspipe-custom-resource", &["crosspipe-https"]),
    ("crosspipe-aws", &["crosspipe-core"]),
    ("crosspipe-resources", &["crosspipe-aws", "crosspipe-core", "crosspipe-custom-resource"]),
    (
        "access-provider",
        &["crosspipe-aws", "crosspipe-core", "crosspipe-custom-resource", "crosspipe-resources"],
    ),
    ("failure-reporter", &["crosspipe-aws", "crosspipe-core", "crosspipe-https"]),
    ("crosspipe", &["crosspipe-aws", "crosspipe-core", "crosspipe-custom-resource", "crosspipe-resources"]),
];

/// Normal and build dependencies of each member.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let arguments = ["metadata", "--format-version", "1", "--no-deps", "--offline"];
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(WORKSPACE).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap().iter().map(|package| {
        let ships = |dependency: &&Value| dependency["kind"] != "dev";
        let dependencies = package["dependencies"].as_array().unwrap().iter().filter(ships).map(name);
        (name(package), dependencies.collect())
    });
    packages.collect()
}

#[test]
fn arrows_go_downward_only() {
    let dependencies = dependencies();
    let members: BTreeSet<&String> = dependencies.keys().collect();
    for (package, allowed) in ARROWS {
        let own = dependencies[package].iter().filter(|dependency| members.contains(dependency));
        for dependency in own {
            assert!(allowed.contains(&dependency.as_str()), "{package} must not depend on {dependency}");
        }
    }
}

#[test]
fn only_one_crate_names_the_sdk() {
    for (package, dependencies) in dependencies() {
        let sdk = dependencies.iter().find(|name| name.starts_with("aws-"));
        assert!(sdk.is_none() || package == "crosspipe-aws", "{package} depends on {sdk:?}");
    }
}

#[test]
fn the_core_is_pure() {
    let allowed = ["serde", "serde_json", "sha2", "thiserror"];
    for dependency in &dependencies()["crosspipe-core"] {
        assert!(allowed.contains(&dependency.as_str()), "crosspipe-core depends on {dependency}");
    }
    let impure = [
        "std::env",
        "std::fs",
        "std::process",
        "std::thread",
        "std::io",
        "SystemTime",
        "Instant::now",
        "TcpStream",
        "UdpSocket",
        "async fn",
        "println!",
    ];
    // Tests of what is printed for a shell ask one.
    let is_test = |file: &Path| file.file_name().is_some_and(|name| name == "tests.rs");
    for file in rust_files(&Path::new(WORKSPACE).join("shared/core/src")) {
        if is_test(&file) {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        for word in impure {
            assert!(!text.contains(word), "{} has `{word}`", file.display());
        }
    }
}

fn rust_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}
