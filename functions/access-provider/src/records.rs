//! What each custom resource has applied to a target and replaced there: notes on the lease of the target.
//!
//! They come and go with the lease, so they speak of what was really applied last, and cost no call of their own but
//! where something has to be on record before it is written. Only this function's role can write them.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crosspipe_aws::AwsError;
use crosspipe_aws::lease::{Lease, Notes};
use crosspipe_core::owner::Owner;
use crosspipe_custom_resource::{Failure, Request};
use crosspipe_resources::{Memories, Resource};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// How long it is remembered that a resource was deleted: longer than Lambda keeps a request for it.
const DELETED_IS_REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);
/// How many requests of a resource are remembered.
const REQUESTS_REMEMBERED: usize = 10;

/// What is on record of one custom resource.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Record {
    /// `Custom::…`
    pub resource_type: String,
    /// The ARN of its stack.
    pub stack_id: String,
    /// Its logical id there.
    pub logical_resource_id: String,
    physical_resource_id: String,
    /// What was applied last.
    pub resource_properties: Map<String, Value>,
    /// What it replaced, in the form of its type.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    replaced: Value,
    /// The requests that were served, the last one last.
    #[serde(default)]
    requests: Vec<String>,
    /// When it was deleted, in seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deleted_at: Option<u64>,
}

/// The records of one target, for as long as its lease is held. What is changed here is stored by
/// [`Records::remember`] and [`Records::close`].
pub(crate) struct Records {
    lease: Lease,
    owner: String,
    records: BTreeMap<String, Record>,
}

impl Records {
    /// Reads the records that came with a lease, for the custom resource that owns the work. On an error the lease is
    /// released.
    pub(crate) async fn open(lease: Lease, owner: &Owner) -> Result<Self, Failure> {
        let read = |(owner, text): (&String, &String)| {
            serde_json::from_str(text).map(|record| (owner.clone(), record)).map_err(|error| {
                Failure::new(
                    format!("attribute `Note:{owner}` of row `{}` in the lock table can't be read: {error}", lease.key()),
                    "restore the attribute from a backup of the table; if there is none, remove it, which gives up what it remembers",
                )
            })
        };
        match lease.notes().iter().map(read).collect::<Result<_, _>>() {
            Ok(records) => Ok(Records { lease, owner: owner.short(), records }),
            Err(failure) => {
                lease.release().await;
                Err(failure)
            }
        }
    }

    /// Goes on for another owner.
    pub(crate) fn set_owner(&mut self, owner: &Owner) {
        self.owner = owner.short();
    }

    /// The records of resources that were not deleted.
    pub(crate) fn applied(&self) -> impl Iterator<Item = &Record> {
        self.records.values().filter(|record| record.deleted_at.is_none())
    }

    /// Whether the owner has something on record.
    pub(crate) fn has_own(&self) -> bool {
        self.records.get(&self.owner).is_some_and(|record| record.deleted_at.is_none())
    }

    /// Refuses a request that was served before another one of the same resource: it comes late, or is a copy.
    pub(crate) fn refuse_late(&self, request: &Request) -> Result<(), Failure> {
        let id = request.request_id();
        let requests = self.records.get(&self.owner).map(|record| record.requests.as_slice());
        if let Some([earlier @ .., last]) = requests
            && last != id
            && earlier.iter().any(|it| it == id)
        {
            let cause =
                format!("request `{id}` was served before a later one of this resource; nothing was changed");
            return Err(Failure::new(cause, "update the resource"));
        }
        Ok(())
    }

    /// What all owners have replaced.
    pub(crate) fn memories<R: Resource>(&self) -> Result<Memories<R>, Failure> {
        let replaced = self.records.iter().filter(|(_, record)| !record.replaced.is_null());
        let memories = replaced.map(|(owner, record)| {
            let memory = serde_json::from_value(record.replaced.clone()).map_err(|error| {
                Failure::new(
                    format!(
                        "`Replaced` in `Note:{owner}` of row `{}` in the lock table can't be read: {error}",
                        self.lease.key()
                    ),
                    "restore the attribute from a backup of the table",
                )
            })?;
            Ok((owner.clone(), memory))
        });
        memories.collect()
    }

