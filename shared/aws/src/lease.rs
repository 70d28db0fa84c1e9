//! One writer at a time per target.
//!
//! No put of a policy or a pipeline has a precondition: of two writers that both read, merge and put, one
//! loses its update. Crosspipe's writers therefore hold a lease on the target's ARN meanwhile.
//!
//! The table has the partition key `LockKey` (string) and DynamoDB's time to live on `ExpiresAt` (number, epoch
//! seconds), which only tidies up. A row with a `Holder` is held until `ExpiresAt`; releasing removes the
//! `Holder`. Everything is one conditional
//! [`UpdateItem`](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html), so
//! `dynamodb:UpdateItem` is all that the role needs.
//!
//! # Why expiry is safe
//! A lease expires at the end of its holder's own Lambda invocation. Lambda stops a function at its deadline, so
//! a holder that forgot to release is not there any more when the next one gets in. A caller outside Lambda
//! must stop writing before `expires` by itself.

use std::{
    hash::{BuildHasher, RandomState},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_sdk_dynamodb::{
    Client,
    operation::update_item::UpdateItemError,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure, error::ConditionalCheckFailedException},
};
use aws_smithy_types::{DateTime, date_time::Format};

use crate::{
    connect::Aws,
    error::{AwsError, ErrorKind},
};

pub(crate) const SERVICE: &str = "dynamodb";
pub(crate) const OPERATION: &str = "UpdateItem";
/// The longest pause after the first refusal; doubled by each further one up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The table of leases.
#[derive(Debug, Clone)]
pub struct Leases {
    pub(crate) client: Client,
    pub(crate) table: String,
}

/// A lease that is held. Dropped without [`Lease::release`] it blocks others until it expires.
#[derive(Debug)]
#[must_use = "others wait until it is released"]
pub struct Lease {
    leases: Leases,
    key: String,
    holder: String,
}

/// Somebody else holds the lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// What is held.
    pub key: String,
    /// By whom.
    pub holder: String,
    /// Until when at most.
    pub expires: SystemTime,
}

/// Why there is no lease.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeaseError {
    /// It was not released in time.
    #[error(
        "`{}` is being changed by `{}`, which is done by {} at the latest; try again then",
        .0.key, .0.holder, timestamp(.0.expires)
    )]
    Held(Held),
    /// The table could not be written.
    #[error(transparent)]
    Aws(#[from] AwsError),
}

impl Leases {
    /// Leases in `table`, which the account and Region of `aws` must have.
    #[must_use]
    pub fn new(aws: &Aws, table: impl Into<String>) -> Self {
        Self { client: aws.dynamodb(), table: table.into() }
    }

    /// Waits until nobody else holds `key`, then holds it until `expires` or [`Lease::release`].
    ///
    /// `holder` says who it is, in other holders' errors; two calls never share a lease, even for the same
    /// `holder`. `give_up` may be in the past: there is always one attempt.
    ///
    /// # Errors
    /// [`LeaseError::Held`] if it is still held at `give_up`.
    pub async fn acquire(
        &self,
        key: &str,
        holder: &str,
        expires: SystemTime,
        give_up: SystemTime,
    ) -> Result<Lease, LeaseError> {
        let mut refusals = 0;
        loop {
            let refusal = match self.try_acquire(key, holder, expires).await {
                Ok(Ok(lease)) => return Ok(lease),
                Ok(Err(held)) => LeaseError::Held(held),
                Err(error) if error.kind == ErrorKind::Throttled => LeaseError::Aws(error),
                Err(error) => return Err(error.into()),
            };
            let pause = pause(refusals, random());
            if SystemTime::now() + pause >= give_up {
                return Err(refusal);
            }
            tracing::debug!(key, refusals, ?pause, "lease is held by somebody else");
            tokio::time::sleep(pause).await;
            refusals += 1;
        }
    }

