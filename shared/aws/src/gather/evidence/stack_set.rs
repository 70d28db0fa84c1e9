//! CloudFormation StackSets: what the operation came to in each account.

use crosspipe_core::snapshot::Snapshot;

use super::{ActionQuery, Evidence};
use crate::gather::known_facts;

/// An organization may have thousands of accounts; what fails in more than some hundreds fails for one reason.
const PAGES: usize = 3;

pub(super) async fn read(query: ActionQuery<'_>) -> Evidence {
    let (Some(set), Some(_)) = (query.of("StackSetName"), query.failure) else { return Evidence::default() };
    let cloudformation = query.aws.cloudformation();
    let call_as = query.of("CallAs");
    let results = async {
        let operation = match query.external_id().filter(|id| is_operation(id)) {
            Some(id) => Some(id.to_owned()),
            None => cloudformation.last_stack_set_operation(set, call_as).await?,
        };
        let Some(operation) = operation else { return Ok(None) };
        cloudformation.stack_set_operation_results(set, &operation, call_as, PAGES).await.map(Some)
    };
    let results = query.reader.fact(&format!("operation of stack set {set}"), results).await;
    let stack_set_operations = known_facts([(set.to_owned(), results)]);
    Evidence::of(Snapshot { stack_set_operations, ..Snapshot::default() })
}

/// Whether the id that CodePipeline knows is that of an operation, not of a stack or its set.
fn is_operation(id: &str) -> bool {
    id.len() == 36 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}
