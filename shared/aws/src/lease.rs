//! One writer at a time per target.
//!
//! No put of a policy or a pipeline has a precondition: of two writers that both read, merge and put, one
//! loses its update. Crosspipe's writers therefore hold a lease on the target's ARN meanwhile.
//!
//! The table has the partition key `LockKey` (string). A row with a `Holder` is held until `HeldUntil` (number,
//! epoch seconds); releasing removes the `Holder`. Everything is one conditional
//! [`UpdateItem`](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html), so
//! `dynamodb:UpdateItem` is all that the role needs.
//!
//! # Notes
//! Whoever holds a lease may leave a note on it with the release, one for each name (attribute `Note:<name>`), and
//! the next holder is given them all with the lease. So a note costs no call, and nobody reads one while another
//! changes what it speaks of. Rows of leases therefore stay: one for each target, with no time to live.
//!
//! # Why expiry is safe
//! A lease expires at the end of its holder's own Lambda invocation. Lambda stops a function at its deadline, so
//! a holder that forgot to release is not there any more when the next one gets in. A caller outside Lambda
//! must stop writing before `expires` by itself.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{BuildHasher, RandomState},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_sdk_dynamodb::{
    Client,
    operation::update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    types::{
        AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure,
        error::ConditionalCheckFailedException,
    },
};
use aws_smithy_types::{DateTime, date_time::Format};

use crate::{
    backoff::backoff,
    connect::Aws,
    error::{AwsError, ErrorKind},
};

const SERVICE: &str = "dynamodb";
const OPERATION: &str = "UpdateItem";
/// What the attributes of notes begin with.
const NOTE: &str = "Note:";
/// What a lease writes to take its row.
const HOLD: &str = "SET Holder = :me, HeldUntil = :until";
/// The pause after the first refusal, which grows up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(30);
const LONGEST_PAUSE: Duration = Duration::from_millis(600);

/// Notes by name; none strikes the one that is there.
pub type Notes = BTreeMap<String, Option<String>>;

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
    notes: BTreeMap<String, String>,
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
    /// The notes on it.
    pub notes: BTreeMap<String, String>,
}

/// Why there is no lease.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeaseError {
    /// It was not released in time.
    #[error(
        "`{}` is being changed by `{}`, which is done by {} at the latest; try again then",
        .0.key, .0.holder, format_time(.0.expires)
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
        let mut pauses = backoff(FIRST_PAUSE, LONGEST_PAUSE);
        loop {
            let refusal = match self.try_acquire(key, holder, expires, HOLD).await {
                Ok(Ok(lease)) => return Ok(lease),
                Ok(Err(held)) => LeaseError::Held(held),
                Err(error) if error.kind == ErrorKind::Throttled => LeaseError::Aws(error),
                Err(error) => return Err(error.into()),
            };
            let Some(pause) = pauses.next().filter(|pause| SystemTime::now() + *pause < give_up) else {
                return Err(refusal);
            };
            tracing::debug!(key, ?pause, "lease is held by somebody else");
            tokio::time::sleep(pause).await;
        }
    }

    /// One attempt. `hold` is the update that takes the row, with the values `:me` and `:until`.
    pub(crate) async fn try_acquire(
        &self,
        key: &str,
        holder: &str,
        expires: SystemTime,
        hold: &str,
    ) -> Result<Result<Lease, Held>, AwsError> {
        // Lambda can deliver one event twice at the same time: the holder alone is not unique. The SDK's own
        // retry after a lost answer sends the same value again and finds `Holder = :me`.
        let holder = format!("{holder}#{:016x}", random_number());
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("LockKey", AttributeValue::S(key.to_owned()))
            .condition_expression("attribute_not_exists(Holder) OR HeldUntil < :now OR Holder = :me")
            .update_expression(hold)
            .expression_attribute_values(":me", AttributeValue::S(holder.clone()))
            .expression_attribute_values(
                ":now",
                AttributeValue::N(epoch_seconds(SystemTime::now()).to_string()),
            )
            .expression_attribute_values(":until", seconds_attribute(expires))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let error = match answer {
            Ok(answer) => {
                let notes = answer.attributes.as_ref().map(notes_of_row).unwrap_or_default();
                return Ok(Ok(Lease { leases: self.clone(), key: key.to_owned(), holder, notes }));
            }
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(refusal)) => Ok(Err(held_by(key, refusal)
                .ok_or_else(|| {
                    AwsError::unexpected(SERVICE, OPERATION, "the refusal does not show who holds the lease")
                })?)),
            _ => Err(AwsError::from_sdk(SERVICE, OPERATION)(error)),
        }
    }
}

