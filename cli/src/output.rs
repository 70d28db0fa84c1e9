//! What a subcommand answers with: text for standard output, problems for standard error, an exit code.

use std::fmt::Display;
use std::io::{ErrorKind, Write, stderr, stdout};
use std::process::ExitCode;

use clap::ValueEnum;
use crosspipe_core::rules::Severity;
use serde_json::Value;

use crate::text::{Style, Text, colours, printable, printable_json};

/// How a report is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// The answer of a subcommand.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// What goes to standard output.
    pub text: Text,
    /// Why some input could not be used.
    pub problems: Vec<String>,
    /// What to know beside the answer, for standard error.
    pub notes: Vec<String>,
    /// Whether there are findings at error level.
    pub faulty: bool,
}

impl Answer {
    /// An answer that finds no fault.
    pub(crate) fn of(text: impl Into<Text>) -> Self {
        Answer { text: text.into(), ..Answer::default() }
    }

    /// The answer where the input can't be used.
    pub(crate) fn unusable(problem: impl Display) -> Self {
        Answer { problems: vec![problem.to_string()], ..Answer::default() }
    }

    /// Writes the answer and makes its exit code. A reader that has gone away, such as `head`, is no problem.
    pub(crate) fn give(self) -> ExitCode {
        let mut unusable = !self.problems.is_empty();
        if let Err(error) = stdout().write_all(self.text.render(colours()).as_bytes())
            && error.kind() != ErrorKind::BrokenPipe
        {
            write_to_stderr("error", &format!("standard output can't be written: {error}"));
            unusable = true;
        }
        for note in self.notes {
            write_to_stderr("note", &note);
        }
        for problem in self.problems {
            write_to_stderr("error", &problem);
        }
        ExitCode::from(if unusable { 2 } else { u8::from(self.faulty) })
    }
}

/// Writes a line to standard error.
fn write_to_stderr(kind: &str, message: &str) {
    let _ = writeln!(stderr(), "{}", printable(&format!("{kind}: {message}")));
}

/// JSON for programs that a person can read, too.
pub(crate) fn to_json(value: &Value) -> String {
    printable_json(&format!("{value:#}\n"))
}

/// A severity as it is written everywhere.
pub(crate) fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// A severity as it looks.
pub(crate) fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Warning => Style::Warning,
        Severity::Error => Style::Error,
    }
}

/// `1 error`, `2 errors`.
pub(crate) fn count_of(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Indents every line that is not empty.
pub(crate) fn indent(text: &str, by: usize) -> String {
    let line = |line: &str| if line.is_empty() { "\n".to_owned() } else { format!("{:by$}{line}\n", "") };
    text.lines().map(line).collect()
}
