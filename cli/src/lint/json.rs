//! Findings for programs.

use crosspipe_core::rules::Finding;
use serde_json::{Value, json};

use super::Linted;
use crate::output;

/// One list of findings and one of what could not be judged. Of several files, each entry names its own.
pub(super) fn show(linted: &[Linted], several: bool) -> String {
    let entry = |file: &Linted, mut entry: Value| {
        if let Some(members) = entry.as_object_mut().filter(|_| several) {
            members.insert("file".into(), file.file.as_str().into());
        }
        entry
    };
    let mut findings = vec![];
    let mut unknown = vec![];
    for file in linted {
        findings.extend(file.findings.iter().map(|it| entry(file, finding_json(&it.finding))));
        unknown.extend(file.unknown.iter().map(|it| entry(file, json!(it))));
    }
    output::to_json(&json!({"findings": findings, "unknown": unknown}))
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
