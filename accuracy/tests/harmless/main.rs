//! Worlds in which nothing is wrong, written in other ways: no rule may find an error in any of them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod change;
mod meanings;
mod writings;

use std::collections::BTreeMap;

use crosspipe_accuracy::case::{Case, all};
use crosspipe_accuracy::judge::judge;
use crosspipe_accuracy::world::healthy;
use crosspipe_core::rules::{Severity, find, lint};
use crosspipe_core::snapshot::Snapshot;
use serde_json::Value;

use crate::change::Change;
use crate::meanings::MEANINGS;
use crate::writings::WRITINGS;

fn errors(world: Value) -> Vec<String> {
    let snapshot = Snapshot::from_value(world).unwrap();
    let findings = lint(&snapshot).unwrap().findings.into_iter();
    let errors = findings.filter(|finding| finding.severity == Severity::Error);
    errors
        .map(|finding| format!("{}: {}, because {}", finding.rule, finding.message, finding.because))
        .collect()
}

fn check(provider: &str, meaning: (&str, Change), writing: (&str, Change)) -> Vec<String> {
    let (mut world, _) = healthy(provider).unwrap();
    (meaning.1)(&mut world);
    (writing.1)(&mut world);
    let what = format!("{provider}, {}, {}", meaning.0, writing.0);
    errors(world).into_iter().map(|error| format!("{what}: {error}")).collect()
}

#[test]
fn equivalent_policies_raise_no_error() {
    let providers: Value = serde_json::from_str(include_str!("../../providers.json")).unwrap();
    let providers = providers.as_object().unwrap();
    let checks = providers.keys().flat_map(|provider| {
        MEANINGS.iter().flat_map(move |meaning| check(provider, *meaning, ("as is", |_| ())))
    });
    let alarms: Vec<String> = checks.collect();
    assert!(alarms.is_empty(), "{} false alarms:\n{}", alarms.len(), alarms.join("\n"));
}

#[test]
fn rewritten_policies_raise_no_error() {
    let checks = MEANINGS
        .iter()
        .flat_map(|meaning| WRITINGS.iter().flat_map(move |writing| check("CodeDeploy", *meaning, *writing)));
    let alarms: Vec<String> = checks.collect();
    assert!(alarms.is_empty(), "{} false alarms:\n{}", alarms.len(), alarms.join("\n"));
}

/// What AWS said when something was wrong, of a world in which nothing is (any more).
#[test]
fn messages_alone_raise_no_error() {
    let mut alarms = vec![];
    for case in all().unwrap() {
        let fixed = Case { fails: None, remove: vec![], set: BTreeMap::new(), ..case };
        let judged = judge(fixed).unwrap();
        let errors = judged.findings.iter().filter(|found| {
            let repeats_message = find(found.rule).is_some_and(|rule| rule.subject.repeats_message());
            found.severity == Severity::Error && !repeats_message
        });
        alarms.extend(errors.map(|found| format!("{}: {}", judged.case.name, found.rule)));
    }
    assert!(alarms.is_empty(), "{} false alarms:\n{}", alarms.len(), alarms.join("\n"));
}
