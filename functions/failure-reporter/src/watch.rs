//! A change or a schedule: look at the pipelines that it concerns, before a run does.

mod check;

use std::time::{Duration, SystemTime};

use crosspipe_aws::lease::{LeaseError, Leases};
use crosspipe_aws::{Aws, AwsError, ErrorKind};
use crosspipe_core::pipeline::{Pipeline, PipelineError};
use crosspipe_core::snapshot::SnapshotError;
use crosspipe_core::watch::{NotifiedFindings, Resource, WatchEvent, WatchEventError};
use futures_util::{StreamExt, stream};
use serde_json::Value;

use crate::alerts::{AlertError, Alerts, Invocation};
use crate::settings::Settings;

/// Pipelines that are looked at side by side: each look makes some twenty calls at once, and both IAM and
/// CodePipeline throttle an account.
const AT_ONCE: usize = 4;
/// A look is not begun with less time left: one that is cut off is tried again, from its start.
const ONE_LOOK: Duration = Duration::from_secs(20);
/// The note on a pipeline's lease: what each receiver knows of.
const KNOWN: &str = "Known";

/// Looks for faults that the next run would meet.
pub struct Watch<'a> {
    aws: &'a Aws,
    leases: &'a Leases,
    alerts: Alerts<'a>,
    settings: &'a Settings,
}

/// Why a look could not be finished: the event is tried again, and kept in the dead-letter queue.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The record does not say what was changed.
    #[error(transparent)]
    Event(#[from] WatchEventError),
    /// An AWS call that can't be done without failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// Somebody could not be told.
    #[error(transparent)]
    Alert(#[from] AlertError),
    /// Another invocation is looking at this pipeline.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// The pipeline can't be read.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The snapshot can't be read.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The function's timeout is too short for the account.
    #[error("no time was left to look at pipeline `{0}`: give the function a longer timeout")]
    OutOfTime(String),
}

impl WatchError {
    /// Whether another attempt would end the same.
    pub fn is_final(&self) -> bool {
        matches!(self, WatchError::Event(_))
    }
}

impl<'a> Watch<'a> {
    /// A watch with these settings.
    pub fn new(aws: &'a Aws, leases: &'a Leases, alerts: Alerts<'a>, settings: &'a Settings) -> Self {
        Watch { aws, leases, alerts, settings }
    }

    /// Serves one event. A pipeline that can't be looked at keeps no other from being looked at.
    pub async fn handle(&self, event: &Value, invocation: Invocation<'_>) -> Result<(), WatchError> {
        let occasion = match WatchEvent::from_event(event) {
            Ok(occasion) => occasion,
            Err(incomplete @ WatchEventError::Missing { .. }) => return Err(incomplete.into()),
            Err(other) => {
                tracing::info!(%other, "passed over an event that changes nothing here");
                return Ok(());
            }
        };
        let names = self.pipelines(&occasion).await?;
        let (occasion, of) = (&occasion, names.len());
        let outcomes: Vec<Result<(), WatchError>> = stream::iter(names)
            .map(|name| async move {
                let outcome = self.attend(&name, occasion, invocation).await;
                if let Err(error) = &outcome {
                    tracing::error!(pipeline = name, %error, "could not look at this pipeline");
                }
                outcome
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let trigger = occasion.trigger();
        tracing::info!(event = trigger.event, resource = trigger.resource, pipelines = of, "watched");
        outcomes.into_iter().collect()
    }

    /// The pipelines that an occasion may concern.
    async fn pipelines(&self, occasion: &WatchEvent) -> Result<Vec<String>, WatchError> {
        let only = self.settings.watched_pipeline.as_ref();
        Ok(match (occasion, only) {
            (WatchEvent::Change(Resource::Pipeline(name), _), _) => {
                only.is_none_or(|only| only == name).then(|| name.clone()).into_iter().collect()
            }
            (_, Some(only)) => vec![only.clone()],
            (_, None) => self.aws.codepipeline().list_pipelines().await?,
        })
    }

    /// Looks at a pipeline if it is concerned.
    async fn attend(
        &self,
        name: &str,
        occasion: &WatchEvent,
        invocation: Invocation<'_>,
    ) -> Result<(), WatchError> {
        if let WatchEvent::Change(resource, _) = occasion
            && !matches!(resource, Resource::Pipeline(_))
        {
            let concerned = self.pipeline(name).await?.is_some_and(|(_, it)| resource.concerns(&it));
            if !concerned {
                return Ok(());
            }
        }
        if SystemTime::now() + ONE_LOOK > invocation.deadline {
            return Err(WatchError::OutOfTime(name.to_owned()));
        }
        // Two looks at once would both find the same fault new.
        let give_up = invocation.deadline - ONE_LOOK;
        let key = format!("watch:{name}");
        let lease = self.leases.acquire(&key, invocation.request_id, invocation.deadline, give_up).await?;
        let before = NotifiedFindings::parse(lease.notes().get(KNOWN).map(String::as_str));
        let mut memory = before.clone();
        let outcome = self.look(name, occasion.trigger(), &mut memory, invocation.deadline).await;
        if memory == before {
            lease.release().await;
            return outcome;
        }
        let note = (!memory.is_empty()).then(|| memory.to_json());
        lease.release_noting(KNOWN, note.as_deref()).await?;
        outcome
    }

    /// `GetPipeline`'s answer and what is in it; none if there is no such pipeline.
    async fn pipeline(&self, name: &str) -> Result<Option<(Value, Pipeline)>, WatchError> {
        match self.aws.codepipeline().get_pipeline(name).await {
            Ok(live) => Ok(Some((live.clone(), Pipeline::parse(live)?))),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
