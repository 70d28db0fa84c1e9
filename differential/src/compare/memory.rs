//! What a process that lints many snapshots, one after the other, needs at most.

use std::fs;
use std::path::Path;
use std::process::Command;

use crosspipe_testing::walkthrough::numbered;

use super::ours::{findings, snapshot};

/// How we ask ourselves.
pub(super) const OPTION: &str = "--memory";

const STATUS: &str = "/proc/self/status";

/// How many snapshots are linted, and the largest resident set of that process in KiB; nothing where the
/// system does not tell.
pub(super) fn measure() -> Result<Vec<(u32, u64)>, String> {
    if !Path::new(STATUS).exists() {
        return Ok(vec![]);
    }
    [10, 100, 1_000, 10_000].into_iter().map(|number| Ok((number, of_child(number)?))).collect()
}

/// Lints that many snapshots and prints what this process needed.
pub(super) fn child(number: u32) -> Result<(), String> {
    for number in 0..number {
        if findings(&snapshot(&numbered(number))?) != 0 {
            return Err(format!("snapshot {number} has findings"));
        }
    }
    let status = fs::read_to_string(STATUS).map_err(|error| error.to_string())?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB"));
    println!("{}", peak.ok_or("/proc/self/status has no VmHWM")?.trim());
    Ok(())
}

/// A process has one high-water mark, so each number has its own.
fn of_child(number: u32) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let number = number.to_string();
    let output = Command::new(program).args(["compare", OPTION, &number]).output();
    let output = output.map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())
}
