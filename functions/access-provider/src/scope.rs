//! On whose behalf, where and until when a request is served.

use std::time::{Duration, SystemTime};

use crosspipe_aws::Aws;
use crosspipe_aws::lease::{Lease, Leases};
use crosspipe_core::arn::Arn;
use crosspipe_core::owner::Owner;
use crosspipe_custom_resource::{Deadline, Failure, Request};
use crosspipe_resources::{ResourceContext, failures};

/// Time that is kept for the work itself when a lease is waited for.
const WORK: Duration = Duration::from_secs(10);
/// A lease outlives its holder by this much, in case clocks differ.
const SKEW: Duration = Duration::from_secs(5);

/// The circumstances of one request.
pub struct Scope<'a> {
    /// The clients.
    pub aws: &'a Aws,
    /// The function's account and Region, and the custom resource.
    pub place: ResourceContext,
    /// The request's id.
    pub request_id: String,
    /// By when to be done.
    pub deadline: Deadline,
    leases: &'a Leases,
    holder: String,
}

impl<'a> Scope<'a> {
    /// The circumstances of this request, served by this function.
    pub fn new(
        aws: &'a Aws,
        leases: &'a Leases,
        function: &Arn,
        request: &Request,
        deadline: Deadline,
    ) -> Self {
        Scope {
            aws,
            place: ResourceContext::of(function, Owner::new(request.stack_id(), request.logical_id())),
            request_id: request.request_id().to_owned(),
            deadline,
            leases,
            holder: format!("{}/{}", request.stack_id(), request.logical_id()),
        }
    }

    /// Waits until nobody else writes to the target.
    pub async fn lease(&self, target_arn: &str) -> Result<Lease, Failure> {
        lease(self.leases, target_arn, &self.holder, self.deadline).await
    }

    /// Whether there is time for a pause and for what comes after it; if so the pause has passed.
    pub async fn pause(&self, pause: Duration) -> bool {
        let enough = self.deadline.remaining() > pause + WORK;
        if enough {
            tokio::time::sleep(pause).await;
        }
        enough
    }
}

/// Waits until nobody else writes to the target.
pub async fn lease(
    leases: &Leases,
    target_arn: &str,
    holder: &str,
    deadline: Deadline,
) -> Result<Lease, Failure> {
    let now = SystemTime::now();
    let end = now + deadline.remaining();
    let give_up = end.checked_sub(WORK).unwrap_or(now);
    leases.acquire(target_arn, holder, end + SKEW, give_up).await.map_err(failures::lease)
}