    /// Sets what owners have replaced.
    pub(crate) fn set_memories<R: Resource>(&mut self, memories: &Memories<R>) {
        for (owner, record) in &mut self.records {
            // A memory is plain data, which is JSON.
            let value = memories.get(owner).and_then(|memory| serde_json::to_value(memory).ok());
            record.replaced = value.unwrap_or_default();
        }
    }

    /// Stores what a write is about to replace, before it does.
    pub(crate) async fn remember<R: Resource>(
        &mut self,
        memories: &Memories<R>,
        request: &Request,
        physical_id: &str,
    ) -> Result<(), AwsError> {
        if memories.contains_key(&self.owner) && !self.has_own() {
            self.set_applied(request, physical_id);
        }
        self.set_memories::<R>(memories);
        let changes = self.changes();
        if changes.is_empty() { Ok(()) } else { self.lease.keep_with_notes(changes).await }
    }

    /// What the owner has applied is what this request says.
    pub(crate) fn set_applied(&mut self, request: &Request, physical_id: &str) {
        let before = self.records.remove(&self.owner);
        let (requests, replaced) = before.map(|it| (it.requests, it.replaced)).unwrap_or_default();
        let record = Record {
            resource_type: request.resource_type().to_owned(),
            stack_id: request.stack_id().to_owned(),
            logical_resource_id: request.logical_id().to_owned(),
            physical_resource_id: physical_id.to_owned(),
            resource_properties: request.properties().clone(),
            replaced,
            requests: with_served(requests, request.request_id()),
            deleted_at: None,
        };
        self.records.insert(self.owner.clone(), record);
    }

    /// The owner has nothing applied any more. Its requests stay on record for a while.
    pub(crate) fn set_deleted(&mut self, request: &Request) {
        if let Some(record) = self.records.get_mut(&self.owner) {
            record.deleted_at = Some(epoch_seconds());
            record.replaced = Value::Null;
            record.resource_properties.clear();
            record.requests = with_served(std::mem::take(&mut record.requests), request.request_id());
        }
    }

    /// A copy of the records, to go back to.
    pub(crate) fn checkpoint(&self) -> BTreeMap<String, Record> {
        self.records.clone()
    }

    /// Goes back to such a copy.
    pub(crate) fn restore(&mut self, checkpoint: BTreeMap<String, Record>) {
        self.records = checkpoint;
    }

    /// Stores what has changed with the release of the lease. The lease is released in any case.
    pub(crate) async fn close(mut self) -> Result<(), AwsError> {
        let oldest = epoch_seconds().saturating_sub(DELETED_IS_REMEMBERED.as_secs());
        self.records.retain(|_, record| record.deleted_at.is_none_or(|at| at > oldest));
        let changes = self.changes();
        if changes.is_empty() {
            self.lease.release().await;
            return Ok(());
        }
        self.lease.release_with_notes(changes).await
    }

    /// The notes that are not as they are stored.
    fn changes(&self) -> Notes {
        let stored = self.lease.notes();
        // Plain data again.
        let text = |record: &Record| serde_json::to_string(record).unwrap_or_default();
        let records = self.records.iter().map(|(owner, record)| (owner.clone(), Some(text(record))));
        let gone = stored.keys().filter(|owner| !self.records.contains_key(*owner));
        let all = records.chain(gone.map(|owner| (owner.clone(), None)));
        all.filter(|(owner, text)| stored.get(owner) != text.as_ref()).collect()
    }
}

impl Record {
    /// The request that applied this, as an Update that changes nothing.
    pub(crate) fn to_request(&self, request_id: &str) -> Result<Request, Failure> {
        let mut properties = self.resource_properties.clone();
        // What runs and what does not is for whoever asks to say.
        properties.remove("StartExecution");
        Request::parse(json!({
            "RequestType": "Update",
            "RequestId": request_id,
            "StackId": self.stack_id,
            "LogicalResourceId": self.logical_resource_id,
            "PhysicalResourceId": self.physical_resource_id,
            "ResourceType": self.resource_type,
            "ResourceProperties": properties,
        }))
    }
}

/// The requests that were served, with this one as the last.
fn with_served(mut requests: Vec<String>, request_id: &str) -> Vec<String> {
    requests.retain(|it| it != request_id);
    requests.push(request_id.to_owned());
    let surplus = requests.len().saturating_sub(REQUESTS_REMEMBERED);
    requests.drain(..surplus);
    requests
}

fn epoch_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
