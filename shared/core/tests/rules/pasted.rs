//! The script of a fix, pasted: bash runs it over an `aws` that reads and writes the snapshot.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crosspipe_core::rules::{Finding, Severity};
use crosspipe_testing::walkthrough::KEY;
use serde_json::Value;

const AWS: &str = include_str!("aws.py");

/// Scripts that were run: many fixtures lead to the same one.
static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// What is wrong with the script of a finding: it can't be read, it fails, what it was for is still there, or
/// another fault is.
pub(crate) fn problem(
    finding: &Finding,
    before: &[Finding],
    snapshot: &Value,
    lint: impl FnOnce(Value) -> Vec<Finding>,
) -> Option<String> {
    let command = finding.command.as_ref()?;
    let key = format!("{command}{snapshot}");
    if !SEEN.lock().unwrap_or_else(PoisonError::into_inner).insert(key) {
        return None;
    }
    let part = finding.fix.split("\n\n").any(|part| part == command);
    if !part || !command.starts_with("# in ") {
        return Some(format!("the script is no part of its own:\n{}", finding.fix));
    }
    let folder = Folder::new();
    let (state, aws) = (folder.0.join("snapshot.json"), folder.0.join("aws"));
    fs::write(&state, snapshot.to_string()).unwrap();
    let python = python();
    std::os::unix::fs::symlink(python, folder.0.join("python3")).unwrap();
    fs::write(&aws, format!("#!{python} -IS\n{AWS}")).unwrap();
    fs::set_permissions(&aws, fs::Permissions::from_mode(0o755)).unwrap();
    let only_shows = !command.contains("(set -e");
    if let Err(error) = bash(command, only_shows, &folder.0) {
        return Some(format!("{error}\n{command}"));
    }
    // What an event rule read in a message is still in it.
    if only_shows || finding.rule.as_str().starts_with("EV") {
        return None;
    }
    let fixed = serde_json::from_slice(&fs::read(&state).unwrap()).unwrap();
    let found = lint(fixed);
    if found.iter().any(|it| is_same(it, finding)) {
        return Some(format!("the fault is still there after\n{command}"));
    }
    let new = |it: &&Finding| it.severity == Severity::Error && !before.iter().any(|old| is_same(old, it));
    let new = found.iter().find(new)?;
    Some(format!("{} at {}: {} is new after\n{command}", new.rule, new.location, new.because))
}

fn is_same(a: &Finding, b: &Finding) -> bool {
    (a.rule, &a.location) == (b.rule, &b.location)
}

fn bash(command: &str, only_read: bool, folder: &Path) -> Result<(), String> {
    let path = std::env::var("PATH").unwrap();
    let output = Command::new("bash")
        .args(if only_read { &["-n", "-c"][..] } else { &["-c"][..] })
        .arg(command)
        .env("PATH", format!("{}:{path}", folder.display()))
        .env("TMPDIR", folder)
        .env("SNAPSHOT", folder.join("snapshot.json"))
        .env("KEY", KEY)
        .env("ACCOUNT", command.get("# in account ".len()..).and_then(|it| it.get(..12)).unwrap())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() && printed.is_empty() { Ok(()) } else { Err(printed) }
}

/// The interpreter itself: a version manager's wrapper takes longer than what is run.
fn python() -> &'static str {
    static FOUND: OnceLock<String> = OnceLock::new();
    FOUND.get_or_init(|| {
        let found =
            Command::new("python3").args(["-c", "import sys; print(sys.executable, end='')"]).output();
        let found =
            found.unwrap_or_else(|error| panic!("python3 is needed to run the scripts of fixes: {error}"));
        String::from_utf8(found.stdout).unwrap()
    })
}

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("pasted-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
