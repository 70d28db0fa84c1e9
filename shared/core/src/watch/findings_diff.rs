//! The faults of now against those that are known.

use super::finding_key::FindingKey;
use crate::pipeline::Pipeline;
use crate::rules::{Diagnostics, Finding, Severity, Unknown};
use crate::snapshot::Snapshot;

/// What changed since the last look.
#[derive(Debug, Default)]
pub struct FindingsDiff {
    /// New faults, one finding each.
    pub found: Vec<Finding>,
    /// Faults that are gone.
    pub mended: Vec<FindingKey>,
    /// What is known from now on.
    pub known: Vec<FindingKey>,
}

impl FindingsDiff {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty() && self.mended.is_empty()
    }
}

/// Compares what the rules say now with the faults that are known.
///
/// Only what makes an action fail is news; warnings are for `crosspipe lint`. A known fault that can't be judged
/// now because something can't be read stays known: it is neither mended nor new. One is just forgotten, to be
/// told again if it comes back, that gave way to another fault of the same place, or that can't be judged
/// although everything was read, as with a condition on what only the request will show: it may not be mended.
pub fn compare(
    known: &[FindingKey],
    verdicts: &Diagnostics,
    snapshot: &Snapshot,
    pipeline: &Pipeline,
) -> FindingsDiff {
    let mut news = FindingsDiff::default();
    for finding in verdicts.findings.iter().filter(|finding| finding.severity == Severity::Error) {
        let fault = FindingKey::of(finding, pipeline);
        if news.known.iter().any(|other| other.is(&fault)) {
            continue;
        }
        if !known.iter().any(|other| other.is(&fault)) {
            news.found.push(finding.clone());
        }
        news.known.push(fault);
    }
    let new: Vec<FindingKey> = news.found.iter().map(|finding| FindingKey::of(finding, pipeline)).collect();
    let gone: Vec<&FindingKey> =
        known.iter().filter(|fault| !news.known.iter().any(|other| other.is(fault))).collect();
    for fault in gone {
        let unsettled: Vec<&Unknown> =
            verdicts.unknown.iter().filter(|unknown| fault.is_unsettled_by(unknown)).collect();
        if unsettled.iter().any(|unknown| !snapshot.is_read(&unknown.missing)) {
            news.known.push(fault.clone());
        } else if unsettled.is_empty() && !new.iter().any(|other| other.is_in_place_of(fault)) {
            news.mended.push(fault.clone());
        }
    }
    news
}
