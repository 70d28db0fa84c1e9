//! Findings for people: what, where in the file, why, what to do; then the count and the next step.

use std::collections::BTreeMap;
use std::fmt::Write;

use crosspipe_core::rules::{Severity, Unknown};

use super::{Linted, Located, number_of};
use crate::output::{count, indented, severity, severity_style};
use crate::text::{Style, Text};

/// All findings, file by file.
pub fn show(linted: &[Linted]) -> Text {
    let mut text = Text::default();
    for Linted { file, findings, unknown } in linted {
        for located in findings {
            text.append(of_finding(file, located));
        }
        text.append(of_unknown(file, unknown));
    }
    text.append(summary(linted));
    text
}

fn of_finding(file: &str, located: &Located) -> Text {
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
    text.push(indented(&format!("because {}", finding.because), 2));
    text.styled(Style::Advice, "\n  fix:\n");
    let _ = writeln!(text, "{}", indented(&finding.fix, 4));
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

fn summary(linted: &[Linted]) -> Text {
    let (errors, warnings) = (number_of(linted, Severity::Error), number_of(linted, Severity::Warning));
    let unknown: usize = linted.iter().map(|file| missing(&file.unknown).len()).sum();
    let style = |number: usize, style: Style| if number > 0 { style } else { Style::Plain };
    let mut text = Text::default();
    text.push(format!("{}: ", count(linted.len(), "file")));
    text.styled(style(errors, Style::Error), count(errors, "error"));
    text.push(", ");
    text.styled(style(warnings, Style::Warning), count(warnings, "warning"));
    text.push(format!(", {} not known\n", count(unknown, "part")));
    let first = linted.iter().flat_map(|file| &file.findings).next();
    if let Some(Located { finding: first, .. }) = first {
        text.styled(Style::Advice, "next:");
        let explain = format!("`crosspipe explain {}` says more about the first", first.rule);
        let _ = writeln!(text, " apply the fixes and lint again; {explain}");
    } else if unknown > 0 {
        text.styled(Style::Advice, "next:");
        text.push(
            " lint a snapshot that has these parts, too: `crosspipe snapshot --pipeline <name>` makes one\n",
        );
    }
    text
}
