//! Findings for people: the count; the worst first, each cause once: what, where in the file, why, what to do;
//! then the next step.

use std::fmt::Write;

use crosspipe_core::rules::{Severity, Unknown};

use super::{Linted, Located};
use crate::causes::{Entry, group_by_cause};
use crate::output::{count_of, indent, severity_name, severity_style};
use crate::text::{Style, Text};

/// All findings, file by file; with the scripts of their fixes where these are asked for.
pub(super) fn show(linted: &[Linted], with_scripts: bool) -> Text {
    let causes: Vec<_> = linted.iter().map(causes_of).collect();
    let mut text = summarize(linted, &causes);
    for (Linted { file, unknown, .. }, causes) in linted.iter().zip(&causes) {
        for cause in causes {
            text.append(of_cause(file, cause, with_scripts));
        }
        text.append(of_unknown(file, unknown));
    }
    text.append(next_step(linted, &causes));
    text
}

/// Findings that one fix resolves; never empty.
type Cause<'a> = Vec<&'a Located>;

fn causes_of(file: &Linted) -> Vec<Cause<'_>> {
    let findings = file.findings.iter().map(|located| &located.finding);
    let entries: Vec<Entry<'_>> = findings.map(|finding| Entry { finding, confidence: None }).collect();
    let located = |cause: Vec<usize>| cause.into_iter().filter_map(|at| file.findings.get(at)).collect();
    group_by_cause(&entries).into_iter().map(located).collect()
}

fn of_cause(file: &str, cause: &[&Located], with_scripts: bool) -> Text {
    let Some((located, others)) = cause.split_first() else { return Text::default() };
    let Located { finding, place, excerpt, .. } = located;
    let mut text = Text::default();
    text.styled(
        severity_style(finding.severity),
        format!("{}[{}]", severity_name(finding.severity), finding.rule),
    );
    text.styled(Style::Strong, format!(": {}\n", finding.name));
    let _ = writeln!(text, "  at {}:{}:{}: {}", file, place.line, place.column, finding.location);
    text.append(excerpt.clone());
    text.styled(Style::Strong, indent(&finding.message, 2));
    for other in others {
        text.push(indent(&format!("also {}", other.finding.message), 2));
    }
    text.push(indent(&format!("because {}", finding.because), 2));
    text.styled(Style::Advice, "\n  fix:\n");
    let fix = if with_scripts { finding.fix.clone() } else { finding.short_fix() };
    let _ = writeln!(text, "{}", indent(&fix, 4));
    if !with_scripts && finding.script().is_some() {
        text.styled(Style::Faint, "    (`--show-fixes` prints the script)\n\n");
    }
    text
}

fn of_unknown(file: &str, unknown: &[Unknown]) -> Text {
    let mut text = Text::default();
    let missing = Unknown::by_missing_part(unknown);
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

fn summarize(linted: &[Linted], causes: &[Vec<Cause<'_>>]) -> Text {
    let of_severity = |severity: Severity| {
        let first = causes.iter().flatten().filter_map(|cause| cause.first());
        first.filter(|located| located.finding.severity == severity).count()
    };
    let (errors, warnings) = (of_severity(Severity::Error), of_severity(Severity::Warning));
    let unknown: usize = linted.iter().map(|file| Unknown::by_missing_part(&file.unknown).len()).sum();
    let style = |number: usize, style: Style| if number > 0 { style } else { Style::Plain };
    let mut text = Text::default();
    text.push(format!("{}: ", count_of(linted.len(), "file")));
    text.styled(style(errors, Style::Error), count_of(errors, "error"));
    text.push(", ");
    text.styled(style(warnings, Style::Warning), count_of(warnings, "warning"));
    text.push(format!(", {} not known\n", count_of(unknown, "part")));
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
