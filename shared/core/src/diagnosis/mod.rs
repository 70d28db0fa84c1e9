//! A failed action and a snapshot make a report.
//!
//! # Layout
//! - `explanations`: which faults explain a claim
//! - [`rank`]: which finding explains the failure, and how surely
//! - [`links`]: console pages to look at
//! - [`report`]: the report

mod explanations;
pub mod links;
pub mod rank;
pub mod report;

use crate::incident::error_evidence::ErrorEvidence;
use crate::incident::{Failure, evidence};
use crate::rules::{Facts, run};
use crate::snapshot::{Snapshot, SnapshotError};

use rank::Evidence;

pub use rank::Confidence;
pub use report::{Outcome, Remediation, Report};

/// Explains a failed action by what the snapshot shows.
///
/// None where the action does not reach into another account, neither by its role nor by what it works on: then
/// there is nothing for Crosspipe to explain.
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
    let Some((action, account)) =
        facts.actions().find_map(|action| Some((action, facts.reaches_into(&action)?)))
    else {
        return Ok(None);
    };
    let verdicts = run(&facts);
    let details = evidence::details(failure, &action, snapshot);
    let store = pipeline.store_for(action.region());
    let evidence = Evidence {
        claims: ErrorEvidence::of(failure, &details).claims,
        unknown: &verdicts.unknown,
        artifact_bucket: store.as_ref().map(|store| store.bucket()),
    };
    let findings = rank::rank(verdicts.findings, &evidence);
    let mut report = Report::new(failure, &action, account, findings, verdicts.unknown, remediation);
    report.add(details, snapshot.unreadable.clone());
    Ok(Some(report))
}

#[cfg(test)]
mod tests;
