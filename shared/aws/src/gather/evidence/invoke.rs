//! Lambda functions and Step Functions state machines that a pipeline invokes.

use crosspipe_core::snapshot::{Fact, Snapshot, StateMachineExecutionFacts};
use futures_util::future::join;
use serde_json::Value;

use super::{ActionQuery, Evidence, roles_named, without_member};
use crate::gather::known_facts;

/// The failure is among the last few: what follows it are the states that it ended.
const EVENTS: i32 = 50;

/// Whether the function exists, what state it is in, and its role.
pub(super) async fn read_function(query: ActionQuery<'_>) -> Evidence {
    let Some(name) = query.of("FunctionName") else { return Evidence::default() };
    let lambda = query.aws.lambda();
    let configuration = async { Ok(without_member(lambda.configuration(name).await?, "Environment")) };
    let function = query.reader.known(&format!("function {name}"), configuration).await;
    let roles = function.known().into_iter().flat_map(|it: &Value| roles_named(it, &["Role"])).collect();
    let functions = known_facts([(name.to_owned(), function)]);
    Evidence { parts: Snapshot { functions, ..Snapshot::default() }, roles, instance_roles: None }
}

/// The execution that failed, by its ARN, and its last events.
pub(super) async fn state_machine(query: ActionQuery<'_>) -> Evidence {
    let Some(arn) = query.external_id().filter(|id| id.contains(":execution:")) else {
        return Evidence::default();
    };
    let states = query.aws.stepfunctions();
    let execution =
        async { Ok(without_member(without_member(states.execution(arn).await?, "input"), "output")) };
    let about = format!("execution {arn}");
    let (execution, events) = join(
        query.reader.known(&about, execution),
        query.reader.known(&about, states.last_events(arn, EVENTS)),
    )
    .await;
    let facts = match (execution, events) {
        (Fact::Absent, _) => Fact::Absent,
        (Fact::Unknown, Fact::Unknown) => Fact::Unknown,
        (execution, events) => Fact::Known(StateMachineExecutionFacts { execution, events }),
    };
    let state_machine_executions = known_facts([(arn.to_owned(), facts)]);
    Evidence::of(Snapshot { state_machine_executions, ..Snapshot::default() })
}
