//! A change or a schedule: checks the pipelines that it concerns, before a run fails.

mod check;
mod page;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crosspipe_aws::gather::SharedFacts;
use crosspipe_aws::lease::{LeaseError, Leases, Notes};
use crosspipe_aws::{Aws, AwsError, ErrorKind};
use crosspipe_core::field_error::FieldError;
use crosspipe_core::pipeline::Pipeline;
use crosspipe_core::snapshot::SnapshotError;
use crosspipe_core::watch::{Continuation, NotifiedFindings, Resource, Trigger, WatchEvent, WatchEventError};
use serde_json::Value;

use crate::alerts::{AlertError, Alerts, Invocation};
use crate::settings::Settings;

/// Pipelines that are checked side by side. Each check makes some twenty calls at once, and IAM and CodePipeline
/// throttle per account.
const CONCURRENT_CHECKS: usize = 4;
/// No check starts with less time left: one that is cut off starts anew with the next attempt.
const TIME_FOR_ONE_CHECK: Duration = Duration::from_secs(20);
/// IAM and S3 can answer for some seconds what was before a change.
const SETTLING: Duration = Duration::from_secs(30);
/// The note on a pipeline's lease that says when its last check began to read, in seconds since 1970.
const CHECKED: &str = "Checked";
/// The note on a pipeline's lease that holds its [`NotifiedFindings`].
const NOTIFIED_FINDINGS: &str = "Known";

/// Checks pipelines for findings that would make the next run fail.
pub(crate) struct Watch<'a> {
    aws: &'a Aws,
    leases: &'a Leases,
    alerts: Alerts<'a>,
    settings: &'a Settings,
}

/// What the checks of one invocation have in common.
#[derive(Debug)]
struct Run {
    /// When it began, in seconds since 1970: nothing that it holds was read before.
    began: u64,
    shared: SharedFacts,
}

impl Run {
    fn begin() -> Self {
        let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Run { began, shared: SharedFacts::default() }
    }
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
    /// The function's timeout is too short for one pipeline, or nothing can have another invocation go on.
    #[error(
        "no time was left to check pipeline `{0}` and those after it: give the function a longer timeout"
    )]
    OutOfTime(String),
    /// It was not this function that sent it.
    #[error("the event is not one that continues a check: {0}")]
    Continuation(String),
}

impl WatchError {
    /// Whether another attempt would fail the same way.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, WatchError::Event(_) | WatchError::Continuation(_))
    }
}

impl<'a> Watch<'a> {
    /// A watch with these settings.
    pub(crate) fn new(aws: &'a Aws, leases: &'a Leases, alerts: Alerts<'a>, settings: &'a Settings) -> Self {
        Watch { aws, leases, alerts, settings }
    }

    /// Handles one event.
    pub(crate) async fn handle(&self, event: &Value, invocation: Invocation<'_>) -> Result<(), WatchError> {
        let (watch_event, done) = if Continuation::is_continuation(event) {
            let left = Continuation::from_event(event)
                .map_err(|error| WatchError::Continuation(error.to_string()))?;
            (left.event, (Some(left.after), left.failed))
        } else {
            let Some(watch_event) = read_watch_event(event, invocation)? else { return Ok(()) };
            (watch_event, (None, vec![]))
        };
        let names = self.list_candidates(&watch_event).await?;
        self.check_page(names, watch_event, done, invocation).await
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
        run: &Run,
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
        // Of two checks at once, both would find the same finding new.
        let give_up = invocation.deadline - TIME_FOR_ONE_CHECK;
        let key = format!("watch:{name}");
        let lease = self.leases.acquire(&key, invocation.request_id, invocation.deadline, give_up).await?;
        let trigger = watch_event.trigger();
        if matches!(watch_event, WatchEvent::Change(..)) && was_seen(trigger, lease.notes().get(CHECKED)) {
            tracing::info!(pipeline = name, "a check that began after the change has seen it");
            lease.release().await;
            return Ok(());
        }
        let before = NotifiedFindings::from_json(lease.notes().get(NOTIFIED_FINDINGS).map(String::as_str));
        let mut notified = before.clone();
        let outcome = self.check(name, trigger, &mut notified, &run.shared, invocation.deadline).await;
        let mut notes = Notes::new();
        if outcome.is_ok() {
            notes.insert(CHECKED.to_owned(), Some(run.began.to_string()));
        }
        if notified != before {
            let note = (!notified.is_empty()).then(|| notified.to_json());
            notes.insert(NOTIFIED_FINDINGS.to_owned(), note);
        }
        if notes.is_empty() {
            lease.release().await;
        } else {
            lease.release_with_notes(notes).await?;
        }
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

/// Whether a check that began then has seen a change. Of several changes in a row, the first check sees all.
fn was_seen(change: &Trigger, checked: Option<&String>) -> bool {
    let checked: Option<u64> = checked.and_then(|seconds| seconds.parse().ok());
    change
        .epoch_seconds()
        .zip(checked)
        .is_some_and(|(change, checked)| change + SETTLING.as_secs() <= checked)
}

/// What starts a check; none where the event starts none.
fn read_watch_event(event: &Value, invocation: Invocation<'_>) -> Result<Option<WatchEvent>, WatchError> {
    let watch_event = match WatchEvent::from_event(event) {
        Ok(watch_event) => watch_event,
        Err(incomplete @ WatchEventError::Missing { .. }) => return Err(incomplete.into()),
        Err(other) => {
            tracing::info!(%other, "passed over an event that changes nothing here");
            return Ok(None);
        }
    };
    let account = event.get("account").and_then(Value::as_str).unwrap_or_default();
    if let WatchEvent::Change(resource, _) = &watch_event
        && !resource.can_be_changed_in(account, &invocation.own_account())
    {
        tracing::warn!(account, %resource, "passed over an event of another account");
        return Ok(None);
    }
    Ok(Some(watch_event))
}
