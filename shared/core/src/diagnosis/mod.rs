//! A failed action and a snapshot make a report.
//!
//! # Layout
//! - [`failure`]: what the event and the execution's details say
//! - [`message`]: what an error message claims
//! - [`rank`]: which finding explains the failure, and how surely
//! - [`report`]: the report
//! - [`text`]: the report as a person reads it

pub mod failure;
pub mod message;
pub mod rank;
pub mod report;
pub mod text;

use crate::rules::{Facts, run};
use crate::snapshot::{Snapshot, SnapshotError};

pub use failure::{EventError, Failure};
pub use rank::Confidence;
pub use report::{Outcome, Remediation, Report};

/// Explains a failed action by what the snapshot shows.
///
/// None where the action is not a cross-account one: then there is nothing for Crosspipe to explain.
///
/// # Errors
/// When the snapshot's pipeline can't be read.
pub fn diagnose(
    failure: &Failure,
    snapshot: &Snapshot,
    remediation: Remediation,
) -> Result<Option<Report>, SnapshotError> {
    let pipeline = snapshot.pipeline()?;
    let facts = Facts::of_action(snapshot, &pipeline, &failure.stage, &failure.action).with_failure(failure);
    let Some(action) = facts.cross_account_actions().next() else { return Ok(None) };
    let verdicts = run(&facts);
    let claim = message::claim(failure.message());
    let findings = rank::rank(verdicts.findings, &claim, failure);
    let report = Report::new(failure, action.account, findings, verdicts.unknown, remediation);
    Ok(Some(report))
}

#[cfg(test)]
mod tests;
