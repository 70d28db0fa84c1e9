//! The independent evaluator: installed under `target/`, run as a process of its own.

use std::fs;
use std::io::{BufRead, BufReader, Error, Result, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

const PACKAGE: &str = include_str!("../oracle/package.json");
const PROGRAM: &str = include_str!("../oracle/oracle.mjs");

/// A running evaluator.
pub struct Oracle {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Oracle {
    /// Installs the evaluator if it is not there yet, and starts it.
    pub fn start(folder: &Path) -> Result<Self> {
        install(folder)?;
        let mut process = Command::new("node")
            .arg("oracle.mjs")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| {
                Error::other(format!("can't start `node` ({error}): Node.js 20 or later is needed"))
            })?;
        let pipes = process.stdin.take().zip(process.stdout.take());
        let (questions, answers) = pipes.ok_or_else(|| Error::other("`node` has no pipes"))?;
        Ok(Oracle { process, questions, answers: BufReader::new(answers) })
    }

    /// What the evaluator decides, question by question. The answers to one batch fit into a pipe.
    pub fn ask(&mut self, questions: &[Value]) -> Result<Vec<String>> {
        let mut decisions = Vec::with_capacity(questions.len());
        for batch in questions.chunks(200) {
            let lines: String = batch.iter().map(|question| format!("{question}\n")).collect();
            self.questions.write_all(lines.as_bytes())?;
            self.questions.flush()?;
            for _ in batch {
                let mut line = String::new();
                self.answers.read_line(&mut line)?;
                let decision: String = serde_json::from_str(&line)
                    .map_err(|_| Error::other("the evaluator stopped answering: see its message above"))?;
                decisions.push(decision);
            }
        }
        Ok(decisions)
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // It reads until its input ends; a process that is gone already is as good.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn install(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("oracle.mjs"), PROGRAM)?;
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
        .map_err(|error| Error::other(format!("can't start `npm` ({error})")))?;
    if status.success() { Ok(()) } else { Err(Error::other(format!("`npm install` failed: {status}"))) }
}
