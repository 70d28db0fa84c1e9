//! Work done once although events arrive at least once.
//!
//! A claim is a lease that nobody waits for and that is kept, once the work is done, for as long as a duplicate
//! may still come. It lives in the same table as [`crate::lease`]; keys must not be targets' ARNs. Rows of claims
//! carry DynamoDB's time to live in `ExpiresAt`, which tidies them up some time after they have expired.

use std::time::{Duration, SystemTime};

use crate::{
    error::AwsError,
    lease::{Held, Lease, Leases},
};

/// For how long what was done is remembered: longer than any event is delivered again, which EventBridge does for up
/// to a day.
pub const REMEMBERED: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// The holder of a claim whose work is done. Real holders have a unique suffix.
const DONE: &str = "done";
/// What a claim writes to take its row.
const CLAIM: &str = "SET Holder = :me, HeldUntil = :until, ExpiresAt = :until";
/// The name of a claim's note.
const NOTE: &str = "outcome";

/// The right and the duty to do one piece of work.
#[derive(Debug)]
#[must_use = "to be finished or abandoned"]
pub struct IdempotencyClaim(Lease);

/// What became of an attempt to claim a piece of work.
#[derive(Debug)]
pub enum Claimed {
    /// It is ours to do.
    Ours(IdempotencyClaim),
    /// It is done.
    Done,
    /// Somebody is doing it, or died over it: try again when this claim has expired.
    Busy(Held),
}

impl Leases {
    /// Claims a piece of work.
    ///
    /// `expires`: the end of this invocation. If it ends without an outcome, a later event may try again.
    ///
    /// # Errors
    /// If the table can't be written.
    pub async fn begin(&self, key: &str, holder: &str, expires: SystemTime) -> Result<Claimed, AwsError> {
        Ok(match self.try_acquire(key, holder, expires, CLAIM).await? {
            Ok(lease) => Claimed::Ours(IdempotencyClaim(lease)),
            Err(held) if held.holder == DONE => Claimed::Done,
            Err(held) => Claimed::Busy(held),
        })
    }
}

impl IdempotencyClaim {
    /// The work is done: duplicates get [`Claimed::Done`] until `keep_until`, usually some days from now.
    ///
    /// # Errors
    /// If the table can't be written, or (as [`ErrorKind::Conflict`](crate::ErrorKind::Conflict)) the claim
    /// had expired and somebody else took it.
    pub async fn finish(self, keep_until: SystemTime) -> Result<(), AwsError> {
        self.0.keep_until(DONE, keep_until).await
    }

    /// The work is not to be done again before the claim expires, whatever came of it: those who find it busy get
    /// this note with it, see [`Held::outcome`].
    ///
    /// # Errors
    /// As of [`IdempotencyClaim::finish`].
    pub async fn keep(self, note: &str) -> Result<(), AwsError> {
        self.0.keep_noting(NOTE, note).await
    }

    /// Whether a part of the work was done by an earlier attempt.
    #[must_use]
    pub fn has_done(&self, part: &str) -> bool {
        self.0.notes().contains_key(part)
    }

    /// No more than these parts of the work were done: the next event may try the others at once.
    ///
    /// # Errors
    /// As of [`IdempotencyClaim::finish`]; then those parts may be done again.
    pub async fn leave(self, parts: &[&str], keep_until: SystemTime) -> Result<(), AwsError> {
        self.0.release_marking(parts, keep_until).await
    }

    /// The work was not done: the next event may try at once. Best effort.
    pub async fn abandon(self) {
        self.0.release().await;
    }
}

impl Held {
    /// The note of a claim that is kept.
    #[must_use]
    pub fn outcome(&self) -> Option<&str> {
        self.notes.get(NOTE).map(String::as_str)
    }
}
