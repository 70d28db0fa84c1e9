//! The same alerts in every format, held against golden files; and the limits of each receiver, with text that
//! tries to be something else.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

mod hostile;
mod reports;

use crosspipe_core::alerts::{Alert, chat, email, slack};
use serde_json::Value;

/// Everything that an alert becomes.
fn every_format(name: &str, alert: &Alert) {
    let mail = format!("Subject: {}\n\n{}", email::subject(alert), email::body(alert));
    insta::assert_snapshot!(format!("{name}.email"), mail);
    insta::assert_snapshot!(format!("{name}.chat"), pretty(&chat::message(alert)));
    insta::assert_snapshot!(format!("{name}.slack"), pretty(&slack::message(alert)));
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

#[test]
fn confirmed_cause() {
    every_format("confirmed", &Alert::from(&reports::confirmed()));
}

#[test]
fn possible_cause_and_further_findings() {
    every_format("possible", &Alert::from(&reports::possible()));
}

#[test]
fn no_cause_and_unknown_parts() {
    every_format("none", &Alert::from(&reports::none()));
}

#[test]
fn remediated_cause() {
    every_format("remediated", &Alert::from(&reports::remediated()));
}

#[test]
fn failure_in_own_account() {
    every_format("own", &Alert::own_action(&reports::failure("JobFailed", "Build failed")));
}

#[test]
fn provider_details() {
    every_format("instances", &Alert::from(&reports::instances()));
}

#[test]
fn detected_and_resolved_findings() {
    let notices = reports::notices();
    assert_eq!(notices.len(), 2, "{notices:?}");
    every_format("finding-detected", &Alert::from(&notices[0]));
    every_format("finding-resolved", &Alert::from(&notices[1]));
}

#[test]
fn hostile_text() {
    every_format("hostile", &hostile::alert());
}
