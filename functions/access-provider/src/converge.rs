//! Read, plan, write, until there is nothing left to write.

use std::time::{Duration, Instant};

use crosspipe_aws::{AwsError, ErrorKind};
use crosspipe_custom_resource::{Failure, Request};
use crosspipe_resources::{Memories, Plan, Resource, ResourceError, failures, is_assume_role_refusal};

use crate::records::Records;
use crate::scope::{self, Scope, is_denied_to_fresh_role};

/// How long AWS may take to know a principal that was made a moment ago.
const PRINCIPAL_PROPAGATION: Duration = Duration::from_secs(20);
/// How long a write may not show in what is read before it is written again.
const READ_LAG: Duration = Duration::from_secs(2);
/// How often something may be written that somebody else overwrites.
const MOST_WRITES: usize = 5;

/// Everything is in place.
pub(crate) struct Converged<R: Resource> {
    /// As it was read last.
    pub live: R::Live,
    /// Whether something was written.
    pub changed: bool,
    /// What is to know, one sentence each.
    pub remarks: Vec<String>,
    /// What all owners have to have on record now.
    pub memories: Memories<R>,
}

/// Why the work stopped, and whether something was written all the same.
pub(crate) struct ApplyError {
    /// The answer.
    pub failure: Failure,
    /// Whether a Delete has something to take back.
    pub partially_applied: bool,
    /// What AWS said, where it was AWS that stopped the work.
    pub kind: Option<ErrorKind>,
}

impl From<Failure> for ApplyError {
    /// Nothing was written before this failure.
    fn from(failure: Failure) -> Self {
        ApplyError { failure, partially_applied: false, kind: None }
    }
}

/// Brings a target to what is wanted. The lease on it is held.
///
/// Every attempt reads, plans and writes anew: nothing is ever sent that was planned before a pause. The plan that finds
/// nothing to write is the verification. If nothing was written, the records are as they were.
pub(crate) async fn converge<R: Resource>(
    resource: &R,
    records: &mut Records,
    request: (&Request, &str),
    scope: &Scope<'_>,
) -> Result<Converged<R>, ApplyError> {
    let checkpoint = records.checkpoint();
    let mut progress =
        Progress::<R> { started: Instant::now(), written: None, writes: 0, remarks: Vec::new() };
    let outcome = progress.run(resource, records, request, scope).await;
    outcome.map_err(|(error, kind)| {
        let partially_applied = progress.writes > 0;
        if !partially_applied {
            records.restore(checkpoint);
        }
        ApplyError { failure: error, partially_applied, kind }
    })
}

struct Progress<R: Resource> {
    started: Instant,
    /// What was written last, and when.
    written: Option<(R::Change, Instant)>,
    /// How many writes were done, or may have been.
    writes: usize,
    remarks: Vec<String>,
}

enum Attempt<R: Resource> {
    Done(R::Live, Memories<R>),
    Wrote,
    NotShownYet,
}

type Stopped = (Failure, Option<ErrorKind>);

impl<R: Resource> Progress<R> {
    async fn run(
        &mut self,
        resource: &R,
        records: &mut Records,
        request: (&Request, &str),
        scope: &Scope<'_>,
    ) -> Result<Converged<R>, Stopped> {
        let mut pauses = scope::attempt_pauses();
        loop {
            let stopped = match self.attempt(resource, records, request, scope).await {
                Ok(Attempt::Done(live, memories)) => {
                    let remarks = std::mem::take(&mut self.remarks);
                    return Ok(Converged { live, changed: self.writes > 0, remarks, memories });
                }
                // Reading it again is the verification, and needs no pause.
                Ok(Attempt::Wrote) if self.writes < MOST_WRITES => continue,
                Ok(Attempt::Wrote | Attempt::NotShownYet) => {
                    (overwritten_failure(&R::target_arn(resource.target(), &scope.context)), None)
                }
                Err(ResourceError::Failure(failure)) => return Err((failure, None)),
                Err(ResourceError::Aws(error)) => {
                    let (kind, passes) = (error.kind, self.passes(&error));
                    tracing::info!(%error, passes, "an attempt failed");
                    let stopped = (resource.explain(error, &scope.context), Some(kind));
                    if !passes {
                        return Err(stopped);
                    }
                    stopped
                }
            };
            if self.writes >= MOST_WRITES || !scope.pause(&mut pauses).await {
                return Err(stopped);
            }
        }
    }

    async fn attempt(
        &mut self,
        resource: &R,
        records: &mut Records,
        (request, physical_id): (&Request, &str),
        scope: &Scope<'_>,
    ) -> Result<Attempt<R>, ResourceError> {
        let live = resource.read(scope.aws, &scope.context).await?;
        let memories: Memories<R> = records.memories::<R>()?;
        let Plan { change, during, after, remarks } = resource.plan(&live, &memories, &scope.context)?;
        self.remarks.extend(remarks);
        let Some(change) = change else { return Ok(Attempt::Done(live, after)) };
        if let Some((written, at)) = &self.written
            && *written == change
            && at.elapsed() < READ_LAG
        {
            return Ok(Attempt::NotShownYet);
        }
        records.remember::<R>(&during, request, physical_id).await?;
        match resource.write(scope.aws, &scope.context, &live, &change).await {
            Ok(remark) => self.remarks.extend(remark),
            Err(error) => {
                // Of any other error it is not certain that nothing was written.
                let refused = matches!(
                    error.kind,
                    ErrorKind::AccessDenied
                        | ErrorKind::Conflict
                        | ErrorKind::Invalid
                        | ErrorKind::NotFound
                        | ErrorKind::Throttled
                );
                self.writes += usize::from(!refused);
                return Err(error.into());
            }
        }
        self.writes += 1;
        self.written = Some((change, Instant::now()));
        Ok(Attempt::Wrote)
    }

    /// Whether the same attempt may go well a moment later.
    fn passes(&self, error: &AwsError) -> bool {
        match error.kind {
            ErrorKind::Conflict | ErrorKind::Throttled | ErrorKind::Unavailable => true,
            ErrorKind::AccessDenied => is_denied_to_fresh_role(error),
            _ if failures::is_unknown_principal(error) => self.started.elapsed() < PRINCIPAL_PROPAGATION,
            _ => is_assume_role_refusal(error),
        }
    }
}

fn overwritten_failure(arn: &str) -> Failure {
    Failure::new(
        format!(
            "`{arn}` was written, and reading it again did not show the change: something else keeps overwriting it"
        ),
        "find out what else writes it (CloudTrail has the callers), let it keep what is not its own, and deploy again",
    )
}
