//! The findings of this check compared with those that were notified.

use super::finding_key::FindingKey;
use crate::pipeline::Pipeline;
use crate::rules::{Diagnostics, Finding, Severity, Unknown};
use crate::snapshot::Snapshot;

/// What changed since the last check.
#[derive(Debug, Default)]
pub struct FindingsDiff {
    /// New findings, one for each key.
    pub detected: Vec<Finding>,
    /// Findings that no longer hold.
    pub resolved: Vec<FindingKey>,
    /// The findings that count as notified once this diff was sent.
    pub known: Vec<FindingKey>,
}

impl FindingsDiff {
    /// Whether there is nothing to notify of.
    pub fn is_empty(&self) -> bool {
        self.detected.is_empty() && self.resolved.is_empty()
    }
}

/// Compares the rules' findings with the notified ones.
///
/// Only findings of severity `error` count; warnings are for `crosspipe lint`. A notified finding that can't be
/// judged because something can't be read stays notified: it is neither resolved nor new. It is dropped without
/// notice, and notified again if it comes back, in two cases: another finding about the same resource takes its
/// place, or it can't be judged although everything was read (a condition on a value that only the request has).
pub fn compare_findings(
    known: &[FindingKey],
    diagnostics: &Diagnostics,
    snapshot: &Snapshot,
    pipeline: &Pipeline,
) -> FindingsDiff {
    let mut diff = FindingsDiff::default();
    for finding in diagnostics.findings.iter().filter(|finding| finding.severity == Severity::Error) {
        let key = FindingKey::from_finding(finding, pipeline);
        if diff.known.iter().any(|other| other.is_same(&key)) {
            continue;
        }
        if !known.iter().any(|other| other.is_same(&key)) {
            diff.detected.push(finding.clone());
        }
        diff.known.push(key);
    }
    let new: Vec<FindingKey> =
        diff.detected.iter().map(|finding| FindingKey::from_finding(finding, pipeline)).collect();
    let gone: Vec<&FindingKey> =
        known.iter().filter(|key| !diff.known.iter().any(|other| other.is_same(key))).collect();
    for key in gone {
        let undecided: Vec<&Unknown> =
            diagnostics.unknown.iter().filter(|unknown| key.is_undecided_without(unknown)).collect();
        if undecided.iter().any(|unknown| !snapshot.is_read(&unknown.missing)) {
            diff.known.push(key.clone());
        } else if undecided.is_empty() && !new.iter().any(|other| other.has_same_subject(key)) {
            diff.resolved.push(key.clone());
        }
    }
    diff
}
