//! What we build on: licences, bans, sources, security advisories and yanked versions.
//!
//! # Layout
//! - this file: `cargo-deny`, installed under `target/tools` at the version named here
//! - [`yanked`]: yanked versions, by the registry's index alone
//!
//! The policy is `deny.toml`.

mod yanked;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::Failure;
use crate::process::{cargo, run, run_for};

const CARGO_DENY: &str = "0.20.2";

/// How long to wait for the advisory database before going on without it.
const DATABASE: Duration = Duration::from_secs(60);

/// Checks everything about the dependencies.
pub(crate) fn check(root: &Path) -> Result<(), Failure> {
    let deny = install(root)?;
    // Offline checks look at the crates of every platform; a build downloads those of one.
    run(cargo(root, ["fetch", "--quiet", "--locked"]))?;
    run(offline(root, &deny, &["bans", "licenses", "sources"]))?;
    advisories(root, &deny)?;
    yanked::check(root)
}

/// Installs `cargo-deny`, unless that version is there already.
fn install(root: &Path) -> Result<PathBuf, Failure> {
    let tools = root.join("target/tools");
    let program = tools.join("bin/cargo-deny").with_extension(std::env::consts::EXE_EXTENSION);
    let version = Command::new(&program).arg("--version").output();
    let wanted = format!("cargo-deny {CARGO_DENY}");
    if version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim() == wanted) {
        return Ok(program);
    }
    println!("   installing {wanted} under target/tools; this takes some minutes, once");
    let version = format!("={CARGO_DENY}");
    let arguments = ["install", "cargo-deny", "--version", &version, "--locked", "--debug", "--root"];
    let mut install = cargo(root, arguments);
    install.arg(&tools);
    run(install)?;
    Ok(program)
}

/// Checks that need nothing from outside.
fn offline(root: &Path, deny: &Path, checks: &[&str]) -> Command {
    let mut command = Command::new(deny);
    command.current_dir(root).args(["--locked", "--offline", "check", "--hide-inclusion-graph"]).args(checks);
    command
}

/// Security advisories. Their database comes by git; where it can't be had, that is said and no more:
/// the gate has to work behind a registry mirror, too.
fn advisories(root: &Path, deny: &Path) -> Result<(), Failure> {
    let mut fetch = Command::new(deny);
    fetch.current_dir(root).args(["fetch", "db"]);
    // Ask nobody for a password, and give up on a connection that stalls.
    fetch
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_HTTP_LOW_SPEED_LIMIT", "1000")
        .env("GIT_HTTP_LOW_SPEED_TIME", "20");
    let fetched = run_for(fetch, DATABASE, &root.join("target/tools/advisories.log"))?;
    if fetched.status.is_some_and(|status| status.success()) {
        return run(offline(root, deny, &["advisories"]));
    }
    // What was fetched in part would be in the way of the next attempt; whether it is gone, that will tell.
    let _ = std::fs::remove_dir_all(root.join("target/tools/advisories"));
    println!("advisories: not checked, the database can't be reached (see target/tools/advisories.log)");
    Ok(())
}
