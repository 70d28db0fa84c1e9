//! Findings by cause: those that one fix resolves are one cause, whichever actions they concern.

use std::cmp::Reverse;
use std::collections::HashMap;

use crosspipe_core::diagnosis::Confidence;
use crosspipe_core::rules::Finding;

/// A finding, and how surely it is the cause where something failed.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// How surely it is the cause.
    pub confidence: Option<Confidence>,
}

/// The positions of the findings of each cause; none is empty. The surest come first where something failed, else the
/// worst.
pub(crate) fn group_by_cause(entries: &[Entry<'_>]) -> Vec<Vec<usize>> {
    let mut causes: Vec<Vec<usize>> = vec![];
    let mut places = HashMap::new();
    for (at, Entry { finding, confidence }) in entries.iter().enumerate() {
        let identity = (finding.rule, finding.severity as u8, confidence.map(|it| it as u8), &finding.fix);
        let place = *places.entry(identity).or_insert(causes.len());
        match causes.get_mut(place) {
            Some(cause) => cause.push(at),
            None => causes.push(vec![at]),
        }
    }
    causes.sort_by_key(|cause| {
        let entry = cause.first().and_then(|at| entries.get(*at));
        (entry.and_then(|it| it.confidence), Reverse(entry.map(|it| it.finding.severity)))
    });
    causes
}
