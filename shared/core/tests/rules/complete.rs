//! Every rule has its page, its sources, and both kinds of fixtures, and all of them hold.

use std::path::Path;

use crosspipe_core::rules::ALL;

use crate::check::Cases;
use crate::fixtures;

#[test]
fn every_rule_is_complete() {
    let sections = ["# What it does", "# Why deploys fail", "# How to fix", "# Example"];
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut missing = vec![];
    for rule in ALL {
        let mut lacks = |what: String| missing.push(format!("{}: {what}", rule.id));
        let source = root.join(format!("src/rules/catalogue/{}.rs", rule.name.replace('-', "_")));
        let source = std::fs::read_to_string(source).unwrap_or_default();
        let mut docs = source.lines().map_while(|line| line.strip_prefix("//!"));
        let docs: String = docs.by_ref().map(|line| format!("{}\n", line.trim())).collect();
        for section in sections {
            let body = docs.split_once(&format!("{section}\n")).map(|(_, rest)| rest.trim_start());
            if body.is_none_or(|body| body.is_empty() || body.starts_with("# ")) {
                lacks(format!("section `{section}` of its documentation"));
            }
        }
        if docs.contains("TODO") || rule.summary.contains("TODO") {
            lacks("text in place of TODO".into());
        }
        if rule.sources.is_empty()
            || rule.sources.iter().any(|it| !it.starts_with("https://docs.aws.amazon.com/"))
        {
            lacks("a page of AWS's documentation among its sources".into());
        }
        let Some((_, fixtures)) = fixtures::ALL.into_iter().find(|(id, _)| *id == rule.id.as_str()) else {
            lacks("a file of fixtures".into());
            continue;
        };
        let mut cases = Cases::of(rule.id.as_str());
        fixtures(&mut cases);
        if cases.failing == 0 {
            lacks("a fixture that it finds fault with".into());
        }
        if cases.passing == 0 {
            lacks("a fixture that it accepts".into());
        }
    }
    assert!(missing.is_empty(), "these are missing:\n{}", missing.join("\n"));
}

#[test]
fn ids_are_unique_and_in_order() {
    assert!(ALL.windows(2).all(|pair| pair[0].id < pair[1].id));
    let mut names: Vec<&str> = ALL.iter().map(|rule| rule.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), ALL.len());
}
