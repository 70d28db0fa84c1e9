//! A failed action and a snapshot make a report.
//!
//! # Layout
//! - `agreement`: whether a denial that AWS tells of is one that the policies show
//! - `explanations`: which faults explain a claim
//! - [`rank`]: which finding explains the failure, and how surely
//! - [`links`]: console pages to look at
//! - [`report`]: the report

mod agreement;
mod explanations;
pub mod links;
pub mod rank;
pub mod report;

use crate::incident::Failure;
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
    let Some(incident) = facts.incident() else { return Ok(None) };
    let store = pipeline.store_for(action.region());
    let evidence = Evidence {
        incident,
        unknown: &verdicts.unknown,
        artifact_bucket: store.as_ref().map(|store| store.bucket()),
    };
    let findings = rank::rank(verdicts.findings, &evidence);
    let mut report = Report::new(incident, account, findings, verdicts.unknown, remediation);
    report.add(incident, snapshot.unreadable.clone());
    Ok(Some(report))
}

#[cfg(test)]
mod tests;
