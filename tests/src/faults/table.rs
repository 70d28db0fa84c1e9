//! The faults and what came of them, as a page of the documentation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{Row, TROUBLES, Verdict};

/// What came of each kind of work, by its name: a row for each operation, a column for each fault. What should not be so
/// follows by name.
#[must_use]
pub fn sections(rows: &[Row]) -> BTreeMap<String, String> {
    let works: BTreeSet<&str> = rows.iter().map(|row| row.work.as_str()).collect();
    let section = |work: &str| {
        let rows: Vec<&Row> = rows.iter().filter(|row| row.work == work).collect();
        (work.to_owned(), table(&rows) + &bad(&rows))
    };
    works.into_iter().map(section).collect()
}

/// The sections under their names.
#[must_use]
pub fn to_markdown(sections: &BTreeMap<String, String>) -> String {
    sections.iter().map(|(work, text)| format!("\n### {work}\n\n{text}")).collect()
}

/// The sections of such a text.
#[must_use]
pub fn from_markdown(text: &str) -> BTreeMap<String, String> {
    let sections = text.split("\n### ").skip(1).filter_map(|section| section.split_once("\n\n"));
    sections.map(|(work, text)| (work.to_owned(), text.trim_end().to_owned() + "\n")).collect()
}

/// How many cases ended how.
#[must_use]
pub fn summary(rows: &[Row]) -> String {
    let verdicts: Vec<&Verdict> = rows.iter().map(|row| &row.verdict).collect();
    format!("{} cases: {}", rows.len(), outcomes(&verdicts))
}

fn bad(rows: &[&Row]) -> String {
    let bad = rows.iter().filter_map(|row| match &row.verdict {
        Verdict::Bad(problem) => Some(format!("\n- `{}`, {}: {problem}\n", row.operation, row.trouble.name)),
        _ => None,
    });
    bad.collect()
}

fn table(rows: &[&Row]) -> String {
    let tried = |name: &&str| rows.iter().any(|row| row.trouble.name == *name);
    let faults: Vec<&str> = TROUBLES.iter().map(|trouble| trouble.name).filter(tried).collect();
    let mut cells: BTreeMap<&str, BTreeMap<&str, Vec<&Verdict>>> = BTreeMap::new();
    for row in rows {
        cells.entry(&row.operation).or_default().entry(row.trouble.name).or_default().push(&row.verdict);
    }
    let mut text = format!("| call | {} |\n|---|{}\n", faults.join(" | "), "---|".repeat(faults.len()));
    for (operation, of_faults) in cells {
        let cell = |fault: &&str| of_faults.get(fault).map(|verdicts| outcomes(verdicts)).unwrap_or_default();
        let cells: Vec<String> = faults.iter().map(cell).collect();
        let _ = writeln!(text, "| `{operation}` | {} |", cells.join(" | "));
    }
    text
}

fn outcomes(verdicts: &[&Verdict]) -> String {
    let count = |is: fn(&Verdict) -> bool| verdicts.iter().filter(|verdict| is(verdict)).count();
    let counts = [
        (count(|verdict| *verdict == Verdict::Done), "done"),
        (count(|verdict| *verdict == Verdict::GivenUp), "given up"),
        (count(|verdict| *verdict == Verdict::Repeated), "repeated"),
        (count(|verdict| matches!(verdict, Verdict::Bad(_))), "**bad**"),
    ];
    let shown = counts.iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}"));
    shown.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_outcomes_are_counted_and_named() {
        let row = |operation: &str, at: usize, verdict| Row {
            work: "ArtifactKeyGrant Create".to_owned(),
            operation: operation.to_owned(),
            trouble: TROUBLES[at],
            verdict,
        };
        let bad = Verdict::Bad("it is gone".to_owned());
        let rows = [
            row("kms PutKeyPolicy", 0, Verdict::Done),
            row("kms PutKeyPolicy", 0, Verdict::GivenUp),
            row("kms GetKeyPolicy", 1, bad),
        ];
        let text = to_markdown(&sections(&rows));
        for part in [
            "\n### ArtifactKeyGrant Create\n",
            "| call | denied once | denied |",
            "| `kms PutKeyPolicy` | 1 done, 1 given up |  |",
            "| `kms GetKeyPolicy` |  | 1 **bad** |",
            "- `kms GetKeyPolicy`, denied: it is gone",
        ] {
            assert!(text.contains(part), "`{part}` is not in:\n{text}");
        }
        assert_eq!(summary(&rows), "3 cases: 1 done, 1 given up, 1 **bad**");
        assert_eq!(from_markdown(&text), sections(&rows));
    }
}
