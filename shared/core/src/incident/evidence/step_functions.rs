//! Step Functions: the execution's error and cause, and the state that failed last.
//!
//! See <https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html>.

use serde_json::Value;

use super::{Details, Failure, TargetFailure, joined, text};
use crate::snapshot::{Fact, Snapshot};

pub(super) fn read(failure: &Failure, snapshot: &Snapshot) -> Option<Details> {
    let arn = failure.external_execution_id.as_deref()?;
    let facts = match snapshot.state_machine_executions.get(arn)? {
        Fact::Known(facts) => facts,
        Fact::Absent => return Some(Details::missing(&format!("execution {arn}"))),
        Fact::Unknown => return None,
    };
    let reason = facts.execution.known().and_then(|execution| {
        let said = joined([text(execution, "/error"), text(execution, "/cause")]);
        said.or_else(|| text(execution, "/status").map(|status| format!("the execution is {status}")))
    });
    let failures = facts.events.known().and_then(|events| last_failure(events)).into_iter().collect();
    Some(Details { reason, failures, ..Details::default() })
}

/// The last failure of a state, with the state that had been entered before it. Events come last first.
fn last_failure(events: &[Value]) -> Option<TargetFailure> {
    let is_failure = |event: &Value| {
        let kind = text(event, "/type").unwrap_or_default();
        !kind.starts_with("Execution") && (kind.ends_with("Failed") || kind.ends_with("TimedOut"))
    };
    let at = events.iter().position(is_failure)?;
    let (event, before) = events.get(at..)?.split_first()?;
    let entered = before.iter().find_map(|event| text(event, "/stateEnteredEventDetails/name"));
    // `taskFailedEventDetails`, `lambdaFunctionTimedOutEventDetails`, …: the kind is in the member's name.
    let members = event.as_object()?.iter().filter(|(name, _)| name.ends_with("EventDetails"));
    let details = members.map(|(_, details)| details).next();
    let said = |member: &str| details.and_then(|details| text(details, member));
    Some(TargetFailure {
        target: format!("state {}", entered.unwrap_or("?")),
        step: text(event, "/type").map(str::to_owned),
        message: joined([said("/resource"), said("/error"), said("/cause")]),
        log_tail: None,
    })
}
