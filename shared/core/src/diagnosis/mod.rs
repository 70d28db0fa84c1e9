//! A failed action and a snapshot make a report.
//!
//! # Layout
//! - `agreement`: whether a denial that AWS tells of is one that the policies show
//! - [`rank`]: which finding explains the failure, and how surely
//! - [`links`]: console pages to look at
//! - [`report`]: the report

mod agreement;
pub mod links;
pub mod rank;
pub mod report;

use crate::arn::bucket_of;
use crate::incident::conditions::failed_conditions;
use crate::incident::{Failure, Incident};
use crate::pipeline::Pipeline;
use crate::rules::{Denied, Facts, Subject, run};
use crate::snapshot::{Snapshot, SnapshotError};

use rank::{Evidence, Ranked};

pub use rank::Confidence;
pub use report::{Outcome, Remediation, Report};

/// Explains a failed action, or a stage that failed by a condition, by what the snapshot shows.
///
/// None where there is nothing for Crosspipe to explain: the action works in the pipeline's own account, and either no
/// action of the pipeline has a role in another one, or the failure is not about the artifacts.
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
    let shares_artifacts = || pipeline.actions().any(|action| pipeline.target_account(&action).is_some());
    let Some(action) = facts.actions().next() else {
        let report = shares_artifacts().then(|| explain_condition(failure, &facts, remediation));
        return Ok(report.flatten());
    };
    let other_account = facts.reaches_into(&action);
    if other_account.is_none() && !shares_artifacts() {
        return Ok(None);
    }
    let Some(account) = other_account.or_else(|| pipeline.account()) else { return Ok(None) };
    let diagnostics = run(&facts);
    let Some(incident) = facts.incident() else { return Ok(None) };
    let store = pipeline.store_for(action.region());
    let evidence = Evidence {
        incident,
        unknown: &diagnostics.unknown,
        artifact_bucket: store.as_ref().map(|store| store.bucket()),
    };
    let findings = rank::rank(diagnostics.findings, &evidence);
    // At home, Crosspipe's changes can only have broken the use of artifacts; anything else is the team's own affair.
    if other_account.is_none()
        && !rank::cause(&findings).is_some_and(|cause| is_about_artifacts(cause, incident, &pipeline))
    {
        return Ok(None);
    }
    let mut report = Report::new(incident, account, findings, diagnostics.unknown, remediation);
    report.add(incident, snapshot.unreadable.clone());
    Ok(Some(report))
}

/// Explains a stage that failed by a condition; none where no rule of that name failed there.
///
/// That the rule failed is what CodePipeline says itself, and nothing of it can be evaluated: the finding is likely.
fn explain_condition(failure: &Failure, facts: &Facts<'_>, remediation: Remediation) -> Option<Report> {
    let details = &facts.snapshot().rule_executions;
    let failed = failed_conditions(details, &failure.execution_id, Some(&failure.stage));
    if !failed.iter().any(|condition| condition.rule == failure.action) {
        return None;
    }
    let findings = run(facts).findings.into_iter();
    // Without an action, there is no other message that a rule could be about.
    let told = findings.filter(|finding| finding.subject == Subject::Message);
    let likely = |finding| Ranked { confidence: Confidence::Likely, ruled_out: false, finding };
    Some(Report::of_condition(failure, told.map(likely).collect(), remediation))
}

/// Whether AWS's message fits the finding, and it is about an artifact bucket or its key: a request for one, or a fault
/// in how they are set up; or AWS names one of them where only its message shows the cause.
fn is_about_artifacts(cause: &Ranked, incident: &Incident<'_>, pipeline: &Pipeline) -> bool {
    let is_artifact = |denied: &Denied| {
        pipeline.stores().any(|store| {
            denied.bucket() == Some(store.bucket()) || store.key_id() == Some(denied.resource.as_str())
        })
    };
    let is_named = || {
        let resource = incident.denial.as_ref().and_then(|denial| denial.resource.as_deref());
        let is_it = |resource: &str| {
            pipeline
                .stores()
                .any(|store| bucket_of(resource) == Some(store.bucket()) || store.key_id() == Some(resource))
        };
        cause.finding.subject == Subject::Message && resource.is_some_and(is_it)
    };
    cause.confidence != Confidence::Possible
        && (cause.finding.denied.iter().any(is_artifact)
            || cause.finding.subject == Subject::Store
            || is_named())
}

#[cfg(test)]
mod tests;
