//! CloudFormation: the stack, its events and the change set.

use crosspipe_core::incident::evidence::failed_nested_stack;
use crosspipe_core::snapshot::{Fact, Snapshot};
use futures_util::future::join3;
use serde_json::Value;

use super::{ActionQuery, Evidence, roles_named};
use crate::cloudformation::CloudFormation;
use crate::gather::known_facts;

/// An operation that touches more than some hundreds of resources fails in one of its last.
const PAGES: usize = 3;
/// Stacks within stacks, each of which failed for what is in the next.
const NESTED: usize = 3;

pub(super) async fn read(query: ActionQuery<'_>) -> Evidence {
    let Some(name) = query.of("StackName") else { return Evidence::default() };
    let cloudformation = query.aws.cloudformation();
    // By its id a stack is found that was deleted since.
    let id = query.external_id().filter(|id| id.contains(":stack/")).unwrap_or(name);
    let about = format!("stack {name}");
    let stack = query.reader.fact(&about, cloudformation.stack(id));
    let events = read_events(query, &cloudformation, name, id);
    let change_set = async {
        let set = query.of("ChangeSetName").filter(|_| query.failure.is_some())?;
        let about = format!("change set {set} of stack {name}");
        Some((set, query.reader.known(&about, cloudformation.change_set(name, set)).await))
    };
    let (stack, events, change_set) = join3(stack, events, change_set).await;
    let roles =
        stack.known().into_iter().flat_map(|stack: &Value| roles_named(stack, &["RoleARN"])).collect();
    let change_set = change_set.map(|(set, facts)| (format!("{name}/{set}"), facts));
    let parts = Snapshot {
        stacks: known_facts([(name.to_owned(), stack)]),
        stack_events: known_facts(events),
        change_sets: known_facts(change_set),
        ..Snapshot::default()
    };
    Evidence { parts, roles, instance_roles: None }
}

/// The events of a stack, by its name, and of the nested ones that it failed for, by their ids.
async fn read_events(
    query: ActionQuery<'_>,
    cloudformation: &CloudFormation,
    name: &str,
    id: &str,
) -> Vec<(String, Fact<Vec<Value>>)> {
    let mut found = Vec::new();
    let Some(failure) = query.failure else { return found };
    let (mut next, mut key) = (id.to_owned(), name.to_owned());
    for _ in 0..=NESTED {
        let about = format!("events of stack {key}");
        let events = query.reader.fact(&about, cloudformation.stack_events(&next, PAGES)).await;
        let nested = events.known().and_then(|events| failed_nested_stack(failure, events));
        let nested = nested.map(str::to_owned);
        found.push((key, events));
        let Some(nested) = nested else { break };
        (next, key) = (nested.clone(), nested);
    }
    found
}
