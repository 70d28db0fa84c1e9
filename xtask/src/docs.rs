//! What is generated from the sources of the rules: their registry, their pages, the list of their fixtures.
//!
//! # Layout
//! - this file: which files there should be, and which there are
//! - [`page`]: one rule's page, and the table of all
//! - [`registry`]: the files of the rules and of their fixtures, as Rust sees them
//!
//! `docs/rules` and the list of pages that `crosspipe explain` shows belong to this command: what is in
//! `docs/rules` and has no rule is removed.

mod page;
pub(crate) mod registry;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crosspipe_core::rules::ALL;

use crate::Failure;
use crate::process::{cargo, run};

const COMMAND: &str = "cargo xtask docs";
const PAGES: &str = "docs/rules";
const EMBEDDED: &str = "cli/src/explain/pages.rs";

/// Files by their path in the repository.
type Files = BTreeMap<PathBuf, String>;

/// Brings every generated file up to date.
pub(crate) fn write(root: &Path) -> Result<(), Failure> {
    if registry::update(root)? {
        // This program was built with another list of rules: the pages are up to one that knows them all.
        return run(cargo(root, ["xtask", "docs"]));
    }
    let (wanted, present) = (wanted(root)?, present(root)?);
    for difference in differences(&wanted, &present) {
        let path = root.join(difference.path);
        let done = match wanted.get(difference.path) {
            Some(text) => create(&path, text),
            None => fs::remove_file(&path),
        };
        done.map_err(|error| Failure::new(format!("{}: {error}", path.display()), COMMAND))?;
        let past = if difference.what == "superfluous" { "removed" } else { "written" };
        println!("{past}: {}", difference.path.display());
    }
    println!("{} rules, {} files up to date", ALL.len(), wanted.len());
    Ok(())
}

/// Says which generated files are not up to date.
pub(crate) fn check(root: &Path) -> Result<(), Failure> {
    let (wanted, present) = (wanted(root)?, present(root)?);
    let differences = differences(&wanted, &present);
    if differences.is_empty() {
        println!("{} rules, {} files up to date", ALL.len(), wanted.len());
        return Ok(());
    }
    let lines = differences.iter().map(|it| format!("\n  {}: {}", it.what, it.path.display()));
    Err(Failure::new(
        format!("generated files differ from the rule sources:{}", lines.collect::<String>()),
        COMMAND,
    ))
}

/// A generated file that is not as it should be.
#[derive(Debug, PartialEq, Eq)]
struct Difference<'a> {
    what: &'static str,
    path: &'a Path,
}

fn differences<'a>(wanted: &'a Files, present: &'a Files) -> Vec<Difference<'a>> {
    let outdated = wanted.iter().filter_map(|(path, text)| match present.get(path) {
        None => Some(Difference { what: "missing", path }),
        Some(there) if there != text => Some(Difference { what: "stale", path }),
        Some(_) => None,
    });
    let superfluous = present.keys().filter(|path| !wanted.contains_key(*path));
    outdated.chain(superfluous.map(|path| Difference { what: "superfluous", path })).collect()
}

fn wanted(root: &Path) -> Result<Files, Failure> {
    let mut files = registry::wanted(root)?;
    for rule in ALL {
        let source = format!("{}/{}.rs", registry::RULES, rule.name.replace('-', "_"));
        let page = fs::read_to_string(root.join(&source))
            .map_err(|error| error.to_string())
            .and_then(|code| page::of_rule(rule, &code))
            .map_err(|error| Failure::new(format!("{source}: {error}"), COMMAND))?;
        files.insert(format!("{PAGES}/{}.md", rule.id).into(), page);
    }
    files.insert(format!("{PAGES}/README.md").into(), page::table(&ALL));
    files.insert(EMBEDDED.into(), page::embedded(&ALL));
    Ok(files)
}

fn present(root: &Path) -> Result<Files, Failure> {
    let unreadable = |path: &Path, error| Failure::new(format!("{}: {error}", path.display()), COMMAND);
    let directory = root.join(PAGES);
    let mut paths = vec![PathBuf::from(EMBEDDED)];
    paths.extend(registry::FILES.map(PathBuf::from));
    match fs::read_dir(&directory) {
        Ok(entries) => {
            for entry in entries {
                let entry = entry.map_err(|error| unreadable(&directory, error))?;
                paths.push(Path::new(PAGES).join(entry.file_name()));
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => (),
        Err(error) => return Err(unreadable(&directory, error)),
    }
    let mut files = Files::new();
    for path in paths {
        match fs::read(root.join(&path)) {
            Ok(bytes) => drop(files.insert(path, String::from_utf8_lossy(&bytes).into_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (),
            Err(error) => return Err(unreadable(&path, error)),
        }
    }
    Ok(files)
}

fn create(path: &Path, text: &str) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(path, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outdated_files_are_named() {
        let files =
            |of: &[(&str, &str)]| of.iter().map(|(path, text)| (path.into(), (*text).into())).collect();
        let wanted: Files = files(&[("a", "1"), ("b", "1"), ("c", "1")]);
        let present: Files = files(&[("b", "2"), ("c", "1"), ("d", "1")]);
        let found = differences(&wanted, &present);
        let found: Vec<_> = found.iter().map(|it| (it.what, it.path.to_str().unwrap())).collect();
        assert_eq!(found, [("missing", "a"), ("stale", "b"), ("superfluous", "d")]);
    }
}
