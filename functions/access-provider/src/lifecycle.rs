//! What Create, Update and Delete mean for every resource type.
//!
//! All three are idempotent, because CloudFormation may send the same request more than once, and a Delete
//! may follow a Create that got no further than its first step. Each works alone on its target, under a lease.

use crosspipe_aws::ErrorKind;
use crosspipe_custom_resource::{Failure, Request, Success};
use crosspipe_resources::{Resource, failures};

use crate::converge::{ApplyError, Converged, converge};
use crate::records::Records;
use crate::scope::Scope;

/// The longest text of `Notice`, in bytes: it is sent twice, and an answer has 4,096 bytes.
const LONGEST_NOTICE: usize = 1_400;

/// Serves a Create or an Update.
pub(crate) async fn apply_request<R: Resource>(
    request: &Request,
    scope: &Scope<'_>,
) -> Result<Success, Failure> {
    let resources = R::parse(request.properties(), &scope.context).map_err(failures::of_field)?;
    let id = physical_id(&resources, scope);
    let mut success = Success::new(&*id);
    let mut notices = Vec::new();
    for (index, resource) in resources.iter().enumerate() {
        match apply_one(resource, request, &id, scope).await {
            Ok((attributes, remarks)) => {
                success.data.extend(attributes.data);
                notices.extend(remarks);
            }
            Err(ApplyError { failure, partially_applied, .. }) => {
                return Err(if partially_applied || index > 0 { failure.made(id) } else { failure });
            }
        }
    }
    // An Update that answers another physical id has CloudFormation delete the old one. Where it stays the same, nobody
    // will ever ask to delete what was left at a former target: of a list that got shorter, or of a move that failed
    // and is rolled back by this request.
    if request.physical_id() == Some(id.as_str()) {
        let before = request.old_properties().and_then(|old| R::parse_absent(old, &scope.context).ok());
        for left in before.unwrap_or_default() {
            if resources.iter().all(|resource| resource.target() != left.target()) {
                notices.extend(revert_target(&left, request, scope, IfDenied::OnlyWhatIsOnRecord).await?);
            }
        }
    }
    Ok(with_notice(success, notices))
}

async fn apply_one<R: Resource>(
    resource: &R,
    request: &Request,
    id: &str,
    scope: &Scope<'_>,
) -> Result<(Success, Vec<String>), ApplyError> {
    let mut records = open_records(resource, request, scope).await?;
    let mut outcome = converge(resource, &mut records, (request, id), scope).await;
    if let Ok(Converged { changed, memories, .. }) = &outcome {
        records.set_applied(request, id);
        records.set_memories::<R>(memories);
        if let Err(error) = resource.finish(scope.aws, &scope.request_id, *changed).await {
            let kind = Some(error.kind);
            let failure = resource.explain(error, &scope.context);
            outcome = Err(ApplyError { failure, partially_applied: true, kind });
        }
    }
    let stored = records.close().await;
    match outcome {
        Ok(Converged { live, remarks, .. }) => {
            let mut notices = remarks;
            notices.extend(resource.notices(&live));
            if let Err(error) = stored {
                tracing::warn!(request_id = scope.request_id, %error, "what was applied is not on record");
                notices.push("What was applied could not be put on record, so if it goes missing it can't be put back automatically; any update of this resource puts it on record.".to_owned());
            }
            Ok((resource.attributes(&live, &scope.context), notices))
        }
        // What is on record for nothing is for a Delete to take back.
        Err(error) => {
            Err(ApplyError { partially_applied: error.partially_applied || stored.is_err(), ..error })
        }
    }
}

/// Serves a Delete.
pub(crate) async fn delete_request<R: Resource>(
    request: &Request,
    scope: &Scope<'_>,
) -> Result<Success, Failure> {
    let id = request.physical_id().unwrap_or_default();
    // Where not even the target can be read, nothing can have been made.
    let resources = R::parse_absent(request.properties(), &scope.context).unwrap_or_default();
    let mut remarks = Vec::new();
    for resource in resources {
        remarks.extend(revert_target(&resource, request, scope, IfDenied::Fail).await?);
    }
    Ok(with_notice(Success::new(id), remarks))
}

/// What it means if the target may not even be read.
#[derive(PartialEq)]
enum IfDenied {
    /// It can't have been written either, unless it is on record: a move to it failed for the same reason.
    OnlyWhatIsOnRecord,
    /// What was written there is still there.
    Fail,
}

/// Takes back what the resource did to a target; answers what was left alone and why.
async fn revert_target<R: Resource>(
    resource: &R,
    request: &Request,
    scope: &Scope<'_>,
    if_denied: IfDenied,
) -> Result<Vec<String>, Failure> {
    let mut records = open_records(resource, request, scope).await?;
    let had_record = records.has_own();
    let id = request.physical_id().unwrap_or_default();
    let remarks = match converge(resource, &mut records, (request, id), scope).await {
        Ok(Converged { remarks, memories, .. }) => {
            records.set_memories::<R>(&memories);
            remarks
        }
        Err(ApplyError { kind: Some(ErrorKind::NotFound), .. }) => Vec::new(),
        Err(ApplyError { kind: Some(ErrorKind::AccessDenied), partially_applied: false, .. })
            if !had_record && if_denied == IfDenied::OnlyWhatIsOnRecord =>
        {
            Vec::new()
        }
        Err(ApplyError { failure, .. }) => {
            // If this fails, the records say more than is there, which the next Delete finds.
            drop(records.close().await);
            return Err(failure);
        }
    };
    records.set_deleted(request);
    // What is on record may be applied again, so a resource is not gone while it is.
    records.close().await.map_err(|error| {
        Failure::new(
            format!("everything was taken back, but it is still on record in the lock table: {error}"),
            "delete again, so that it is not applied again when it is missed",
        )
    })?;
    Ok(remarks)
}

/// Takes the lease on the target, unless the request comes late.
async fn open_records<R: Resource>(
    resource: &R,
    request: &Request,
    scope: &Scope<'_>,
) -> Result<Records, Failure> {
    let lease = scope.lease(&R::target_arn(resource.target(), &scope.context)).await?;
    let records = Records::open(lease, &scope.context.owner).await?;
    match records.refuse_late(request) {
        Ok(()) => Ok(records),
        Err(failure) => {
            // Nothing was changed, so nothing is lost.
            drop(records.close().await);
            Err(failure)
        }
    }
}

fn with_notice(mut success: Success, mut notices: Vec<String>) -> Success {
    let mut seen = std::collections::BTreeSet::new();
    notices.retain(|notice| seen.insert(notice.clone()));
    if notices.is_empty() {
        // Said, because a template's output should not be empty.
        return success.with("Notice", "none");
    }
    let notice = failures::cut_to_bytes(&notices.join(" "), LONGEST_NOTICE);
    success.reason = Some(notice.clone());
    success.with("Notice", notice)
}

/// Deterministic from type, owner and target, so that a repeated request gives the same id and a changed
/// target another one.
fn physical_id<R: Resource>(resources: &[R], scope: &Scope<'_>) -> String {
    let name = resources.first().map(R::physical_name).unwrap_or_default();
    format!("crosspipe:{}:{}:{name}", R::TYPE.name(), scope.context.owner.short())
}
