//! A change or a schedule: checks the pipelines that it concerns, before a run fails.

mod check;

use std::time::{Duration, SystemTime};

use crosspipe_aws::lease::{LeaseError, Leases};
use crosspipe_aws::{Aws, AwsError, ErrorKind};
use crosspipe_core::field_error::FieldError;
use crosspipe_core::pipeline::Pipeline;
use crosspipe_core::snapshot::SnapshotError;
use crosspipe_core::watch::{NotifiedFindings, Resource, WatchEvent, WatchEventError};
use futures_util::{StreamExt, stream};
use serde_json::Value;

use crate::alerts::{AlertError, Alerts, Invocation};
use crate::settings::Settings;

/// Pipelines that are checked side by side. Each check makes some twenty calls at once, and IAM and CodePipeline
/// throttle per account.
const CONCURRENT_CHECKS: usize = 4;
/// No check starts with less time left: one that is cut off starts anew with the next attempt.
const TIME_FOR_ONE_CHECK: Duration = Duration::from_secs(20);
/// The note on a pipeline's lease that holds its [`NotifiedFindings`].
const NOTIFIED_FINDINGS: &str = "Known";

/// Checks pipelines for findings that would make the next run fail.
pub(crate) struct Watch<'a> {
    aws: &'a Aws,
    leases: &'a Leases,
    alerts: Alerts<'a>,
    settings: &'a Settings,
}

/// Why a check could not be finished: Lambda tries the event again, then keeps it in the dead-letter queue.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WatchError {
    /// The record does not say what was changed.
    #[error(transparent)]
    Event(#[from] WatchEventError),
    /// A necessary AWS call failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// A destination could not be notified.
    #[error(transparent)]
    Alert(#[from] AlertError),
    /// Another invocation is checking this pipeline.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// The pipeline can't be parsed.
    #[error("the pipeline can't be read: {}", .0.with_help())]
    Pipeline(#[from] FieldError),
    /// The snapshot can't be parsed.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The function's timeout is too short for the number of pipelines.
    #[error("no time was left to check pipeline `{0}`: give the function a longer timeout")]
    OutOfTime(String),
}

impl WatchError {
    /// Whether another attempt would fail the same way.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, WatchError::Event(_))
    }
}

impl<'a> Watch<'a> {
    /// A watch with these settings.
    pub(crate) fn new(aws: &'a Aws, leases: &'a Leases, alerts: Alerts<'a>, settings: &'a Settings) -> Self {
        Watch { aws, leases, alerts, settings }
    }

    /// Handles one event. A pipeline whose check fails stops no other check.
    pub(crate) async fn handle(&self, event: &Value, invocation: Invocation<'_>) -> Result<(), WatchError> {
        let watch_event = match WatchEvent::from_event(event) {
            Ok(watch_event) => watch_event,
            Err(incomplete @ WatchEventError::Missing { .. }) => return Err(incomplete.into()),
            Err(other) => {
                tracing::info!(%other, "passed over an event that changes nothing here");
                return Ok(());
            }
        };
        let names = self.list_candidates(&watch_event).await?;
        let (watch_event, pipelines) = (&watch_event, names.len());
        let outcomes: Vec<Result<(), WatchError>> = stream::iter(names)
            .map(|name| async move {
                let outcome = self.check_if_concerned(&name, watch_event, invocation).await;
                if let Err(error) = &outcome {
                    tracing::error!(pipeline = name, %error, "could not check this pipeline");
                }
                outcome
            })
            .buffer_unordered(CONCURRENT_CHECKS)
            .collect()
            .await;
        let trigger = watch_event.trigger();
        tracing::info!(event = trigger.event, resource = trigger.resource, pipelines, "checked");
        outcomes.into_iter().collect()
    }

    /// The names of the pipelines that an event may concern.
    async fn list_candidates(&self, watch_event: &WatchEvent) -> Result<Vec<String>, WatchError> {
        match watch_event {
            WatchEvent::Change(Resource::Pipeline(name), _) => Ok(vec![name.clone()]),
            _ => Ok(self.aws.codepipeline().list_pipelines().await?),
        }
    }

    /// Checks a pipeline, unless it does not use what was changed.
    async fn check_if_concerned(
        &self,
        name: &str,
        watch_event: &WatchEvent,
        invocation: Invocation<'_>,
    ) -> Result<(), WatchError> {
        if let WatchEvent::Change(resource, _) = watch_event
            && !matches!(resource, Resource::Pipeline(_))
        {
            let concerned = self.read_pipeline(name).await?.is_some_and(|(_, it)| resource.is_used_by(&it));
            if !concerned {
                return Ok(());
            }
        }
        if SystemTime::now() + TIME_FOR_ONE_CHECK > invocation.deadline {
            return Err(WatchError::OutOfTime(name.to_owned()));
        }
        // Of two checks at once, both would find the same finding new.
        let give_up = invocation.deadline - TIME_FOR_ONE_CHECK;
        let key = format!("watch:{name}");
        let lease = self.leases.acquire(&key, invocation.request_id, invocation.deadline, give_up).await?;
        let before = NotifiedFindings::from_json(lease.notes().get(NOTIFIED_FINDINGS).map(String::as_str));
        let mut notified = before.clone();
        let outcome = self.check(name, watch_event.trigger(), &mut notified, invocation.deadline).await;
        if notified == before {
            lease.release().await;
            return outcome;
        }
        let note = (!notified.is_empty()).then(|| notified.to_json());
        lease.release_noting(NOTIFIED_FINDINGS, note.as_deref()).await?;
        outcome
    }

    /// `GetPipeline`'s answer, as it came and parsed; none if there is no such pipeline.
    async fn read_pipeline(&self, name: &str) -> Result<Option<(Value, Pipeline)>, WatchError> {
        match self.aws.codepipeline().get_pipeline(name).await {
            Ok(live) => Ok(Some((live.clone(), Pipeline::parse(live)?))),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
