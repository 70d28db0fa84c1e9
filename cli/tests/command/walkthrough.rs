//! The tables of AWS's walkthrough and of the threats name what exists.

use std::path::Path;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names between backticks of a cell.
fn names(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// What is wrong with a row of the table.
fn problems(row: &str) -> Vec<String> {
    let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
    let [step, _, rules, proof] = cells.as_slice() else { return vec![format!("not four cells: {row}")] };
    let mut problems: Vec<String> =
        cells.iter().filter(|cell| cell.is_empty()).map(|_| format!("{step}: an empty cell")).collect();
    for rule in names(rules) {
        if crosspipe_core::rules::find(rule).is_none() {
            problems.push(format!("{step}: there is no rule {rule}"));
        }
    }
    match names(proof).as_slice() {
        [file, test] if read(file).contains(&format!("fn {test}()")) => {}
        _ => problems.push(format!("{step}: there is no test {proof}")),
    }
    problems
}

#[test]
fn walkthrough_names_rules_and_tests() {
    let page = read("docs/walkthrough.md");
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() >= 13, "{} rows", rows.len());
    let found: Vec<String> = rows.iter().flat_map(|row| problems(row)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The threats of docs/security.md name tests that exist.
#[test]
fn threats_name_tests() {
    let page = read("docs/security.md");
    let (_, threats) = page.split_once("\n## Threats\n").unwrap();
    let rows: Vec<&str> = threats.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() >= 20, "{} rows", rows.len());
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [threat, closed_by, shown_by] = cells.as_slice() else { panic!("not three cells: {row}") };
        assert!(!threat.is_empty() && !closed_by.is_empty(), "{row}");
        let [file, test] = names(shown_by)[..] else { panic!("no test: {row}") };
        assert!(read(file).contains(&format!("fn {test}()")), "{threat}: there is no test {shown_by}");
    }
}

#[test]
fn planted_faults_are_found() {
    let proof = "`cli/tests/command/walkthrough.rs` `planted_faults_are_found`";
    assert!(problems(&format!("| a | b | `KM001` | {proof} |")).is_empty());
    for row in [
        format!("| a | | `KM001` | {proof} |"),
        format!("| a | b | `KM999` | {proof} |"),
        "| a | b | `KM001` | `cli/tests/command/walkthrough.rs` `gone` |".to_owned(),
        "| a | b |".to_owned(),
    ] {
        assert_eq!(problems(&row).len(), 1, "{row}");
    }
}
