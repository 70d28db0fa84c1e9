//! Findings for people: the count; the worst first, each cause once: what, where in the file, why, what to do;
//! then the next step.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use crosspipe_core::rules::{Severity, Unknown};

use super::{Linted, Located};
use crate::output::{count, indented, severity, severity_style};
use crate::text::{Style, Text};

/// All findings, file by file; with the scripts of their fixes where these are asked for.
pub(super) fn show(linted: &[Linted], with_scripts: bool) -> Text {
    let causes: Vec<_> = linted.iter().map(|file| group_by_cause(&file.findings)).collect();
    let mut text = summary(linted, &causes);
    for (Linted { file, unknown, .. }, causes) in linted.iter().zip(&causes) {
        for cause in causes {
            text.append(of_cause(file, cause, with_scripts));
        }
        text.append(of_unknown(file, unknown));
    }
    text.append(next_step(linted, &causes));
    text
}

/// Findings that one fix mends; never empty.
type Cause<'a> = Vec<&'a Located>;

/// What one fix mends is one cause, whichever actions it concerns. The worst come first.
fn group_by_cause(findings: &[Located]) -> Vec<Cause<'_>> {
    let mut causes: Vec<Cause<'_>> = vec![];
    let mut places = HashMap::new();
    for located in findings {
        let Located { finding, .. } = located;
        let place =
            *places.entry((finding.rule, finding.severity as u8, &finding.fix)).or_insert(causes.len());
        match causes.get_mut(place) {
            Some(cause) => cause.push(located),
            None => causes.push(vec![located]),
        }
    }
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.first().map(|located| located.finding.severity)));
    causes
}

fn of_cause(file: &str, cause: &[&Located], with_scripts: bool) -> Text {
    let Some((located, others)) = cause.split_first() else { return Text::default() };
    let Located { finding, place, excerpt, .. } = located;
    let mut text = Text::default();
    text.styled(
        severity_style(finding.severity),
        format!("{}[{}]", severity(finding.severity), finding.rule),
    );
    text.styled(Style::Strong, format!(": {}\n", finding.name));
    let _ = writeln!(text, "  at {}:{}:{}: {}", file, place.line, place.column, finding.location);
    text.append(excerpt.clone());
    text.styled(Style::Strong, indented(&finding.message, 2));
    for other in others {
        text.push(indented(&format!("also {}", other.finding.message), 2));
    }
    text.push(indented(&format!("because {}", finding.because), 2));
    text.styled(Style::Advice, "\n  fix:\n");
    let fix = if with_scripts { finding.fix.clone() } else { finding.short_fix() };
    let _ = writeln!(text, "{}", indented(&fix, 4));
    if !with_scripts && finding.script().is_some() {
        text.styled(Style::Faint, "    (`--show-fixes` prints the script)\n\n");
    }
    text
}

fn of_unknown(file: &str, unknown: &[Unknown]) -> Text {
    let mut text = Text::default();
    let missing = missing(unknown);
    if missing.is_empty() {
        return text;
    }
    let _ = writeln!(text, "not judged in {}, because these parts are not known:", file);
    for (part, rules) in missing {
        let _ = write!(text, "  {part}");
        text.styled(Style::Faint, format!(" ({})\n", rules.join(", ")));
    }
    text.push("\n");
    text
}

/// The rules that could not judge, by the part that they miss.
fn missing(unknown: &[Unknown]) -> BTreeMap<&str, Vec<&str>> {
    let mut missing: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for Unknown { rule, missing: part } in unknown {
        missing.entry(part).or_default().push(rule.as_str());
    }
    missing
}

fn summary(linted: &[Linted], causes: &[Vec<Cause<'_>>]) -> Text {
    let of_severity = |severity: Severity| {
        let first = causes.iter().flatten().filter_map(|cause| cause.first());
        first.filter(|located| located.finding.severity == severity).count()
    };
    let (errors, warnings) = (of_severity(Severity::Error), of_severity(Severity::Warning));
    let unknown: usize = linted.iter().map(|file| missing(&file.unknown).len()).sum();
    let style = |number: usize, style: Style| if number > 0 { style } else { Style::Plain };
    let mut text = Text::default();
    text.push(format!("{}: ", count(linted.len(), "file")));
    text.styled(style(errors, Style::Error), count(errors, "error"));
    text.push(", ");
    text.styled(style(warnings, Style::Warning), count(warnings, "warning"));
    text.push(format!(", {} not known\n", count(unknown, "part")));
    if errors + warnings + unknown > 0 {
        text.push("\n");
    }
    text
}

fn next_step(linted: &[Linted], causes: &[Vec<Cause<'_>>]) -> Text {
    let mut text = Text::default();
    let first = causes.iter().flatten().filter_map(|cause| cause.first()).next();
    if let Some(Located { finding: first, .. }) = first {
        text.styled(Style::Advice, "next:");
        let explain = format!("`crosspipe explain {}` says more about the first", first.rule);
        let _ = writeln!(text, " apply the fixes and lint again; {explain}");
    } else if linted.iter().any(|file| !file.unknown.is_empty()) {
        text.styled(Style::Advice, "next:");
        text.push(
            " lint a snapshot that has these parts, too: `crosspipe snapshot --pipeline <name>` makes one\n",
        );
    }
    text
}
