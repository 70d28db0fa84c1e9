//! What `template.yaml`, `pipeline.yaml` and `target-account.yaml` promise, whatever deploys them: they lint, their roles may do
//! what they need and no more, are trusted by nobody else, and speak the custom resources' own language.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that can't read a template has failed"
)]

mod documented_commands;
mod form;
mod functions;
mod iam_limits;
mod permissions;
mod providers;
mod reading;
mod setup;
