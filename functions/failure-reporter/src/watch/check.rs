//! One look at one pipeline: read, judge, tell, mend, tell what came of it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crosspipe_aws::gather::{self, Gathered};
use crosspipe_core::diagnosis::{Outcome, Remediation};
use crosspipe_core::pipeline::Pipeline;
use crosspipe_core::rules::{Diagnostics, Finding, lint};
use crosspipe_core::snapshot::Snapshot;
use crosspipe_core::watch::finding_key::digest;
use crosspipe_core::watch::{FindingKey, FindingsDiff, Notice, NotifiedFindings, Trigger, compare};
use serde_json::{Value, json};

use super::{Watch, WatchError};
use crate::alerts::Message;
use crate::metrics::{self, Metric};
use crate::remediation::{RecheckResult, Remedy};

/// What is left of an invocation for telling and remembering when reading and mending have to end.
const TO_TELL: Duration = Duration::from_secs(10);
/// The same faults are mended once in this time: where something else keeps taking away what is put back, the two
/// would go on for ever.
const NO_FIGHT: Duration = Duration::from_secs(60 * 60);

/// A pipeline as it is now, and what is wrong with it.
struct PipelineState {
    pipeline: Pipeline,
    snapshot: Snapshot,
    verdicts: Diagnostics,
}

