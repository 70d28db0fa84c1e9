//! `crosspipe lint`: every fault that files of facts prove.
//!
//! # Layout
//! - this file: reads and judges
//! - [`text`], [`json`], [`sarif`]: one file per format

mod json;
mod sarif;
mod text;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use crosspipe_core::rules::{Finding, Severity, Unknown, lint as judge};

use crate::excerpt::excerpt;
use crate::input::{Document, InputError};
use crate::output::Answer;
use crate::source_location::SourceLocation;
use crate::text::Text;

const EXPECTED: &str =
    "a snapshot, or the output of `aws codepipeline get-pipeline --name <pipeline>` (structure rules only)";

const EXAMPLES: &str = "\
Examples:
  aws codepipeline get-pipeline --name my-pipeline > pipeline.json
  crosspipe lint pipeline.json

  crosspipe snapshot --pipeline my-pipeline --diagnostics-role CrosspipeDiagnostics > snapshot.json
  crosspipe lint snapshot.json

  crosspipe lint --format sarif snapshots/*.json > crosspipe.sarif

Exit codes: 0 nothing at error level, 1 findings at error level, 2 a file that can't be used";

/// Finds the faults that make cross-account deploys fail, in snapshots or `get-pipeline` outputs
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Snapshots or outputs of `aws codepipeline get-pipeline`; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How findings are shown
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// How findings are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
    /// For GitHub code scanning and others that read SARIF 2.1.0
    Sarif,
}

/// What was found in one file. The file itself is let go, so that memory does not grow with what is fine.
struct Linted {
    file: String,
    findings: Vec<Located>,
    unknown: Vec<Unknown>,
}

/// A finding and where it is in its file.
struct Located {
    finding: Finding,
    place: SourceLocation,
    /// The column as SARIF counts it.
    utf16_column: usize,
    /// The line, for people.
    excerpt: Text,
}

/// Lints each file; one that can't be used does not keep the others from it.
pub fn run(arguments: &Arguments) -> Answer {
    let mut linted = vec![];
    let mut problems = vec![];
    for file in &arguments.files {
        match lint(file) {
            Ok(done) => linted.push(done),
            Err(problem) => problems.push(problem.to_string()),
        }
    }
    let text = match arguments.format {
        _ if linted.is_empty() => Text::default(),
        Format::Text => text::show(&linted),
        Format::Json => json::show(&linted, arguments.files.len() > 1).into(),
        Format::Sarif => sarif::show(&linted, &problems).into(),
    };
    Answer { text, problems, faulty: number_of(&linted, Severity::Error) > 0, ..Answer::default() }
}

fn lint(file: &Path) -> Result<Linted, InputError> {
    let document = Document::read(file, EXPECTED)?;
    let verdicts = judge(&document.snapshot()?).map_err(|error| document.wrong_at("", error.to_string()))?;
    let findings = verdicts.findings.into_iter().map(|finding| locate(&document, finding)).collect();
    Ok(Linted { file: document.name().to_owned(), findings, unknown: verdicts.unknown })
}

fn locate(document: &Document, finding: Finding) -> Located {
    let place = document.place(&finding.location);
    let line = document.line(place.line);
    let utf16_column = sarif::utf16_column(&line, place.column);
    Located { finding, place, utf16_column, excerpt: excerpt(&line, place) }
}

fn number_of(linted: &[Linted], severity: Severity) -> usize {
    let findings = linted.iter().flat_map(|file| &file.findings);
    findings.filter(|located| located.finding.severity == severity).count()
}
