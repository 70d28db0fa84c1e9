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
fn a_confirmed_cause() {
    every_format("confirmed", &Alert::from(&reports::confirmed()));
}

#[test]
fn a_possible_cause_and_what_else_was_found() {
    every_format("possible", &Alert::from(&reports::possible()));
}

#[test]
fn no_cause_and_parts_that_are_unknown() {
    every_format("none", &Alert::from(&reports::none()));
}

#[test]
fn a_cause_that_was_put_right() {
    every_format("mended", &Alert::from(&reports::mended()));
}

#[test]
fn a_failure_in_the_pipelines_own_account() {
    every_format("own", &Alert::own_action(&reports::failure("JobFailed", "Build failed")));
}

#[test]
fn what_the_provider_says() {
    every_format("instances", &Alert::from(&reports::instances()));
}

#[test]
fn faults_found_before_a_run_and_faults_that_are_gone() {
    let notices = reports::notices();
    assert_eq!(notices.len(), 2, "{notices:?}");
    every_format("fault-found", &Alert::from(&notices[0]));
    every_format("fault-mended", &Alert::from(&notices[1]));
}

#[test]
fn hostile_text() {
    every_format("hostile", &hostile::alert());
}
