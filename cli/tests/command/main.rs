//! The built binary, as its users run it.
//!
//! # Layout
//! - this file: runs the binary on files
//! - [`init`], [`lint`], [`sarif`], [`diagnose`], [`evaluate`], [`explain`], [`snapshot`], [`completions`]: the subcommands
//! - [`schema`]: as much of JSON Schema as SARIF's needs
//! - [`page`]: `--format html`; [`browser`]: a headless Chromium
//! - [`fake_aws`]: an AWS on this machine that answers what it is told
//! - [`walkthrough`]: the table in docs/walkthrough.md
//! - [`bad_input`]: bytes of any kind, to any subcommand

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that can't run the binary on its fixtures has failed"
)]

mod bad_input;
mod browser;
mod completions;
mod diagnose;
mod evaluate;
mod explain;
mod fake_aws;
mod init;
mod lint;
mod page;
mod report_schema;
mod sarif;
mod schema;
mod snapshot;
mod walkthrough;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crosspipe_testing::walkthrough::{BUCKET, KEY, corrected};
use serde_json::Value;

/// What a run came to.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }

    /// Exit code 2, and a message that says all of this.
    #[track_caller]
    fn unusable(&self, says: &[&str]) {
        assert_eq!(self.code, Some(2), "{}{}", self.out, self.err);
        for part in says {
            assert!(self.err.contains(part), "`{part}` is not in: {}", self.err);
        }
        assert!(!self.err.contains("panicked"), "{}", self.err);
    }
}

impl From<Output> for Ran {
    fn from(Output { status, stdout, stderr }: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { code: status.code(), out: text(stdout), err: text(stderr) }
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crosspipe"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Ran {
    command(arguments).output().unwrap().into()
}

/// Runs on these bytes of standard input.
fn run_on(arguments: &[&str], input: &[u8]) -> Ran {
    let mut command = command(arguments);
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Beside the reading: more than a pipe holds would wait for it.
    std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input));
        child.wait_with_output().unwrap().into()
    })
}

/// A file that is gone at the end of its test.
struct Temporary(PathBuf);

impl Temporary {
    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn file(content: impl AsRef<[u8]>) -> Temporary {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("{}-{}.json", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, content).unwrap();
    Temporary(path)
}

fn json_file(content: &Value) -> Temporary {
    file(format!("{content:#}"))
}

/// The walkthrough without the key policy's statement for the target account.
fn without_key_grant() -> Value {
    let mut snapshot = corrected();
    snapshot["keys"][KEY]["policy"]["Statement"].as_array_mut().unwrap().pop();
    snapshot
}

/// The walkthrough without the bucket policy's statements for the target account.
fn without_bucket_grant() -> Value {
    let mut snapshot = corrected();
    snapshot["buckets"][BUCKET]["policy"]["Statement"].as_array_mut().unwrap().truncate(2);
    snapshot
}
