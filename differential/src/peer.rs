//! A program that answers lines of JSON with lines of JSON, in a process of its own.

use std::io::{BufRead, BufReader, Error, Result, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

/// A running program.
pub(crate) struct Peer {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts the program.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let pipes = process.stdin.take().zip(process.stdout.take());
        let (questions, answers) = pipes.ok_or_else(|| Error::other("it has no pipes"))?;
        Ok(Peer { process, questions, answers: BufReader::new(answers) })
    }

    /// Sends lines.
    pub(crate) fn send(&mut self, lines: &str) -> Result<()> {
        self.questions.write_all(lines.as_bytes())?;
        self.questions.flush()
    }

    /// Reads the next line.
    pub(crate) fn answer(&mut self) -> Result<Value> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        serde_json::from_str(&line).map_err(|_| Error::other("it stopped answering: see its message above"))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It reads until its input ends; a process that is gone already is as good.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
