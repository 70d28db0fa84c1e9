//! One look at one pipeline: recall, read, judge, tell, remember.

use std::time::{Duration, SystemTime};

use crosspipe_aws::gather::{self, Lookout};
use crosspipe_core::pipeline::Pipeline;
use crosspipe_core::rules::{Verdicts, lint};
use crosspipe_core::snapshot::Snapshot;
use crosspipe_core::watch::{Memory, Notice, Trigger, compare};
use serde_json::Value;

use super::{Watch, WatchError};
use crate::alerts;

/// For how long a fault that nobody looked at stays known. Each look starts this anew.
const REMEMBERED: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// What is left of an invocation for telling and remembering when reading has to end.
const TO_TELL: Duration = Duration::from_secs(10);

impl Watch<'_> {
    /// Tells each receiver what is news to it. What a receiver was told is remembered at the end, whatever
    /// failed meanwhile: what was not told is news to the next look.
    pub(super) async fn look(
        &self,
        name: &str,
        trigger: &Trigger,
        deadline: SystemTime,
    ) -> Result<(), WatchError> {
        let key = format!("watched:{name}");
        let until = SystemTime::now() + REMEMBERED;
        let before = Memory::parse(self.leases.recall(&key, until).await?.as_deref());
        let mut memory = before.clone();
        let mut outcome = Ok(());
        match self.pipeline(name).await? {
            // Nothing is wrong with a pipeline that is gone, and one of its name starts anew.
            None => memory = Memory::default(),
            Some((live, pipeline)) => {
                let (snapshot, verdicts) = self.judge(live, &pipeline, deadline).await?;
                for receiver in self.settings.receivers() {
                    let news = compare(memory.of(receiver.name()), &verdicts, &snapshot, &pipeline);
                    if news.is_empty() {
                        memory.learn(receiver.name(), news.known);
                        continue;
                    }
                    for notice in Notice::of(&news, &pipeline, trigger) {
                        if let Err(error) = alerts::notify(self.aws, receiver, &notice).await {
                            outcome = Err(error.into());
                            break;
                        }
                        tracing::info!(
                            pipeline = name,
                            receiver = receiver.name(),
                            notice = notice.detail_type(),
                            rules = notice.rules().join(" "),
                            "told"
                        );
                        memory.learn(receiver.name(), notice.known);
                    }
                }
            }
        }
        if memory != before {
            self.leases.remember(&key, &memory.to_json(), until).await?;
        }
        outcome
    }

    /// What the rules say of a pipeline now; nothing of one that stays in its account.
    async fn judge(
        &self,
        live: Value,
        pipeline: &Pipeline,
        deadline: SystemTime,
    ) -> Result<(Snapshot, Verdicts), WatchError> {
        if pipeline.cross_account_actions().next().is_none() {
            return Ok(Default::default());
        }
        let lookout = Lookout {
            tools: self.aws,
            diagnostics_role: self.settings.diagnostics_role_name.as_deref(),
            session_name: "crosspipe-failure-reporter",
            until: Some(deadline - TO_TELL),
        };
        let gathered = gather::snapshot(lookout, live, pipeline, None, &[]).await;
        for why in &gathered.unreadable {
            tracing::warn!(pipeline = pipeline.name(), why, "a part of the snapshot is unknown");
        }
        let verdicts = lint(&gathered.snapshot)?;
        Ok((gathered.snapshot, verdicts))
    }
}
