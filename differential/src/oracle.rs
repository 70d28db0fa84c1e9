//! The independent evaluator: installed under `target/`, run as a process of its own.

use std::fs;
use std::io::{Error, Result};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::peer::Peer;

const PACKAGE: &str = include_str!("../oracle/package.json");
const PROGRAMS: [(&str, &str); 3] = [
    ("engine.mjs", include_str!("../oracle/engine.mjs")),
    ("oracle.mjs", include_str!("../oracle/oracle.mjs")),
    ("timing.mjs", include_str!("../oracle/timing.mjs")),
];

/// A running evaluator.
pub(crate) struct Oracle(Peer);

impl Oracle {
    /// Installs the evaluator if it is not there yet, and starts it.
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        Ok(Oracle(start(folder, "oracle.mjs", &[])?))
    }

    /// What the evaluator decides, question by question. The answers to one batch fit into a pipe.
    pub(crate) fn ask(&mut self, questions: &[Value]) -> Result<Vec<String>> {
        let mut decisions = Vec::with_capacity(questions.len());
        for batch in questions.chunks(200) {
            let lines: String = batch.iter().map(|question| format!("{question}\n")).collect();
            self.0.send(&lines)?;
            for _ in batch {
                decisions.push(self.0.answer()?.as_str().unwrap_or_default().to_owned());
            }
        }
        Ok(decisions)
    }
}

/// Installs the evaluator if it is not there yet, and starts one of its programs.
pub(crate) fn start(folder: &Path, program: &str, arguments: &[&Path]) -> Result<Peer> {
    install(folder)?;
    let mut node = Command::new("node");
    node.arg(program).args(arguments).current_dir(folder);
    Peer::start(&mut node)
        .map_err(|error| Error::other(format!("can't start `node` ({error}): Node.js 20 or later is needed")))
}

fn install(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    for (name, program) in PROGRAMS {
        fs::write(folder.join(name), program)?;
    }
    let package = folder.join("package.json");
    let is_there = fs::read_to_string(&package).is_ok_and(|text| text == PACKAGE);
    if is_there && folder.join("node_modules/.package-lock.json").exists() {
        return Ok(());
    }
    fs::write(&package, PACKAGE)?;
    let status = Command::new("npm")
        .args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"])
        .current_dir(folder)
        .status()
        .map_err(|error| {
            Error::other(format!("can't start `npm` ({error}): it comes with Node.js 20 or later"))
        })?;
    if status.success() { Ok(()) } else { Err(Error::other(format!("`npm install` failed: {status}"))) }
}
