//! Findings as SARIF 2.1.0, the way GitHub code scanning takes them.
//!
//! See <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html> and
//! <https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>.

use std::collections::HashMap;
use std::path::{Component, Path};

use crosspipe_core::rules::{ALL, Rule, RuleId};
use serde_json::{Value, json};

use super::{Linted, Located};
use crate::explain::rule_page;
use crate::output::{self, severity_name};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// One run over all files. What could not be judged or read is a notification of the tool.
pub(super) fn show(linted: &[Linted], problems: &[String]) -> String {
    let results: Vec<Value> = linted.iter().flat_map(results_json).collect();
    let mut notifications: Vec<Value> =
        problems.iter().map(|problem| json!({"level": "error", "message": {"text": problem}})).collect();
    notifications.extend(linted.iter().flat_map(unknown_notifications));
    output::to_json(&json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "crosspipe",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": ALL.iter().map(|it| rule_json(it)).collect::<Vec<_>>(),
            }},
            "columnKind": "utf16CodeUnits",
            "invocations": [{
                "executionSuccessful": problems.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    }))
}

fn rule_json(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.summary},
        "help": {"text": rule_page(rule), "markdown": rule_page(rule)},
        "helpUri": rule.sources.first(),
        "defaultConfiguration": {"level": severity_name(rule.severity)},
        "properties": {"tags": ["aws", "codepipeline", "cross-account"], "precision": "very-high"},
    })
}

fn results_json(file: &Linted) -> Vec<Value> {
    let mut before: HashMap<(RuleId, &str), usize> = HashMap::new();
    let mut results = vec![];
    for located in &file.findings {
        let before = before.entry((located.finding.rule, &located.finding.location)).or_default();
        results.push(result_json(&file.file, located, *before));
        *before += 1;
    }
    results
}

/// `before` is how many findings of the same rule the same part had before this one.
fn result_json(file: &str, located: &Located, before: usize) -> Value {
    let Located { finding, place, utf16_column, .. } = located;
    let text = format!("{}\n\nBecause {}\n\nFix: {}", finding.message, finding.because, finding.fix);
    json!({
        "ruleId": finding.rule,
        "ruleIndex": ALL.iter().position(|rule| rule.id == finding.rule),
        "level": severity_name(finding.severity),
        "message": {"text": text},
        "locations": [{
            "physicalLocation": {
                "artifactLocation": {"uri": file_uri(file)},
                "region": {"startLine": place.line, "startColumn": utf16_column},
            },
            "logicalLocations": [{"fullyQualifiedName": finding.location}],
        }],
        // The same fault of the same part is the same alert, on whichever line it is next time.
        "partialFingerprints": {"faultAndPart/v1": format!("{}:{}:{before}", finding.rule, finding.location)},
    })
}

fn unknown_notifications(file: &Linted) -> impl Iterator<Item = Value> {
    let uri = file_uri(&file.file);
    file.unknown.iter().map(move |unknown| {
        json!({
            "level": "note",
            "message": {"text": format!("{} could not judge: {} is not known", unknown.rule, unknown.missing)},
            "associatedRule": {"id": unknown.rule},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri.clone()}}}],
        })
    })
}

/// A file as code scanning finds it: relative to where the command runs, where it is below that.
fn file_uri(name: &str) -> String {
    let path = Path::new(name);
    let below = std::env::current_dir().ok().and_then(|here| path.strip_prefix(here).ok());
    let path = below.unwrap_or(path);
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(part) => Some(urlencoding::encode(&part.to_string_lossy()).into_owned()),
        Component::ParentDir => Some("..".to_owned()),
        _ => None,
    });
    let path = parts.collect::<Vec<_>>().join("/");
    if below.is_none() && name.starts_with('/') { format!("file:///{path}") } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_is_relative_and_encoded() {
        assert_eq!(file_uri("./a b/ü.json"), "a%20b/%C3%BC.json");
        assert_eq!(file_uri("../x#y.json"), "../x%23y.json");
        assert_eq!(file_uri("/no/such folder/x.json"), "file:///no/such%20folder/x.json");
        let here = std::env::current_dir().unwrap().join("x.json");
        assert_eq!(file_uri(here.to_str().unwrap()), "x.json");
        assert_eq!(file_uri("standard input"), "standard%20input");
    }
}
