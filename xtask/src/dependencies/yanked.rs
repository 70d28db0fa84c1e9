//! Yanked versions, by the registry's index alone.
//!
//! Cargo never chooses a yanked version anew. So a throw-away package that asks for exactly the versions
//! of `Cargo.lock` resolves if, and only if, none of them is yanked. Cargo asks the registry for this
//! afresh, where its own caches may be old.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::Failure;
use crate::process::{Ended, cargo, run_for};

const REGISTRY: Duration = Duration::from_secs(120);

/// Fails where a locked version is yanked.
pub(super) fn check(root: &Path) -> Result<(), Failure> {
    let io = |error| Failure::new(format!("yanked versions can't be looked for: {error}"), "cargo xtask ci");
    let lock = fs::read_to_string(root.join("Cargo.lock")).map_err(io)?;
    let locked = locked(&lock);
    let package = root.join("target/tools/yanked");
    fs::create_dir_all(package.join("src")).map_err(io)?;
    fs::write(package.join("src/lib.rs"), "").map_err(io)?;
    fs::write(package.join("Cargo.toml"), manifest(&locked)).map_err(io)?;
    if package.join("Cargo.lock").exists() {
        fs::remove_file(package.join("Cargo.lock")).map_err(io)?;
    }
    let ended = run_for(cargo(&package, ["generate-lockfile"]), REGISTRY, &package.join("cargo.log"))?;
    judge(&ended, locked.len())
}

fn judge(ended: &Ended, count: usize) -> Result<(), Failure> {
    if ended.status.is_some_and(|status| status.success()) {
        println!("yanked: none of {count} locked versions");
        return Ok(());
    }
    match ended.errors.lines().find(|line| line.trim_end().ends_with("is yanked")) {
        Some(line) => {
            // The line before names the package: "… for the requirement `name = "=1.2.3"`".
            let package = ended.errors.split('`').nth(1).unwrap_or_default();
            let name = package.split(' ').next().unwrap_or_default();
            Err(Failure::new(
                format!("`{package}` in Cargo.lock: {}", line.trim()),
                format!("cargo update -p {name}"),
            ))
        }
        None => {
            println!("yanked: not checked, the registry gives no answer (see target/tools/yanked/cargo.log)");
            Ok(())
        }
    }
}

/// Name and version of every package that a lock file takes from a registry.
fn locked(lock: &str) -> Vec<(&str, &str)> {
    let packages = lock.split("[[package]]").skip(1);
    packages
        .filter(|package| value(package, "source").is_some_and(|source| source.starts_with("registry+")))
        .filter_map(|package| Some((value(package, "name")?, value(package, "version")?)))
        .collect()
}

/// The text of `field = "…"`.
fn value<'a>(package: &'a str, field: &str) -> Option<&'a str> {
    let values =
        package.lines().filter_map(|line| line.strip_prefix(field)?.strip_prefix(" = \"")?.strip_suffix('"'));
    values.into_iter().next()
}

fn manifest(locked: &[(&str, &str)]) -> String {
    let mut text = String::from(
        "[package]\nname = \"yanked\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n",
    );
    for (number, (name, version)) in locked.iter().enumerate() {
        let _ = writeln!(
            text,
            "p{number} = {{ package = \"{name}\", version = \"={version}\", default-features = false }}"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"version = 4

[[package]]
name = "ours"
version = "0.1.0"
dependencies = [
 "ring",
]

[[package]]
name = "ring"
version = "0.17.14"
source = "registry+x"
checksum = "a4"
"#;

    #[test]
    fn asks_only_for_registry_packages() {
        assert_eq!(locked(LOCK), [("ring", "0.17.14")]);
        let line = r#"p0 = { package = "ring", version = "=0.17.14", default-features = false }"#;
        assert_eq!(manifest(&locked(LOCK)).lines().last(), Some(line));
    }

    #[test]
    fn yanked_differs_from_unreachable() {
        let ended = |errors: &str| Ended { status: None, errors: errors.into() };
        let yanked = "error: failed to select a version for the requirement `ring = \"=0.17.14\"`\n  version 0.17.14 is yanked\n";
        let failure = judge(&ended(yanked), 1).unwrap_err();
        assert!(failure.message.contains("ring") && failure.message.contains("is yanked"), "{failure:?}");
        assert_eq!(failure.run, "cargo update -p ring");
        assert!(judge(&ended("error: failed to get `ring` as a dependency"), 1).is_ok());
    }
}
