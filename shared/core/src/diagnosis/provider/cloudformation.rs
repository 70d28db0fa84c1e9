//! CloudFormation: the resources that failed in the stack's last operation, or why the change set did.
//!
//! See <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackEvent.html>.

use serde_json::Value;

use super::{Details, Failure, TargetFailure, since, text};
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
    let events: Vec<&Value> = events.map(|events| last_operation(failure, events)).unwrap_or_default();
    // What was cancelled only followed; and the stack itself only sums up.
    let failed = |event: &&&Value| {
        let cancelled =
            text(event, "/ResourceStatusReason").is_some_and(|reason| reason.ends_with("cancelled"));
        text(event, "/ResourceStatus").is_some_and(|status| status.ends_with("_FAILED")) && !cancelled
    };
    let (of_stack, of_resources): (Vec<&Value>, Vec<&Value>) =
        events.iter().rev().filter(failed).partition(|event| is_of_stack(event));
    let failures: Vec<TargetFailure> = of_resources.into_iter().map(resource).collect();
    let summed_up = of_stack.first().and_then(|event| text(event, "/ResourceStatusReason"));
    let status = snapshot.stacks.get(stack).and_then(Fact::known);
    let status = status.filter(|_| !events.is_empty()).and_then(|stack| text(stack, "/StackStatusReason"));
    let first = failures.first().map(|it| {
        let step = it.step.as_deref().unwrap_or_default();
        format!("{} is {step}: {}", it.target, it.message.as_deref().unwrap_or("it says no more"))
    });
    let reason = of_set.map(str::to_owned).or(first).or_else(|| summed_up.or(status).map(str::to_owned));
    Some(Details { reason, failures, ..Details::default() })
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
    let recent = events.iter().take_while(|event| since::began(failure, event.get("Timestamp")));
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
