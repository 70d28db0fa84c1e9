//! What Create, Update and Delete mean for every resource type.
//!
//! All three are idempotent, because CloudFormation may send the same request more than once, and a Delete
//! may follow a Create that got no further than its first step. Each works alone on its target, under a lease.

use crosspipe_aws::{AwsError, ErrorKind};
use crosspipe_custom_resource::{Failure, Request, RequestType, Success};
use crosspipe_resources::{Resource, failures};

use crate::registry;
use crate::scope::Scope;

/// A custom resource that can be written.
pub trait Write: Resource {
    /// Brings the target to what is wanted; `previous` is what was wanted there before. The lease is held.
    async fn apply(&self, previous: Option<&Self>, scope: &Scope<'_>) -> Result<Applied, ApplyError>;

    /// Takes everything back. The lease is held.
    async fn revert(target: &Self::Target, scope: &Scope<'_>) -> Result<Success, ApplyError>;
}

/// What is wanted is there.
pub struct Applied {
    /// The answer.
    pub success: Success,
    /// Whether something was missing, and was written.
    pub changed: bool,
}

/// Why the work stopped, and whether something was written all the same.
pub struct ApplyError {
    /// The answer.
    pub failure: Failure,
    /// Whether a Delete has something to take back.
    pub partially_applied: bool,
    /// What AWS said, where it was AWS that stopped the work.
    pub kind: Option<ErrorKind>,
}

impl ApplyError {
    /// ApplyError before (`false`) or after (`true`) something was written.
    pub fn new(failure: Failure, partially_applied: bool) -> Self {
        ApplyError { failure, partially_applied, kind: None }
    }

    /// ApplyError by a failed AWS call.
    pub fn by_aws(error: AwsError, partially_applied: bool) -> Self {
        let kind = Some(error.kind);
        ApplyError { failure: failures::aws(error), partially_applied, kind }
    }

    /// ApplyError by a write of which it is certain that it did nothing, or not certain.
    pub fn by_write(error: AwsError, partially_applied: bool) -> Self {
        let refused =
            matches!(error.kind, ErrorKind::AccessDenied | ErrorKind::Invalid | ErrorKind::NotFound);
        ApplyError::by_aws(error, partially_applied || !refused)
    }
}

impl From<Failure> for ApplyError {
    /// Nothing was written before this failure.
    fn from(failure: Failure) -> Self {
        ApplyError::new(failure, false)
    }
}

/// Serves one request for a resource of this type.
pub async fn serve<R: Write>(request: &Request, scope: &Scope<'_>) -> Result<Success, Failure> {
    let properties = request.properties();
    if request.request_type() == RequestType::Delete {
        return delete::<R>(request, scope).await;
    }
    let resource = R::parse(properties, &scope.place)?;
    let target = R::target(properties, &scope.place)?;
    let id = physical_id::<R>(&target, scope);
    let old = request.old_properties().filter(|_| request.request_type() == RequestType::Update);
    let old_target = old.and_then(|old| R::target(old, &scope.place).ok());
    let moved = old_target.as_ref().is_some_and(|old| physical_id::<R>(old, scope) != id);
    let previous = old.filter(|_| !moved).and_then(|old| R::parse(old, &scope.place).ok());

    let lease = scope.lease(&R::target_arn(R::target_name(&target), &scope.place)).await?;
    let mut success = match resource.apply(previous.as_ref(), scope).await {
        Ok(applied) => registry::keep(lease, request, &id, scope, applied.success).await,
        Err(stopped) => {
            lease.release().await;
            let ApplyError { failure, partially_applied, .. } = stopped;
            return Err(if partially_applied { failure.made(id) } else { failure });
        }
    };
    // An Update that moves to another target answers a new physical id, and CloudFormation deletes the old
    // one. An Update *back* to where the physical id already points is the rollback of such a move that
    // failed: nobody will ever ask to delete what it left at the other target.
    if let Some(left_over) = old_target.filter(|_| moved && request.physical_id() == Some(id.as_str())) {
        revert::<R>(&left_over, scope, OutOfReach::NothingWasMade).await?;
    }
    success.physical_id = id;
    Ok(success)
}

async fn delete<R: Write>(request: &Request, scope: &Scope<'_>) -> Result<Success, Failure> {
    let id = request.physical_id().unwrap_or_default();
    // Where not even the target can be read, nothing can have been made.
    let Ok(target) = R::target(request.properties(), &scope.place) else { return Ok(Success::new(id)) };
    let success = revert::<R>(&target, scope, OutOfReach::IsAFailure).await?;
    Ok(Success { physical_id: id.to_owned(), ..success })
}

/// What it means if the target may not even be read.
enum OutOfReach {
    /// It can't have been written either: a move to it failed for the same reason.
    NothingWasMade,
    /// What was written there is still there.
    IsAFailure,
}

async fn revert<R: Write>(
    target: &R::Target,
    scope: &Scope<'_>,
    out_of_reach: OutOfReach,
) -> Result<Success, Failure> {
    let lease = scope.lease(&R::target_arn(R::target_name(target), &scope.place)).await?;
    let success = match R::revert(target, scope).await {
        Ok(success) => success,
        Err(ApplyError { kind: Some(ErrorKind::NotFound), .. }) => Success::default(),
        Err(ApplyError { kind: Some(ErrorKind::AccessDenied), partially_applied: false, .. })
            if matches!(out_of_reach, OutOfReach::NothingWasMade) =>
        {
            Success::default()
        }
        Err(ApplyError { failure, .. }) => {
            lease.release().await;
            return Err(failure);
        }
    };
    registry::strike(lease, scope).await?;
    Ok(success)
}

/// Deterministic from type, owner and target, so that a repeated request gives the same id and a changed
/// target another one.
fn physical_id<R: Write>(target: &R::Target, scope: &Scope<'_>) -> String {
    format!("crosspipe:{}:{}:{}", R::NAME, scope.place.owner.short(), R::target_name(target))
}
