//! Messages that sum up a failure without saying why, and what is left: reasons that are read by nobody, and are not about
//! access.

use super::speaks_of_access;

/// Parts of messages that only say where something failed, or that it did.
const SUMMARIES: [&str; 15] = [
    "failed to create: [",
    "failed to update: [",
    "failed to delete: [",
    "current status",
    "describestackevents",
    "deployment d-",
    "execution failed",
    "operation failed",
    "deployment failed",
    "job failed",
    "failed to return a result",
    "build terminated with state",
    "see the details",
    "failure tolerance",
    "for more information",
];
/// Words of what may be about artifacts or roles, or about nothing in particular.
const OPEN: [&str; 10] = [
    "artifact",
    "bucket",
    "role",
    "policy",
    "internal",
    "unknown",
    "unexpected",
    "unable to retrieve",
    "jobfailed",
    "connection",
];
/// Words that a reason has at least.
const WORDS: usize = 4;

/// Whether a message says why something failed, in words that no list knows, none of which is about access.
pub(in crate::incident) fn gives_other_reason(message: &str) -> bool {
    let lower = message.to_ascii_lowercase();
    let says = |texts: &[&str]| texts.iter().any(|text| lower.contains(text));
    let sums_up = says(&SUMMARIES) || lower.trim_end_matches('.').ends_with(" failed");
    lower.split_whitespace().count() >= WORDS && !sums_up && !says(&OPEN) && !speaks_of_access(&lower)
}
