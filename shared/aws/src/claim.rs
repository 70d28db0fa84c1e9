//! Work done once although events arrive at least once.
//!
//! A claim is a lease that nobody waits for and that is kept, once the work is done, for as long as a duplicate
//! may still come. It lives in the same table as [`crate::lease`]; keys must not be targets' ARNs.

use std::time::SystemTime;

use crate::{
    error::AwsError,
    lease::{Lease, Leases},
};

/// The right and the duty to do one piece of work.
#[derive(Debug)]
#[must_use = "to be finished or abandoned"]
pub struct Claim(Lease);

impl Leases {
    /// Claims a piece of work; `None` if it is done, or somebody is doing it right now.
    ///
    /// `expires`: the end of this invocation. If it ends without an outcome, a later event may try again.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn begin(
        &self,
        key: &str,
        holder: &str,
        expires: SystemTime,
    ) -> Result<Option<Claim>, AwsError> {
        Ok(self.try_acquire(key, holder, expires).await?.ok().map(Claim))
    }
}

impl Claim {
    /// The work is done: duplicates get `None` until `keep_until`, usually some days from now.
    ///
    /// # Errors
    /// If the table can't be written, or (as [`ErrorKind::Conflict`](crate::ErrorKind::Conflict)) the claim
    /// had expired and somebody else took it.
    pub async fn finish(self, keep_until: SystemTime) -> Result<(), AwsError> {
        self.0.keep_until(keep_until).await
    }

    /// The work was not done: the next event may try at once. Best effort.
    pub async fn abandon(self) {
        self.0.release().await;
    }
}
