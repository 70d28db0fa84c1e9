//! The gate: everything that has to pass before a change goes in.
//!
//! What is quick and what fails often comes first. All steps build with the same profile, features and
//! flags, so that the dependencies are checked once (clippy, rustdoc) and built once (tests).

use std::path::Path;
use std::time::Instant;

use crate::process::{cargo, run as command};
use crate::{Failure, dependencies, docs};

struct Step {
    name: &'static str,
    run: fn(&Path) -> Result<(), Failure>,
}

const STEPS: [Step; 6] = [
    Step { name: "format", run: format },
    Step { name: "docs", run: docs::check },
    Step { name: "dependencies", run: dependencies::check },
    Step { name: "clippy", run: clippy },
    Step { name: "rustdoc", run: rustdoc },
    Step { name: "tests", run: tests },
];

/// Runs these steps, or all where none is named, and stops at the first that fails.
pub(crate) fn run(root: &Path, only: &[&str]) -> Result<(), Failure> {
    if let Some(unknown) = only.iter().find(|name| !STEPS.iter().any(|step| step.name == **name)) {
        let names = STEPS.map(|step| step.name).join(", ");
        return Err(Failure::new(
            format!("the gate has no step `{unknown}`; it has {names}"),
            "cargo xtask ci",
        ));
    }
    let started = Instant::now();
    let steps = || STEPS.iter().filter(|step| only.is_empty() || only.contains(&step.name));
    for (number, Step { name, run }) in steps().enumerate() {
        println!("== {}/{} {name}", number + 1, steps().count());
        let step = Instant::now();
        run(root)?;
        println!("   {name}: passed in {:.1} s\n", step.elapsed().as_secs_f32());
    }
    println!(
        "{} of the gate's {} steps have passed in {:.0} s",
        steps().count(),
        STEPS.len(),
        started.elapsed().as_secs_f32()
    );
    Ok(())
}

fn format(root: &Path) -> Result<(), Failure> {
    command(cargo(root, ["fmt", "--all", "--check"]))
        .map_err(|_| Failure::new("some files are not formatted", "cargo fmt --all"))
}

fn clippy(root: &Path) -> Result<(), Failure> {
    command(cargo(root, ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))
}

fn rustdoc(root: &Path) -> Result<(), Failure> {
    let mut doc = cargo(root, ["doc", "--workspace", "--no-deps", "--locked"]);
    doc.env("RUSTDOCFLAGS", "-Dwarnings");
    command(doc)
}

fn tests(root: &Path) -> Result<(), Failure> {
    command(cargo(root, ["test", "--workspace", "--locked"]))
}
