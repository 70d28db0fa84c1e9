//! CloudFormation: the resources that failed in the stack's last operation, or why the change set did.
//!
//! See <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackEvent.html>.

use serde_json::Value;

use super::{Details, FAILURES, Failure, TargetFailure, during_action, text};
use crate::pipeline::Action;
use crate::snapshot::{Fact, Snapshot};

const STACK: &str = "AWS::CloudFormation::Stack";
/// How an operation begins; what a rollback begins with belongs to the operation that it rolls back.
const BEGINNINGS: [&str; 4] =
    ["CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"];

pub(super) fn read(failure: &Failure, action: &Action<'_>, snapshot: &Snapshot) -> Option<Details> {
    let stack = Failure::configuration(Some(failure), action, "StackName")?;
    let set = Failure::configuration(Some(failure), action, "ChangeSetName");
    let set = set.and_then(|set| snapshot.change_sets.get(&format!("{stack}/{set}"))?.known());
    let of_set = set.filter(|set| text(set, "/Status") == Some("FAILED"));
    let of_set = of_set.and_then(|set| text(set, "/StatusReason"));
    let events = snapshot.stack_events.get(stack).and_then(Fact::known);
    let operation = events.map(|events| last_operation(failure, events)).unwrap_or_default();
    let (of_stack, of_resources) = failed(&operation);
    let mut failures: Vec<TargetFailure> = of_resources.into_iter().map(resource).collect();
    // A nested stack failed for what is in its own events.
    let mut within = events.and_then(|events| failed_nested_stack(failure, events));
    while let Some(events) = within.and_then(|id| snapshot.stack_events.get(id)?.known()) {
        let inner = failed(&last_operation(failure, events)).1.into_iter().map(resource);
        failures = inner.chain(failures).collect();
        within = failed_nested_stack(failure, events).filter(|_| failures.len() < FAILURES);
    }
    let summed_up = of_stack.first().and_then(|event| text(event, "/ResourceStatusReason"));
    let status = snapshot.stacks.get(stack).and_then(Fact::known).filter(|_| !operation.is_empty());
    let status = status.and_then(|stack| text(stack, "/StackStatusReason"));
    let first = failures.first().map(|it| {
        let step = it.step.as_deref().unwrap_or_default();
        format!("{} is {step}: {}", it.target, it.message.as_deref().unwrap_or("it says no more"))
    });
    let reason = of_set.map(str::to_owned).or(first).or_else(|| summed_up.or(status).map(str::to_owned));
    Some(Details { reason, failures, ..Details::default() })
}

/// The id of the nested stack that failed first in the operation that an action began, where what failed first is
/// one: its own events say more.
pub fn failed_nested_stack<'v>(failure: &Failure, events: &'v [Value]) -> Option<&'v str> {
    let (_, of_resources) = failed(&last_operation(failure, events));
    let first = of_resources.first().filter(|event| text(event, "/ResourceType") == Some(STACK))?;
    text(first, "/PhysicalResourceId").filter(|id| id.contains(":stack/"))
}

/// What failed, the first first: of the stack itself, which only sums up, and of its resources. What was cancelled
/// only followed.
fn failed<'v>(operation: &[&'v Value]) -> (Vec<&'v Value>, Vec<&'v Value>) {
    let failed = |event: &&Value| {
        let cancelled =
            text(event, "/ResourceStatusReason").is_some_and(|reason| reason.ends_with("cancelled"));
        text(event, "/ResourceStatus").is_some_and(|status| status.ends_with("_FAILED")) && !cancelled
    };
    operation.iter().rev().copied().filter(failed).partition(|event| is_of_stack(event))
}

fn resource(event: &Value) -> TargetFailure {
    let id = text(event, "/LogicalResourceId").unwrap_or_default();
    let kind = text(event, "/ResourceType").unwrap_or("a resource");
    TargetFailure {
        target: format!("{id} ({kind})"),
        step: text(event, "/ResourceStatus").map(str::to_owned),
        message: text(event, "/ResourceStatusReason").map(str::to_owned),
        log_tail: None,
    }
}

/// The events of the operation that the action began, the last one first.
fn last_operation<'v>(failure: &Failure, events: &'v [Value]) -> Vec<&'v Value> {
    let recent = events
        .iter()
        .take_while(|event| during_action::happened_during_action(failure, event.get("Timestamp")));
    let mut operation = Vec::new();
    for event in recent {
        operation.push(event);
        if is_of_stack(event) && text(event, "/ResourceStatus").is_some_and(|it| BEGINNINGS.contains(&it)) {
            break;
        }
    }
    operation
}

/// Whether an event is the stack's own, not that of a nested one.
fn is_of_stack(event: &Value) -> bool {
    text(event, "/ResourceType") == Some(STACK) && event.get("PhysicalResourceId") == event.get("StackId")
}
