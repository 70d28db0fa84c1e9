//! Developer commands of this repository.
//!
//! # Layout
//! - [`docs`]: registry and pages of the rules, generated from their sources
//! - [`new_rule`]: scaffolds a rule and its fixtures
//! - [`ci`]: the gate, the same here and in CI
//! - [`dependencies`]: licences, bans, sources, advisories and yanked versions of what we build on
//! - [`process`]: runs other programs
//!
//! What it installs goes under `target/`, so that a clean clone needs nothing but a Rust toolchain.

mod ci;
mod dependencies;
mod docs;
mod new_rule;
mod process;

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

const HELP: &str = "\
usage: cargo xtask <command>

  docs           generates docs/rules, what `crosspipe explain` shows and the lists of rules and fixtures
  docs --check   says which of those files are out of date
  new-rule <id> <name>   scaffolds a rule and its fixtures
  ci             the gate: everything that has to pass before a change goes in
  ci <step>…     some of its steps: format, docs, dependencies, clippy, rustdoc, tests";

/// Why a command failed, and the command that fixes or repeats it.
#[derive(Debug)]
struct Failure {
    message: String,
    run: String,
}

impl Failure {
    fn new(message: impl Into<String>, run: impl Into<String>) -> Self {
        Failure { message: message.into(), run: run.into() }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["docs"] => docs::write(&root()),
        ["docs", "--check"] => docs::check(&root()),
        ["new-rule", id, name] => new_rule::run(&root(), id, name),
        ["ci", steps @ ..] => ci::run(&root(), steps),
        [] | ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        other => Err(Failure::new(format!("there is no command `{}`", other.join(" ")), "cargo xtask help")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {}\n  run: {}", failure.message, failure.run);
            ExitCode::FAILURE
        }
    }
}

/// The repository. Cargo says at run time where this package is; a clone that shares its target
/// directory with another one would otherwise work on the wrong one.
fn root() -> PathBuf {
    let package =
        env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    package.parent().map_or_else(|| package.clone(), PathBuf::from)
}