impl Watch<'_> {
    /// Tells each receiver what is news to it, and adds to `memory` what it was told, whatever fails: what was not
    /// told is news to the next look.
    ///
    /// A fault is told before it is mended. The other way round, an attempt that dies in between would leave
    /// nothing to see, and nobody would hear of it.
    pub(super) async fn look(
        &self,
        name: &str,
        trigger: &Trigger,
        memory: &mut NotifiedFindings,
        deadline: SystemTime,
    ) -> Result<(), WatchError> {
        let Some(view) = self.view(name, deadline).await? else {
            // Nothing is wrong with a pipeline that is gone, and one of its name starts anew.
            *memory = NotifiedFindings::default();
            return Ok(());
        };
        let before = memory.clone();
        let told = self.tell(&view, trigger, None, memory).await;
        let found = self.found(&view, &before);
        let Some(access_provider) = self.settings.access_provider_name.as_ref().filter(|_| !found.is_empty())
        else {
            return told;
        };
        let remedy = Remedy::new(self.aws, self.leases, access_provider);
        let mut seen = None;
        let look_again = async || {
            let view = self.view(name, deadline).await?;
            let sight = view.as_ref().map(|view| RecheckResult {
                findings: view.verdicts.findings.clone(),
                snapshot: view.snapshot.clone(),
            });
            seen = view;
            Ok::<_, WatchError>(sight.unwrap_or_default())
        };
        let in_time = deadline.checked_sub(TO_TELL).unwrap_or(UNIX_EPOCH);
        let occasion = occasion(&view.pipeline, &found);
        let mended = remedy.mend(&found, &view.pipeline, &occasion, in_time, look_again).await;
        let outcome = mended.outcome;
        let remediation = Remediation { steps: mended.steps, outcome, ..Remediation::apply() };
        tracing::info!(pipeline = name, outcome = outcome.word(), steps = ?remediation.steps, "remedy");
        if outcome.is_mended() {
            metrics::count(&[(Metric::Remediations, 1)], &json!({"pipeline": name}));
        }
        if !matches!(outcome, Outcome::Reapplied | Outcome::Failed) {
            return told;
        }
        let now = seen.unwrap_or(view);
        let told_again = self.tell(&now, trigger, Some(&remediation), memory).await;
        let is_left = |finding: &Finding| {
            let fault = FindingKey::of(finding, &now.pipeline);
            now.verdicts.findings.iter().any(|other| FindingKey::of(other, &now.pipeline).is(&fault))
        };
        let left: Vec<Finding> = found.into_iter().filter(is_left).collect();
        told.and(told_again).and(self.tell_left(&now, left, trigger, &remediation).await)
    }

    async fn tell(
        &self,
        view: &PipelineState,
        trigger: &Trigger,
        remediation: Option<&Remediation>,
        memory: &mut NotifiedFindings,
    ) -> Result<(), WatchError> {
        let mut outcome = Ok(());
        for receiver in self.settings.receivers() {
            let news = compare(memory.of(receiver.name()), &view.verdicts, &view.snapshot, &view.pipeline);
            if news.is_empty() {
                memory.learn(receiver.name(), news.known);
                continue;
            }
            for notice in Notice::of(&news, &view.pipeline, trigger) {
                let notice = match remediation {
                    Some(remediation) => notice.after(remediation.clone()),
                    None => notice,
                };
                if let Err(error) = self.alerts.send(receiver, &Message::from(&notice)).await {
                    outcome = Err(error.into());
                    break;
                }
                tracing::info!(
                    pipeline = notice.pipeline,
                    receiver = receiver.name(),
                    notice = notice.detail_type(),
                    rules = notice.rules().join(" "),
                    "told"
                );
                memory.learn(receiver.name(), notice.known);
            }
        }
        outcome
    }

    /// Tells everybody of what is there still, although something was done about it.
    async fn tell_left(
        &self,
        view: &PipelineState,
        left: Vec<Finding>,
        trigger: &Trigger,
        remediation: &Remediation,
    ) -> Result<(), WatchError> {
        let news = FindingsDiff { found: left, ..FindingsDiff::default() };
        for notice in Notice::of(&news, &view.pipeline, trigger) {
            let notice = notice.after(remediation.clone());
            for receiver in self.settings.receivers() {
                self.alerts.send(receiver, &Message::from(&notice)).await?;
            }
        }
        Ok(())
    }

    /// What was new to any receiver.
    fn found(&self, view: &PipelineState, before: &NotifiedFindings) -> Vec<Finding> {
        let mut found: Vec<Finding> = vec![];
        for receiver in self.settings.receivers() {
            let news = compare(before.of(receiver.name()), &view.verdicts, &view.snapshot, &view.pipeline);
            for finding in news.found {
                if !found.contains(&finding) {
                    found.push(finding);
                }
            }
        }
        found
    }

    /// None if there is no such pipeline. Of one that stays in its account the rules say nothing.
    async fn view(&self, name: &str, deadline: SystemTime) -> Result<Option<PipelineState>, WatchError> {
        let Some((live, pipeline)) = self.pipeline(name).await? else { return Ok(None) };
        if pipeline.cross_account_actions().next().is_none() {
            let (snapshot, verdicts) = Default::default();
            return Ok(Some(PipelineState { pipeline, snapshot, verdicts }));
        }
        let snapshot = self.snapshot(live, &pipeline, deadline).await;
        let verdicts = lint(&snapshot)?;
        Ok(Some(PipelineState { pipeline, snapshot, verdicts }))
    }

    async fn snapshot(&self, live: Value, pipeline: &Pipeline, deadline: SystemTime) -> Snapshot {
        let until = deadline.checked_sub(TO_TELL).unwrap_or(UNIX_EPOCH);
        let lookout = self.settings.lookout(self.aws, until);
        let Gathered { snapshot, unreadable } = gather::snapshot(lookout, live, pipeline, None, &[]).await;
        for why in &unreadable {
            tracing::warn!(pipeline = pipeline.name(), why, "a part of the snapshot is unknown");
        }
        snapshot
    }
}

/// One attempt at mending: these faults of this pipeline, in this hour.
fn occasion(pipeline: &Pipeline, found: &[Finding]) -> String {
    let faults: Vec<FindingKey> = found.iter().map(|finding| FindingKey::of(finding, pipeline)).collect();
    let hour =
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / NO_FIGHT.as_secs();
    format!("watch:{}:{}:{hour}", pipeline.name(), digest(&faults))
}
