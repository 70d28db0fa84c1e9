//! CloudFormation StackSets: the accounts and Regions in which the operation failed.
//!
//! See <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackSetOperationResultSummary.html>.

use serde_json::Value;

use super::{Details, Failure, TargetFailure, joined, text};
use crate::pipeline::Action;
use crate::snapshot::Snapshot;

pub(super) fn read(failure: &Failure, action: &Action<'_>, snapshot: &Snapshot) -> Option<Details> {
    let set = Failure::configuration(Some(failure), action, "StackSetName")?;
    let results = snapshot.stack_set_operations.get(set)?.known()?;
    // What was cancelled only followed.
    let failed = results.iter().filter(|result| text(result, "/Status") == Some("FAILED"));
    let failures: Vec<TargetFailure> = failed.map(in_account).collect();
    let reason = failures.first().map(|first| {
        format!("{} failed: {}", first.target, first.message.as_deref().unwrap_or("it says no more"))
    });
    Some(Details { reason, failures, ..Details::default() })
}

fn in_account(result: &Value) -> TargetFailure {
    let place = |pointer| text(result, pointer).unwrap_or("?");
    // A gate that is skipped, since the account has none, has a reason, too.
    let gate = text(result, "/AccountGateResult/Status") == Some("FAILED");
    let gate = text(result, "/AccountGateResult/StatusReason").filter(|_| gate);
    TargetFailure {
        target: format!("account {} in {}", place("/Account"), place("/Region")),
        step: text(result, "/Status").map(str::to_owned),
        message: joined([text(result, "/StatusReason"), gate]),
        log_tail: None,
    }
}