    /// One attempt.
    pub(crate) async fn try_acquire(
        &self,
        key: &str,
        holder: &str,
        expires: SystemTime,
    ) -> Result<Result<Lease, Held>, AwsError> {
        // Lambda can deliver one event twice at the same time: the holder alone is not unique. The SDK's own
        // retry after a lost answer sends the same value again and finds `Holder = :me`.
        let holder = format!("{holder}#{:016x}", random());
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("LockKey", AttributeValue::S(key.to_owned()))
            .condition_expression("attribute_not_exists(Holder) OR ExpiresAt < :now OR Holder = :me")
            .update_expression("SET Holder = :me, ExpiresAt = :expires")
            .expression_attribute_values(":me", AttributeValue::S(holder.clone()))
            .expression_attribute_values(":now", AttributeValue::N(seconds(SystemTime::now()).to_string()))
            .expression_attribute_values(":expires", AttributeValue::N(seconds_up(expires).to_string()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Err(error) = answer else {
            return Ok(Ok(Lease { leases: self.clone(), key: key.to_owned(), holder }));
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(refusal)) => Ok(Err(held(key, refusal)
                .ok_or_else(|| {
                    AwsError::unexpected(SERVICE, OPERATION, "the refusal does not show who holds the lease")
                })?)),
            _ => Err(AwsError::from_sdk(SERVICE, OPERATION)(error)),
        }
    }
}

impl Lease {
    /// Lets the next one in at once. Best effort: if it fails the lease expires by itself, and the failure is
    /// logged.
    pub async fn release(self) {
        let answer = self.update("REMOVE Holder", None).await;
        if let Err(error) = answer {
            tracing::warn!(key = self.key, %error, "lease was not released and stays until it expires");
        }
    }

    /// Keeps it held until `until` under a name that nobody else goes by, whatever becomes of the holder.
    pub(crate) async fn keep_until(self, name: &str, until: SystemTime) -> Result<(), AwsError> {
        self.update("SET Holder = :name, ExpiresAt = :expires", Some((name, until))).await
    }

    async fn update(&self, expression: &str, keep: Option<(&str, SystemTime)>) -> Result<(), AwsError> {
        let mut request = self
            .leases
            .client
            .update_item()
            .table_name(&self.leases.table)
            .key("LockKey", AttributeValue::S(self.key.clone()))
            .condition_expression("Holder = :me")
            .update_expression(expression)
            .expression_attribute_values(":me", AttributeValue::S(self.holder.clone()));
        if let Some((name, until)) = keep {
            let expires = AttributeValue::N(seconds_up(until).to_string());
            request = request
                .expression_attribute_values(":name", AttributeValue::S(name.to_owned()))
                .expression_attribute_values(":expires", expires);
        }
        request.send().await.map_err(AwsError::from_sdk(SERVICE, OPERATION))?;
        Ok(())
    }
}

fn held(key: &str, refusal: &ConditionalCheckFailedException) -> Option<Held> {
    let item = refusal.item()?;
    let holder = item.get("Holder")?.as_s().ok()?;
    let expires = item.get("ExpiresAt")?.as_n().ok()?.parse().ok()?;
    Some(Held {
        key: key.to_owned(),
        // Without the part that only makes it unique.
        holder: holder.rsplit_once('#').map_or(holder.as_str(), |(holder, _)| holder).to_owned(),
        expires: UNIX_EPOCH + Duration::from_secs(expires),
    })
}

/// Exponential backoff with full jitter.
fn pause(refusals: u32, random: u64) -> Duration {
    let longest = FIRST_PAUSE.saturating_mul(1 << refusals.min(16)).min(LONGEST_PAUSE);
    let longest = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(random % (longest + 1))
}

/// Not for secrets: each `RandomState` has keys of its own from the operating system's randomness.
fn random() -> u64 {
    RandomState::new().hash_one(())
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Rounded up: a lease may last longer than was asked for, never shorter.
pub(crate) fn seconds_up(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64().ceil() as u64
}

fn timestamp(time: SystemTime) -> String {
    DateTime::from(time).fmt(Format::DateTime).unwrap_or_else(|_| format!("{time:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_second_with_full_jitter() {
        for (refusals, longest) in [(0, 50), (1, 100), (4, 800), (5, 1000), (u32::MAX, 1000)] {
            assert_eq!(pause(refusals, longest * 1000), Duration::from_millis(longest));
            assert_eq!(pause(refusals, longest * 1000 + 1), Duration::ZERO, "no longer than that");
        }
    }

    #[test]
    fn expiry_is_rounded_up() {
        assert_eq!(seconds_up(UNIX_EPOCH + Duration::from_millis(1500)), 2);
        assert_eq!(seconds_up(UNIX_EPOCH + Duration::from_secs(2)), 2);
    }

    #[test]
    fn the_error_says_who_and_until_when() {
        let held = Held {
            key: "arn:aws:s3:::artifacts".into(),
            holder: "stack-a/Grant".into(),
            expires: UNIX_EPOCH + Duration::from_secs(1_700_000_000),
        };
        assert_eq!(
            LeaseError::Held(held).to_string(),
            "`arn:aws:s3:::artifacts` is being changed by `stack-a/Grant`, which is done by \
             2023-11-14T22:13:20Z at the latest; try again then"
        );
    }
}
