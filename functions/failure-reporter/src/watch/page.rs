//! As many pipelines as one invocation has time for, and the event that has the next one go on.

use std::time::SystemTime;

use crosspipe_core::watch::WatchEvent;
use crosspipe_core::watch::continuation::{Continuation, DETAIL_TYPE, SOURCE};
use futures_util::{StreamExt, stream};

use super::{CONCURRENT_CHECKS, Run, TIME_FOR_ONE_CHECK, Watch, WatchError};
use crate::alerts::Invocation;

/// What became of one pipeline.
enum Outcome {
    Done,
    Failed(WatchError),
    /// No time was left to begin.
    Left,
}

impl Watch<'_> {
    /// Checks pipelines in the order of their names: those after `after`, then those that failed before. A pipeline whose
    /// check fails stops no other check, and has a second one at the end.
    pub(super) async fn check_page(
        &self,
        mut names: Vec<String>,
        watch_event: WatchEvent,
        (after, failed_before): (Option<String>, Vec<String>),
        invocation: Invocation<'_>,
    ) -> Result<(), WatchError> {
        names.sort();
        names.retain(|name| after.as_ref().is_none_or(|after| name > after));
        let in_order = names.len();
        names.extend(failed_before);
        let (event, run) = (&watch_event, &Run::begin());
        let mut outcomes: Vec<(usize, Outcome)> = stream::iter(names.iter().enumerate())
            .map(async |(at, name)| {
                if SystemTime::now() + TIME_FOR_ONE_CHECK > invocation.deadline {
                    return (at, Outcome::Left);
                }
                match self.check_if_concerned(name, event, run, invocation).await {
                    Ok(()) => (at, Outcome::Done),
                    Err(error) => {
                        tracing::error!(pipeline = name, %error, "could not check this pipeline");
                        (at, Outcome::Failed(error))
                    }
                }
            })
            .buffer_unordered(CONCURRENT_CHECKS)
            .collect()
            .await;
        outcomes.sort_by_key(|(at, _)| *at);
        let trigger = watch_event.trigger();
        let (event, resource) = (trigger.event.clone(), trigger.resource.clone());
        let begun = outcomes.iter().filter(|(_, outcome)| !matches!(outcome, Outcome::Left)).count();
        tracing::info!(event, resource, pipelines = begun, left = names.len() - begun, "checked");
        if begun == names.len() {
            let failed = outcomes.into_iter().find_map(|(_, outcome)| match outcome {
                Outcome::Failed(error) => Some(error),
                _ => None,
            });
            return failed.map_or(Ok(()), Err);
        }
        // Those that are left are the last ones: time does not come back.
        let name_of = |at: usize| names.get(at).cloned().unwrap_or_default();
        let Some(last_begun) = begun.checked_sub(1) else { return Err(WatchError::OutOfTime(name_of(0))) };
        let last_in_order = last_begun.min(in_order.saturating_sub(1));
        let again = outcomes.iter().filter(|(at, outcome)| match outcome {
            Outcome::Done => false,
            Outcome::Failed(_) => true,
            Outcome::Left => *at >= in_order,
        });
        let failed = again.map(|(at, _)| name_of(*at)).collect();
        let after = if in_order == 0 { after.unwrap_or_default() } else { name_of(last_in_order) };
        self.continue_later(&Continuation { event: watch_event, after, failed }).await
    }

    /// Has another invocation go on.
    async fn continue_later(&self, left: &Continuation) -> Result<(), WatchError> {
        let Some(bus) = &self.settings.event_bus_name else {
            return Err(WatchError::OutOfTime(left.after.clone()));
        };
        self.aws.eventbridge().put_event(bus, SOURCE, DETAIL_TYPE, &left.to_detail(), &[]).await?;
        Ok(())
    }
}