impl Lease {
    /// What is held.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The notes on it, by name.
    #[must_use]
    pub fn notes(&self) -> &BTreeMap<String, String> {
        &self.notes
    }

    /// Lets the next one in at once. Best effort: if it fails the lease expires by itself, and the failure is
    /// logged.
    pub async fn release(self) {
        let answer = self.update("REMOVE Holder, HeldUntil", []).await;
        if let Err(error) = answer {
            tracing::warn!(key = self.key, %error, "lease was not released and stays until it expires");
        }
    }

    /// Lets the next one in, leaving or striking one note, as [`Lease::release_with_notes`].
    ///
    /// # Errors
    /// As there.
    pub async fn release_noting(self, name: &str, note: Option<&str>) -> Result<(), AwsError> {
        self.release_with_notes(Notes::from([(name.to_owned(), note.map(str::to_owned))])).await
    }

    /// Lets the next one in, leaving and striking these notes in the same write. If that fails it is released without.
    ///
    /// # Errors
    /// Of the notes: if the table can't be written, or (as [`ErrorKind::Conflict`]) the lease had expired and somebody
    /// else took it.
    pub async fn release_with_notes(self, notes: Notes) -> Result<(), AwsError> {
        // The SDK sends it again when the answer was lost; what was carried out the first time is refused then.
        let answer = match self.put_notes("REMOVE Holder, HeldUntil", &notes).await {
            Err((_, row)) if has_notes(&row, &notes) => Ok(()),
            Err((error, _)) => Err(error),
            Ok(()) => Ok(()),
        };
        if answer.as_ref().is_err_and(|error| error.kind != ErrorKind::Conflict) {
            self.release().await;
        }
        answer
    }

    /// Leaves and strikes these notes and stays held.
    ///
    /// # Errors
    /// As of [`Lease::release_with_notes`].
    pub async fn keep_with_notes(&mut self, notes: Notes) -> Result<(), AwsError> {
        self.put_notes("", &notes).await.map_err(|(error, _)| error)?;
        for (name, note) in notes {
            match note {
                Some(note) => drop(self.notes.insert(name, note)),
                None => drop(self.notes.remove(&name)),
            }
        }
        Ok(())
    }

    /// Lets the next one in, leaving a note without a text under each of these names until `until`.
    pub(crate) async fn release_marking(self, names: &[&str], until: SystemTime) -> Result<(), AwsError> {
        let marks: String = (0..names.len()).map(|index| format!(", #note{index} = :mark")).collect();
        let expression = format!("REMOVE Holder, HeldUntil SET ExpiresAt = :until{marks}");
        let mut request =
            self.request(&expression).expression_attribute_values(":until", self::seconds_attribute(until));
        if !names.is_empty() {
            request = request.expression_attribute_values(":mark", AttributeValue::S(String::new()));
        }
        for (index, name) in names.iter().enumerate() {
            request = request.expression_attribute_names(format!("#note{index}"), format!("{NOTE}{name}"));
        }
        request.send().await.map(drop).map_err(AwsError::from_sdk(SERVICE, OPERATION))
    }

    /// Leaves a note and stays held.
    pub(crate) async fn keep_noting(mut self, name: &str, note: &str) -> Result<(), AwsError> {
        self.keep_with_notes(Notes::from([(name.to_owned(), Some(note.to_owned()))])).await
    }

    /// Keeps it held until `until` under a name that nobody else goes by, whatever becomes of the holder.
    pub(crate) async fn keep_until(self, name: &str, until: SystemTime) -> Result<(), AwsError> {
        let name = (":name", AttributeValue::S(name.to_owned()));
        let update = "SET Holder = :name, HeldUntil = :until, ExpiresAt = :until";
        self.update(update, [name, (":until", self::seconds_attribute(until))]).await
    }

