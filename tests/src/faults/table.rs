//! The faults and what came of them, as a page of the documentation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{Row, TROUBLES, Verdict};

/// One table for each kind of work: a row for each operation, a column for each fault. What should not be so follows by
/// name.
#[must_use]
pub fn to_markdown(rows: &[Row]) -> String {
    let works: BTreeSet<&str> = rows.iter().map(|row| row.work.as_str()).collect();
    let mut text = summary(rows);
    for work in works {
        let rows: Vec<&Row> = rows.iter().filter(|row| row.work == work).collect();
        let _ = write!(text, "\n### {work}\n\n{}", table(&rows));
    }
    let bad = rows.iter().filter_map(|row| match &row.verdict {
        Verdict::Bad(problem) => Some((row, problem)),
        _ => None,
    });
    for (index, (row, problem)) in bad.enumerate() {
        if index == 0 {
            text.push_str("\n### Bad\n\n");
        }
        let _ = writeln!(text, "- {}, `{}`, {}: {problem}", row.work, row.operation, row.trouble.name);
    }
    text
}

fn summary(rows: &[Row]) -> String {
    let count = |is: fn(&Verdict) -> bool| rows.iter().filter(|row| is(&row.verdict)).count();
    format!(
        "{} cases: {} as without the fault, {} given up, {} twice, {} bad.\n",
        rows.len(),
        count(|verdict| *verdict == Verdict::Done),
        count(|verdict| *verdict == Verdict::GivenUp),
        count(|verdict| *verdict == Verdict::Twice),
        count(|verdict| matches!(verdict, Verdict::Bad(_))),
    )
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
        (count(|verdict| *verdict == Verdict::Twice), "twice"),
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
        let text = to_markdown(&rows);
        for part in [
            "3 cases: 1 as without the fault, 1 given up, 0 twice, 1 bad.",
            "| call | denied once | denied |",
            "| `kms PutKeyPolicy` | 1 done, 1 given up |  |",
            "| `kms GetKeyPolicy` |  | 1 **bad** |",
            "- ArtifactKeyGrant Create, `kms GetKeyPolicy`, denied: it is gone",
        ] {
            assert!(text.contains(part), "`{part}` is not in:\n{text}");
        }
    }
}
