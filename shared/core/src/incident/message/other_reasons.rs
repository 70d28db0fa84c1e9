//! What has nothing to do with permissions, where no error code says so: in lower case, as services put it.

/// Any of these in a message that speaks of no refusal.
const OTHER_REASONS: [&str; 60] = [
    "as it is in use",
    "non-updatable status",
    "state and can not be updated",
    "state and cannot be updated",
    "_complete state",
    "_failed state",
    "does not exist",
    "doesn't exist",
    "do not exist",
    "no such file or directory",
    "not found",
    "cannot be found",
    "could not be found",
    "couldn't find",
    "could not find",
    "no instances were found",
    "already exists",
    "already in progress",
    "is in progress",
    "no updates are to be performed",
    "didn't contain changes",
    "requires capabilities",
    "template format error",
    "template error",
    "template validation error",
    "unresolved resource dependencies",
    "circular dependency",
    "must have values",
    "malformed",
    "is not valid",
    "is invalid",
    "invalid parameter",
    "invalid value",
    "invalid template",
    "unable to parse",
    "not a valid",
    "limit exceeded",
    "exceeded the maximum",
    "exceeds ",
    "circuit breaker",
    "not stabilize",
    "failed to stabilize",
    "larger than",
    "throttl",
    "rate exceeded",
    "quota",
    "too many requests",
    "connect timeout",
    "connection timed out",
    "connection refused",
    "i/o timeout",
    "no such host",
    "cluster unreachable",
    "task timed out after",
    "insufficient capacity",
    "unable to place a task",
    "no container instance",
    "failure signal",
    "no space left",
    "deployment controller",
];

/// Texts that leave it open: a registry says the same of an image that is not there and of one that it hides.
const OPEN: [&str; 4] =
    ["may require 'docker login'", "or you are not allowed", "or you do not have", "or you don't have"];

/// Whether the message gives a reason that no policy has anything to do with.
pub(super) fn says_one(lower: &str) -> bool {
    OTHER_REASONS.iter().any(|reason| lower.contains(reason)) && !OPEN.iter().any(|open| lower.contains(open))
}
