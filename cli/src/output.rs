//! What a subcommand answers with: text for standard output, problems for standard error, an exit code.

use std::io::{ErrorKind, Write, stderr, stdout};
use std::process::ExitCode;

use clap::ValueEnum;
use crosspipe_core::rules::Severity;

use crate::input::InputError;

/// How findings are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// The answer of a subcommand.
#[derive(Debug, Default)]
pub struct Answer {
    /// What goes to standard output.
    pub text: String,
    /// Why some input could not be used.
    pub problems: Vec<InputError>,
    /// Whether there are findings at error level.
    pub faulty: bool,
}

impl Answer {
    /// An answer that finds no fault.
    pub fn of(text: String) -> Self {
        Answer { text, ..Answer::default() }
    }

    /// Writes the answer and makes its exit code. A reader that has gone away, such as `head`, is no problem.
    pub fn give(self) -> ExitCode {
        let mut unusable = !self.problems.is_empty();
        if let Err(error) = stdout().write_all(printable(&self.text).as_bytes())
            && error.kind() != ErrorKind::BrokenPipe
        {
            let _ = writeln!(stderr(), "error: standard output can't be written: {error}");
            unusable = true;
        }
        for problem in self.problems {
            let _ = writeln!(stderr(), "{}", printable(&format!("error: {problem}")));
        }
        ExitCode::from(if unusable { 2 } else { u8::from(self.faulty) })
    }
}

/// Names come from files, and a terminal obeys control characters: they are shown, not sent.
fn printable(text: &str) -> String {
    let shown = |c: char| if c.is_control() && c != '\n' { c.escape_unicode().to_string() } else { c.into() };
    text.chars().map(shown).collect()
}

/// A severity as it is written everywhere.
pub fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// `1 error`, `2 errors`.
pub fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Indents every line that is not empty.
pub fn indented(text: &str, by: usize) -> String {
    let line = |line: &str| if line.is_empty() { "\n".to_owned() } else { format!("{:by$}{line}\n", "") };
    text.lines().map(line).collect()
}
