//! `crosspipe lint`: every fault that files of facts prove.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use crosspipe_core::rules::{Finding, Severity, Unknown, Verdicts, lint as judge};
use serde_json::{Value, json};

use crate::input::{Document, InputError};
use crate::output::{Answer, Format, count, indented, severity};

const EXPECTED: &str =
    "a snapshot, or the output of `aws codepipeline get-pipeline --name <pipeline>` (structure rules only)";

const EXAMPLES: &str = "\
Examples:
  aws codepipeline get-pipeline --name my-pipeline > pipeline.json
  crosspipe lint pipeline.json
  crosspipe lint --format json snapshots/*.json";

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

/// What was found in one file.
struct Linted {
    document: Document,
    verdicts: Verdicts,
}

/// Lints each file; one that can't be used does not keep the others from it.
pub fn run(arguments: &Arguments) -> Answer {
    let mut linted = vec![];
    let mut problems = vec![];
    for file in &arguments.files {
        match lint(file) {
            Ok(done) => linted.push(done),
            Err(problem) => problems.push(problem),
        }
    }
    let text = match arguments.format {
        _ if linted.is_empty() => String::new(),
        Format::Text => to_text(&linted),
        Format::Json => to_json(&linted, arguments.files.len() > 1),
    };
    Answer { text, problems, faulty: number_of(&linted, Severity::Error) > 0 }
}

fn lint(file: &Path) -> Result<Linted, InputError> {
    let document = Document::read(file, EXPECTED)?;
    let verdicts = judge(&document.snapshot()?).map_err(|error| document.wrong_at("", error.to_string()))?;
    Ok(Linted { document, verdicts })
}

fn number_of(linted: &[Linted], severity: Severity) -> usize {
    let findings = linted.iter().flat_map(|file| &file.verdicts.findings);
    findings.filter(|finding| finding.severity == severity).count()
}

/// One list of findings and one of what could not be judged. Of several files, each entry names its own.
fn to_json(linted: &[Linted], several: bool) -> String {
    let entry = |file: &Linted, mut entry: Value| {
        if let Some(members) = entry.as_object_mut().filter(|_| several) {
            members.insert("file".into(), file.document.name().into());
        }
        entry
    };
    let mut findings = vec![];
    let mut unknown = vec![];
    for file in linted {
        findings.extend(file.verdicts.findings.iter().map(|it| entry(file, finding_json(it))));
        unknown.extend(file.verdicts.unknown.iter().map(|it| entry(file, json!(it))));
    }
    format!("{:#}\n", json!({"findings": findings, "unknown": unknown}))
}

fn finding_json(finding: &Finding) -> Value {
    json!({
        "rule": finding.rule,
        "name": finding.name,
        "severity": finding.severity,
        "location": finding.location,
        "message": finding.message,
        "because": finding.because,
        "fix": finding.fix,
        "docs": finding.docs,
    })
}

fn to_text(linted: &[Linted]) -> String {
    let mut text = String::new();
    for Linted { document, verdicts } in linted {
        for finding in &verdicts.findings {
            text.push_str(&finding_text(document, finding));
        }
        text.push_str(&unknown_text(document, &verdicts.unknown));
    }
    let (errors, warnings) = (number_of(linted, Severity::Error), number_of(linted, Severity::Warning));
    let unknown: usize = linted.iter().map(|file| missing(&file.verdicts.unknown).len()).sum();
    let _ = writeln!(
        text,
        "{}: {}, {}, {} not known",
        count(linted.len(), "file"),
        count(errors, "error"),
        count(warnings, "warning"),
        count(unknown, "part")
    );
    if let Some(first) = linted.iter().flat_map(|file| &file.verdicts.findings).next() {
        let _ = writeln!(
            text,
            "next: apply the fixes and lint again; `crosspipe explain {}` says more about the first",
            first.rule
        );
    } else if unknown > 0 {
        text.push_str("next: lint a snapshot that has these parts, too\n");
    }
    text
}

fn finding_text(document: &Document, finding: &Finding) -> String {
    let place = document.place(&finding.location);
    format!(
        "{}[{}]: {}\n  at {}:{}:{}: {}\n{}{}\n  fix:\n{}\n",
        severity(finding.severity),
        finding.rule,
        finding.name,
        document.name(),
        place.line,
        place.column,
        finding.location,
        indented(&finding.message, 2),
        indented(&format!("because {}", finding.because), 2),
        indented(&finding.fix, 4),
    )
}

fn unknown_text(document: &Document, unknown: &[Unknown]) -> String {
    let missing = missing(unknown);
    if missing.is_empty() {
        return String::new();
    }
    let mut text = format!("not judged in {}, because these parts are not known:\n", document.name());
    for (part, rules) in missing {
        let _ = writeln!(text, "  {part} ({})", rules.join(", "));
    }
    text.push('\n');
    text
}

/// The rules that could not judge, by the part that they miss.
fn missing(unknown: &[Unknown]) -> BTreeMap<&str, Vec<&str>> {
    let mut missing: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for Unknown { rule, missing: part } in unknown {
        missing.entry(part).or_default().push(rule);
    }
    missing
}