    /// `removes` is empty or begins with `REMOVE`. Where the lease is not ours any more, the error comes with the notes
    /// that the row has.
    async fn put_notes(
        &self,
        removes: &str,
        notes: &Notes,
    ) -> Result<(), (AwsError, Option<BTreeMap<String, String>>)> {
        let (mut remove, mut set) =
            (Vec::from_iter(removes.strip_prefix("REMOVE ").map(str::to_owned)), vec![]);
        for (index, (_, note)) in notes.iter().enumerate() {
            match note {
                Some(_) => set.push(format!("#note{index} = :note{index}")),
                None => remove.push(format!("#note{index}")),
            }
        }
        let clause = |verb: &str, items: &[String]| match items {
            [] => String::new(),
            items => format!("{verb} {}", items.join(", ")),
        };
        let expression = [clause("REMOVE", &remove), clause("SET", &set)].join(" ");
        let mut request = self.request(expression.trim());
        for (index, (name, note)) in notes.iter().enumerate() {
            request = request.expression_attribute_names(format!("#note{index}"), format!("{NOTE}{name}"));
            if let Some(note) = note {
                let value = AttributeValue::S(note.clone());
                request = request.expression_attribute_values(format!(":note{index}"), value);
            }
        }
        let request =
            request.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        request.send().await.map(drop).map_err(|error| {
            let row = match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refusal)) => {
                    refusal.item().map(notes_of_row)
                }
                _ => None,
            };
            (AwsError::from_sdk(SERVICE, OPERATION)(error), row)
        })
    }

    async fn update(
        &self,
        expression: &str,
        values: impl IntoIterator<Item = (&'static str, AttributeValue)>,
    ) -> Result<(), AwsError> {
        let request = values.into_iter().fold(self.request(expression), |request, (name, value)| {
            request.expression_attribute_values(name, value)
        });
        request.send().await.map(drop).map_err(AwsError::from_sdk(SERVICE, OPERATION))
    }

    /// An update of our row, for as long as it is ours.
    fn request(&self, expression: &str) -> UpdateItemFluentBuilder {
        let table = &self.leases;
        let request = table.client.update_item().table_name(&table.table);
        request
            .key("LockKey", AttributeValue::S(self.key.clone()))
            .condition_expression("Holder = :me")
            .update_expression(expression)
            .expression_attribute_values(":me", AttributeValue::S(self.holder.clone()))
    }
}

fn held_by(key: &str, refusal: &ConditionalCheckFailedException) -> Option<Held> {
    let item = refusal.item()?;
    let holder = item.get("Holder")?.as_s().ok()?;
    let expires = item.get("HeldUntil")?.as_n().ok()?.parse().ok()?;
    Some(Held {
        key: key.to_owned(),
        // Without the part that only makes it unique.
        holder: holder.rsplit_once('#').map_or(holder.as_str(), |(holder, _)| holder).to_owned(),
        expires: UNIX_EPOCH + Duration::from_secs(expires),
        notes: notes_of_row(item),
    })
}

/// Whether a row has these notes, and has not those that are to be struck.
fn has_notes(row: &Option<BTreeMap<String, String>>, notes: &Notes) -> bool {
    row.as_ref().is_some_and(|row| notes.iter().all(|(name, note)| row.get(name) == note.as_ref()))
}

/// The notes of a row, by name.
fn notes_of_row(item: &HashMap<String, AttributeValue>) -> BTreeMap<String, String> {
    let note = |(name, value): (&String, &AttributeValue)| {
        Some((name.strip_prefix(NOTE)?.to_owned(), value.as_s().ok()?.clone()))
    };
    item.iter().filter_map(note).collect()
}

/// Not for secrets: each `RandomState` has keys of its own from the operating system's randomness.
fn random_number() -> u64 {
    RandomState::new().hash_one(())
}

fn seconds_attribute(time: SystemTime) -> AttributeValue {
    AttributeValue::N(seconds_up(time).to_string())
}

fn epoch_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Rounded up: a lease may last longer than was asked for, never shorter.
pub(crate) fn seconds_up(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64().ceil() as u64
}

fn format_time(time: SystemTime) -> String {
    DateTime::from(time).fmt(Format::DateTime).unwrap_or_else(|_| format!("{time:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiry_is_rounded_up() {
        assert_eq!(seconds_up(UNIX_EPOCH + Duration::from_millis(1500)), 2);
        assert_eq!(seconds_up(UNIX_EPOCH + Duration::from_secs(2)), 2);
    }

    #[test]
    fn error_names_holder_and_time() {
        let held = Held {
            key: "arn:aws:s3:::artifacts".into(),
            holder: "stack-a/Grant".into(),
            expires: UNIX_EPOCH + Duration::from_secs(1_700_000_000),
            notes: BTreeMap::new(),
        };
        assert_eq!(
            LeaseError::Held(held).to_string(),
            "`arn:aws:s3:::artifacts` is being changed by `stack-a/Grant`, which is done by \
             2023-11-14T22:13:20Z at the latest; try again then"
        );
    }
}
