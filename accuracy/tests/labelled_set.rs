//! What the diagnosis has to keep to over all labelled failures.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

use std::collections::BTreeSet;

use crosspipe_accuracy::case::{Case, all};
use crosspipe_accuracy::judge::judge;
use crosspipe_accuracy::report::Totals;
use crosspipe_core::rules::ALL;

fn totals() -> Totals {
    Totals(all().unwrap().into_iter().map(|case| judge(case).unwrap()).collect())
}

#[test]
fn labelled_causes_are_named() {
    let totals = totals();
    assert!(totals.0.len() >= 70, "only {} cases", totals.0.len());
    assert!(totals.first() >= 0.95 && totals.first_three() >= totals.first(), "{totals}");
    let confirmed: usize = totals.0.iter().map(|judged| judged.false_confirmed().count()).sum();
    assert_eq!(confirmed, 0, "{totals}");
    let alarms: usize = totals.0.iter().map(|judged| judged.false_alarms().count()).sum();
    assert_eq!(alarms, 0, "{totals}");
}

#[test]
fn every_rule_has_a_case() {
    let cases = all().unwrap();
    let labels: BTreeSet<&str> = cases
        .iter()
        .flat_map(|case| case.also.iter().chain([&case.cause]))
        .map(String::as_str)
        .filter(|label| *label != "none")
        .collect();
    let rules: BTreeSet<&str> = ALL.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(labels, rules);
}

#[test]
fn no_bystander_is_listed_in_vain() {
    // Where the failure is no matter of permissions, what is wrong with them is kept back.
    let judged = totals().0.into_iter().filter(|judged| judged.case.cause != "EV004");
    for judged in judged {
        for also in &judged.case.also {
            let found = judged.findings.iter().any(|found| found.rule == also);
            assert!(found, "{}: {also} is not found", judged.case.name);
        }
    }
}

#[test]
fn every_provider_has_a_case() {
    let providers: serde_json::Value = serde_json::from_str(include_str!("../providers.json")).unwrap();
    let cases = all().unwrap();
    for provider in providers.as_object().unwrap().keys() {
        let of = |case: &&Case| case.provider == *provider && case.cause != "none";
        let case = cases.iter().find(of).unwrap_or_else(|| panic!("{provider} has no case"));
        let healthy = Case {
            fails: None,
            remove: vec![],
            set: Default::default(),
            error: None,
            external: Default::default(),
            ..case.clone()
        };
        let judged = judge(healthy).unwrap();
        assert!(judged.findings.is_empty(), "{provider}: {:?}", judged.findings);
    }
}
