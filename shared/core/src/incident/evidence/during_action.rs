//! What was before the action began is no word on it: stacks and services remember earlier failures.

use serde_json::Value;

use super::Failure;
use crate::evaluation::date;

/// The clocks of two services differ by less.
const LEEWAY: i128 = 60 * NANOS;
const NANOS: i128 = 1_000_000_000;

/// Whether something happened while the action ran, as far as both times are known.
pub(super) fn happened_during_action(failure: &Failure, time: Option<&Value>) -> bool {
    match (failure.started.as_ref().and_then(nanos), time.and_then(nanos)) {
        (Some(began), Some(then)) => then + LEEWAY >= began,
        _ => true,
    }
}

/// Epoch seconds as services send them, or ISO 8601 as the AWS CLI prints them.
fn nanos(time: &Value) -> Option<i128> {
    match time {
        Value::Number(seconds) => {
            seconds.as_f64().map(|seconds| (seconds * 1_000.0) as i128 * (NANOS / 1_000))
        }
        Value::String(text) => date::parse(text),
        _ => None,
    }
}
