//! `crosspipe lint`: every fault that files of facts prove.
//!
//! # Layout
//! - this file: reads and judges
//! - [`text`], [`json`], [`sarif`]: one file per format

mod json;
mod sarif;
mod text;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use crosspipe_core::rules::{Facts, Finding, Severity, StatementForm, Unknown, run as judge};

use crate::causes::Entry;
use crate::excerpt::excerpt;
use crate::input::{Document, InputError};
use crate::live::{self, Live, LiveError, Reach};
use crate::output::{self, Answer};
use crate::page;
use crate::source_location::SourceLocation;
use crate::statements::Statements;
use crate::text::Text;

const EXPECTED: &str =
    "a snapshot, or the output of `aws codepipeline get-pipeline --name <pipeline>` (structure rules only)";

const EXAMPLES: &str = "\
Examples:
  crosspipe lint --pipeline my-pipeline --diagnostics-role CrosspipeDiagnosticsRole

  crosspipe snapshot --pipeline my-pipeline --diagnostics-role CrosspipeDiagnosticsRole > snapshot.json
  crosspipe lint snapshot.json --show-fixes
  crosspipe lint snapshot.json --statements terraform

  aws codepipeline get-pipeline --name my-pipeline > pipeline.json
  crosspipe lint pipeline.json

  crosspipe lint --format sarif snapshots/*.json > crosspipe.sarif
  crosspipe lint --format html snapshot.json > crosspipe.html

Exit codes: 0 nothing at error level, 1 findings at error level, 2 a file that can't be used";

/// Finds the faults that make cross-account deploys fail, in snapshots or `get-pipeline` outputs
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Snapshots or outputs of `aws codepipeline get-pipeline`; `-` is standard input
    #[arg(required_unless_present = "pipeline", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Reads this pipeline from AWS instead, as `crosspipe snapshot` does
    #[arg(long, value_name = "NAME", conflicts_with = "files")]
    pipeline: Option<String>,
    #[command(flatten)]
    reach: Reach,
    /// Prints the scripts of the fixes, too
    #[arg(long)]
    show_fixes: bool,
    /// How findings are shown
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    statements: Statements,
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
    /// One page that needs nothing else, with the access path drawn
    Html,
}

/// What was found in one file. The file itself is let go, so that memory does not grow with what is fine.
struct Linted {
    file: String,
    findings: Vec<Located>,
    unknown: Vec<Unknown>,
    /// Its part of the page, where a page is asked for.
    section: Option<page::Section>,
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
pub(crate) fn run(arguments: &Arguments) -> Answer {
    let mut linted = vec![];
    let mut problems = vec![];
    let mut notes = vec![];
    let form = arguments.statements.form();
    let is_page = arguments.format == Format::Html;
    for file in &arguments.files {
        let page_number = is_page.then_some(linted.len());
        match Document::read(file, EXPECTED).and_then(|document| lint_document(&document, page_number, form))
        {
            Ok(done) => linted.push(done),
            Err(problem) => problems.push(problem.to_string()),
        }
    }
    if let Some(name) = &arguments.pipeline {
        match lint_live(name, &arguments.reach, is_page.then_some(0), form) {
            Ok((done, unread)) => {
                linted.push(done);
                notes = unread;
            }
            Err(problem) => problems.push(problem.to_string()),
        }
    }
    let faulty = number_of(&linted, Severity::Error) > 0;
    let text = match arguments.format {
        _ if linted.is_empty() => Text::default(),
        Format::Text => text::show(&linted, arguments.show_fixes),
        Format::Json => json::show(&linted, arguments.files.len() > 1).into(),
        Format::Sarif => sarif::show(&linted, &problems).into(),
        Format::Html => {
            page::of_lint(linted.iter_mut().filter_map(|file| file.section.take()).collect()).into()
        }
    };
    Answer { text, problems, notes, faulty }
}

/// Lints a pipeline as it is in AWS now; also says what could not be read. Places are those of the snapshot
/// that `crosspipe snapshot` would write.
fn lint_live(
    name: &str,
    reach: &Reach,
    page_number: Option<usize>,
    form: StatementForm,
) -> Result<(Linted, Vec<String>), LiveError> {
    let Live { snapshot, notes } = live::read_pipeline(name, None, reach, "crosspipe-lint")?;
    let bytes = output::to_json(&serde_json::json!(snapshot)).into_bytes();
    let document = Document::parse(name.to_owned(), bytes, EXPECTED)?;
    Ok((lint_document(&document, page_number, form)?, notes))
}

/// `page_number` is that of the file among those of the page, where a page is asked for.
fn lint_document(
    document: &Document,
    page_number: Option<usize>,
    form: StatementForm,
) -> Result<Linted, InputError> {
    let snapshot = document.snapshot()?;
    let pipeline = snapshot.pipeline().map_err(|error| document.wrong_at("", error.to_string()))?;
    let facts = Facts::new(&snapshot, &pipeline);
    let mut diagnostics = judge(&facts);
    let findings = std::mem::take(&mut diagnostics.findings).into_iter();
    diagnostics.findings = findings.map(|finding| finding.with_statement_form(form)).collect();
    let section = page_number.map(|number| {
        let entry = |finding| Entry { finding, confidence: None };
        let entries: Vec<Entry<'_>> = diagnostics.findings.iter().map(entry).collect();
        page::pipeline_section((number, document.name()), &facts, &entries, &diagnostics.unknown)
    });
    let findings =
        diagnostics.findings.into_iter().map(|finding| locate_finding(document, finding)).collect();
    Ok(Linted { file: document.name().to_owned(), findings, unknown: diagnostics.unknown, section })
}

fn locate_finding(document: &Document, finding: Finding) -> Located {
    let place = document.place(&finding.location);
    let line = document.line(place.line);
    let utf16_column = document.utf16_column(place);
    Located { finding, place, utf16_column, excerpt: excerpt(&line, place) }
}

fn number_of(linted: &[Linted], severity: Severity) -> usize {
    let findings = linted.iter().flat_map(|file| &file.findings);
    findings.filter(|located| located.finding.severity == severity).count()
}
