//! Lambda: whether the function is there, and whether it can be invoked.
//!
//! See <https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html>.

use super::{Details, Failure, joined, text};
use crate::pipeline::Action;
use crate::snapshot::{Fact, Snapshot};

pub(super) fn read(failure: &Failure, action: &Action<'_>, snapshot: &Snapshot) -> Option<Details> {
    let name = Failure::configuration(Some(failure), action, "FunctionName")?;
    let function = match snapshot.functions.get(name)? {
        Fact::Known(function) => function,
        Fact::Absent => return Some(Details::missing(&format!("function {name}"))),
        Fact::Unknown => return None,
    };
    let state = text(function, "/State").filter(|state| matches!(*state, "Failed" | "Inactive" | "Pending"));
    let state = state.map(|state| {
        let why = joined([text(function, "/StateReasonCode"), text(function, "/StateReason")]);
        format!("function {name} is {state}: {}", why.as_deref().unwrap_or("it says no more"))
    });
    let update = text(function, "/LastUpdateStatus").filter(|status| *status == "Failed").map(|_| {
        let why = joined([
            text(function, "/LastUpdateStatusReasonCode"),
            text(function, "/LastUpdateStatusReason"),
        ]);
        format!("the last update of function {name} failed: {}", why.as_deref().unwrap_or("it says no more"))
    });
    Some(Details { reason: state.or(update), ..Details::default() })
}
