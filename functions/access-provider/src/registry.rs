//! What each custom resource has applied, so that it can be applied again: a note on the lease of its target.
//!
//! It comes and goes with the lease, so it speaks of what was really applied last, and costs no call of its own.

use crosspipe_aws::lease::Lease;
use crosspipe_custom_resource::{Failure, Request, Success};
use serde_json::{Map, Value, json};

use crate::scope::Scope;

/// Releases the lease, noting what was applied under it.
///
/// A note that can't be written is no reason to fail: what it would be good for is mending alone.
pub async fn keep(
    lease: Lease,
    request: &Request,
    physical_id: &str,
    scope: &Scope<'_>,
    success: Success,
) -> Success {
    let record = json!({
        "ResourceType": request.resource_type(),
        "StackId": request.stack_id(),
        "LogicalResourceId": request.logical_id(),
        "PhysicalResourceId": physical_id,
        "ResourceProperties": request.properties(),
    });
    match lease.release_noting(&scope.place.owner.short(), Some(&record.to_string())).await {
        Ok(()) => success,
        Err(error) => {
            tracing::warn!(request_id = request.request_id(), %error, "what was applied is not on record");
            remark(
                success,
                "What was applied could not be put on record, so if it goes missing it can't be mended automatically; any update of this resource puts it on record.",
            )
        }
    }
}

/// Releases the lease, striking what the owner had on record.
///
/// # Errors
/// What is on record may be applied again, so a resource is not gone while it is.
pub async fn strike(lease: Lease, scope: &Scope<'_>) -> Result<(), Failure> {
    lease.release_noting(&scope.place.owner.short(), None).await.map_err(|error| {
        Failure::new(
            format!("everything was taken back, but it is still on record in the lock table: {error}"),
            "delete again, so that it is not applied again when it is missed",
        )
    })
}

/// The requests that what is on record was applied by, as Updates that change nothing.
pub fn requests(lease: &Lease, request_id: &str) -> Vec<Result<Request, Failure>> {
    lease.notes().values().map(|record| read(record, request_id)).collect()
}

fn read(record: &str, request_id: &str) -> Result<Request, Failure> {
    let mut event: Map<String, Value> = serde_json::from_str(record).map_err(|error| {
        Failure::new(format!("a record of what was applied can't be read: {error}"), "update the resource")
    })?;
    event.insert("RequestType".to_owned(), "Update".into());
    event.insert("RequestId".to_owned(), request_id.into());
    // What runs and what does not is for whoever mends to say.
    if let Some(Value::Object(properties)) = event.get_mut("ResourceProperties") {
        properties.remove("StartExecution");
    }
    Request::parse(Value::Object(event))
}

fn remark(mut success: Success, remark: &str) -> Success {
    let said = success.reason.take().map(|reason| format!("{reason} {remark}"));
    let said = said.unwrap_or_else(|| remark.to_owned());
    success.reason = Some(said.clone());
    success.with("Notice", said)
}
