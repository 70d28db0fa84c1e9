//! The arrows of ARCHITECTURE.md, held against `cargo metadata` and the core's source.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests are tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use crosspipe_core::providers::Provider;
use serde_json::Value;

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The page that draws the architecture.
fn read_architecture() -> String {
    std::fs::read_to_string(Path::new(WORKSPACE).join("ARCHITECTURE.md")).unwrap()
}

/// The lines of the first fenced block of this language that follows a heading.
#[track_caller]
fn read_block<'a>(page: &'a str, heading: &str, language: &str) -> Vec<&'a str> {
    let (_, section) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    let (_, block) = section.split_once(&format!("```{language}\n")).unwrap();
    let (block, _) = block.split_once("```").unwrap();
    block.lines().map(str::trim).collect()
}

/// Crate to crate, as the page's chart draws it; `crosspipe-` is left out there.
fn read_crate_arrows(page: &str) -> BTreeSet<(String, String)> {
    let arrows = read_block(page, "Overview", "mermaid");
    let arrows = arrows.iter().filter_map(|line| line.split_once(" --> "));
    arrows.map(|(from, to)| (from.to_owned(), to.to_owned())).collect()
}

/// The core's modules, the lowest layer first.
fn read_core_layers(page: &str) -> Vec<String> {
    let lines = read_block(page, "Layers of the core", "text");
    lines.iter().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// A crate's name as the chart has it.
fn chart_name(package: &str) -> &str {
    match package {
        "crosspipe" => "cli",
        package => package.strip_prefix("crosspipe-").unwrap_or(package),
    }
}

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
fn crate_arrows_match_the_chart() {
    let drawn = read_crate_arrows(&read_architecture());
    let shipped: BTreeSet<&str> = drawn.iter().flat_map(|(from, to)| [from.as_str(), to.as_str()]).collect();
    let dependencies = dependencies();
    let members: BTreeSet<&str> = dependencies.keys().map(|package| chart_name(package)).collect();
    let packages = dependencies.iter().map(|(package, needed)| (chart_name(package), needed));
    let found: BTreeSet<(String, String)> = packages
        .filter(|(package, _)| shipped.contains(package))
        .flat_map(|(package, needed)| {
            let own = needed.iter().map(|it| chart_name(it)).filter(|it| members.contains(it));
            own.map(move |it| (package.to_owned(), it.to_owned()))
        })
        .collect();
    assert_eq!(found, drawn, "left: what Cargo.toml says; right: what ARCHITECTURE.md draws");
}

#[test]
fn core_layers_see_only_lower_ones() {
    let layers = read_core_layers(&read_architecture());
    let source = Path::new(WORKSPACE).join("shared/core/src");
    let mut modules = BTreeSet::new();
    for entry in std::fs::read_dir(&source).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if module != "lib" {
            modules.insert(module);
        }
    }
    assert_eq!(modules, layers.iter().cloned().collect(), "left: shared/core/src; right: ARCHITECTURE.md");
    let mut upward = vec![];
    for (at, layer) in layers.iter().enumerate() {
        let folder = source.join(layer);
        let mut files = if folder.is_dir() { rust_files(&folder) } else { vec![] };
        files.extend(Some(source.join(format!("{layer}.rs"))).filter(|file| file.exists()));
        for file in files.iter().filter(|file| !is_test(file)) {
            let text = std::fs::read_to_string(file).unwrap();
            let shipped = text.split("#[cfg(test)]").next().unwrap();
            let code = shipped.lines().filter(|line| !line.trim_start().starts_with("//"));
            for line in code {
                let higher = layers[at + 1..].iter().find(|other| names_module(line, other));
                upward.extend(higher.map(|other| format!("{}: {layer} names {other}", file.display())));
            }
        }
    }
    assert!(upward.is_empty(), "a layer sees only those before it:\n{}", upward.join("\n"));
}

/// Whether a line of code names a module of the crate.
fn names_module(line: &str, module: &str) -> bool {
    let path = format!("crate::{module}");
    let follows = |at: usize| line[at + path.len()..].chars().next();
    line.match_indices(&path).any(|(at, _)| follows(at).is_none_or(|c| !c.is_alphanumeric() && c != '_'))
}

/// Whether a file holds tests only.
fn is_test(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name == "tests.rs")
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
    let allowed = ["ipnet", "regex-lite", "serde", "serde_json", "sha2", "strsim", "thiserror"];
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
    for file in rust_files(&Path::new(WORKSPACE).join("shared/core/src")) {
        // Tests of what is printed for a shell run one.
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

/// The source files of what ships, up to their tests.
fn read_shipped_source() -> Vec<(std::path::PathBuf, String)> {
    let ships = ["cli/src", "functions", "shared/aws/src", "shared/core/src", "shared/custom-resource/src"];
    let folders = ships.iter().chain(&["shared/https/src", "shared/logging/src", "shared/resources/src"]);
    let files = folders.flat_map(|folder| rust_files(&Path::new(WORKSPACE).join(folder)));
    let source = files.filter(|file| !is_test(file)).map(|file| {
        let text = std::fs::read_to_string(&file).unwrap();
        let shipped = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
        (file, shipped)
    });
    source.collect()
}

/// ARNs are built where they are parsed.
#[test]
fn arns_are_built_in_one_place() {
    for (path, text) in read_shipped_source().iter().filter(|(path, _)| !path.ends_with("arn.rs")) {
        // The partition alone is not an ARN.
        let built =
            text.matches("format!(\"arn:").count() - text.matches("format!(\"arn:{partition}:\")").count();
        assert_eq!(built, 0, "{} builds an ARN by hand: use crosspipe_core::arn", path.display());
    }
}

/// What depends on a provider matches on `Provider`, so that the compiler names each such place to who adds one.
#[test]
fn providers_are_named_in_one_folder() {
    let names: Vec<String> = Provider::KNOWN
        .into_iter()
        .filter_map(Provider::facts)
        // `EC2` is also a service that messages name.
        .filter(|facts| facts.name != "EC2")
        .map(|facts| format!("\"{}\"", facts.name))
        .collect();
    assert!(names.len() > 20);
    let folder = Path::new("shared/core/src/providers");
    for (path, text) in read_shipped_source() {
        if path.strip_prefix(WORKSPACE).is_ok_and(|path| path.starts_with(folder)) {
            continue;
        }
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in code {
            let name = names.iter().find(|name| line.contains(*name));
            assert_eq!(name, None, "{}: {line}", path.display());
        }
    }
}
