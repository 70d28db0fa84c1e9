//! Read, plan, write, verify of one policy document.

use std::time::Duration;

use crosspipe_aws::{AwsError, ErrorKind};
use crosspipe_core::grants::{PutError, Quota};
use crosspipe_core::policy::{Change, OwnedStatements, PolicyDocument};
use crosspipe_custom_resource::{Failure, Success};
use crosspipe_resources::{Document, failures};

use crate::lifecycle::ApplyError;
use crate::scope::Scope;

/// How long AWS may take to know a principal that was made a moment ago.
const PRINCIPAL_SPREADS: Duration = Duration::from_secs(20);
/// The pauses between a write and the readings that look for it, and between repeated writes.
const PAUSES: [Duration; 6] = [
    Duration::ZERO,
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// Writes until the plan finds nothing left to do.
///
/// The plan that finds nothing to do is the verification: it reads what AWS shows, by meaning. A statement
/// that somebody overwrote meanwhile is merged again into what is there by then.
pub async fn merge<D: Document>(
    document: &D,
    scope: &Scope<'_>,
    plan: impl Fn(Option<&PolicyDocument>) -> Result<Change, PutError>,
) -> Result<Merged, ApplyError> {
    let mut partially_applied = false;
    let mut last_written = None;
    for pause in PAUSES {
        // The first attempt is always made: the lease was waited for.
        if !pause.is_zero() && !scope.pause(pause).await {
            break;
        }
        let text = document.read().await.map_err(|error| ApplyError::by_aws(error, partially_applied))?;
        let current = text.as_deref().map(PolicyDocument::parse).transpose();
        let current = current.map_err(|error| {
            ApplyError::new(failures::unreadable(&document.arn(), &error), partially_applied)
        })?;
        let change = plan(current.as_ref())
            .map_err(|error| ApplyError::new(failures::put(&error), partially_applied))?;
        match &change {
            Change::None => return Ok(Merged { document: current, changed: partially_applied }),
            // Not shown yet: read once more before writing the very same again.
            written if last_written.as_ref() == Some(written) && pause < Duration::from_secs(2) => continue,
            Change::Put(changed) => put(document, changed, scope).await,
            Change::Delete => document.delete().await,
        }
        .map_err(|error| ApplyError::by_write(error, partially_applied))?;
        partially_applied = true;
        last_written = Some(change);
    }
    let failure = Failure::new(
        format!(
            "the policy of `{}` was saved, and reading it again did not show the change: something else keeps overwriting it",
            document.arn()
        ),
        "find out what else writes this policy (CloudTrail has the callers), let it keep foreign statements, and deploy again",
    );
    Err(ApplyError::new(failure, partially_applied))
}

/// A document with nothing left to do in it.
pub struct Merged {
    /// As it is now.
    pub document: Option<PolicyDocument>,
    /// Whether something was written.
    pub changed: bool,
}

/// The attributes of a grant.
pub fn success(statements: &OwnedStatements, quota: Quota, bytes: usize, notice: Option<String>) -> Success {
    let mut success = Success::default()
        .with("StatementIds", statements.wanted_sids().join(","))
        .with("PolicyBytes", bytes.to_string())
        .with("PolicyBytesLimit", quota.limit().to_string())
        .with("Notice", notice.clone().unwrap_or_default());
    success.reason = notice;
    success
}

/// Puts a document, patient with what AWS needs a moment for: a change of the same resource that is still
/// under way, and principals that were made just now.
async fn put<D: Document>(document: &D, changed: &PolicyDocument, scope: &Scope<'_>) -> Result<(), AwsError> {
    let mut waited = Duration::ZERO;
    loop {
        let Err(error) = document.put(changed).await else { return Ok(()) };
        let patient = error.kind == ErrorKind::Conflict || failures::is_unknown_principal(&error);
        let pause = Duration::from_millis(500).max(waited / 2);
        if !patient || waited > PRINCIPAL_SPREADS || !scope.pause(pause).await {
            return Err(error);
        }
        waited += pause;
    }
}
