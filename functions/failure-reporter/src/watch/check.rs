//! One check of one pipeline: read, judge, notify, remediate, notify of the outcome.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crosspipe_aws::gather::{self, GatherOptions, Gathered, SharedFacts};
use crosspipe_core::diagnosis::{Outcome, Remediation};
use crosspipe_core::pipeline::Pipeline;
use crosspipe_core::rules::{Diagnostics, Finding, lint};
use crosspipe_core::snapshot::Snapshot;
use crosspipe_core::watch::finding_key::digest_of_keys;
use crosspipe_core::watch::{FindingKey, FindingsDiff, Notice, NotifiedFindings, Trigger, compare_findings};
use serde_json::{Value, json};

use super::{Watch, WatchError};
use crate::alerts::Message;
use crate::metrics::{self, Metric};
use crate::remediation::{RecheckResult, Remediator};

/// The time that notifications and the record need at the end of an invocation: reading and remediation end before.
const TIME_TO_NOTIFY: Duration = Duration::from_secs(10);
/// The same findings are remediated once in this time. Where something else keeps removing what Crosspipe puts
/// back, the two would otherwise undo each other forever.
const REMEDIATION_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// A pipeline as it is now, and the rules' findings about it.
struct PipelineState {
    pipeline: Pipeline,
    snapshot: Snapshot,
    diagnostics: Diagnostics,
}

impl Watch<'_> {
    /// Notifies each destination of what is new to it, and adds that to `notified`, even where something fails
    /// later: what a destination was not notified of is new to the next check.
    ///
    /// The notification comes before the remediation. The other way round, an attempt that dies in between would
    /// leave nothing to find, and nobody would hear of it.
    pub(super) async fn check(
        &self,
        name: &str,
        trigger: &Trigger,
        notified: &mut NotifiedFindings,
        shared: &SharedFacts,
        deadline: SystemTime,
    ) -> Result<(), WatchError> {
        let Some(state) = self.read_state(name, Some(shared), deadline).await? else {
            // A deleted pipeline has no findings, and a new one of the same name starts without any.
            *notified = NotifiedFindings::default();
            return Ok(());
        };
        let before = notified.clone();
        let first_outcome = self.notify_of_changes(&state, trigger, None, notified).await;
        let detected = self.newly_detected(&state, &before);
        let Some(access_provider) =
            self.settings.access_provider_name.as_ref().filter(|_| !detected.is_empty())
        else {
            return first_outcome;
        };
        let remediator = Remediator::new(self.aws, self.leases, access_provider);
        let mut rechecked = None;
        let recheck = async || {
            let state = self.read_state(name, None, deadline).await?;
            let result = state.as_ref().map(|state| RecheckResult {
                findings: state.diagnostics.findings.clone(),
                snapshot: state.snapshot.clone(),
            });
            rechecked = state;
            Ok::<_, WatchError>(result.unwrap_or_default())
        };
        let remediate_until = deadline.checked_sub(TIME_TO_NOTIFY).unwrap_or(UNIX_EPOCH);
        let key = idempotency_key(&state.pipeline, &detected);
        let result = remediator.remediate(&detected, &state.pipeline, &key, remediate_until, recheck).await;
        // It may have changed what other pipelines use, too.
        shared.forget();
        let outcome = result.outcome;
        let remediation = Remediation { steps: result.steps, outcome, ..Remediation::apply() };
        tracing::info!(pipeline = name, outcome = outcome.word(), steps = ?remediation.steps, "remediation");
        if outcome.is_remediated() {
            metrics::write_counts(&[(Metric::Remediations, 1)], &json!({"pipeline": name}));
        }
        let is_news = match outcome {
            Outcome::Reapplied | Outcome::Failed => true,
            // Why nothing was attempted, such as that it was removed again and again.
            Outcome::NotAttempted => !remediation.steps.is_empty(),
            _ => false,
        };
        if !is_news {
            return first_outcome;
        }
        let now = rechecked.unwrap_or(state);
        let second_outcome = self.notify_of_changes(&now, trigger, Some(&remediation), notified).await;
        let is_left = |finding: &Finding| {
            let key = FindingKey::from_finding(finding, &now.pipeline);
            let same = |other| FindingKey::from_finding(other, &now.pipeline).is_same(&key);
            now.diagnostics.findings.iter().any(same)
        };
        let left: Vec<Finding> = detected.into_iter().filter(is_left).collect();
        let third_outcome = self.notify_of_unresolved(&now, left, trigger, &remediation).await;
        first_outcome.and(second_outcome).and(third_outcome)
    }

    /// Notifies each destination of the findings that are new or resolved since its last notification.
    async fn notify_of_changes(
        &self,
        state: &PipelineState,
        trigger: &Trigger,
        remediation: Option<&Remediation>,
        notified: &mut NotifiedFindings,
    ) -> Result<(), WatchError> {
        let mut outcome = Ok(());
        for destination in self.settings.destinations() {
            let diff = state.compare_with(notified.for_destination(destination.name()));
            if diff.is_empty() {
                notified.record(destination.name(), diff.known);
                continue;
            }
            for notice in Notice::from_diff(&diff, &state.pipeline, trigger) {
                let notice = match remediation {
                    Some(remediation) => notice.with_remediation(remediation.clone()),
                    None => notice,
                };
                if let Err(error) = self.alerts.send(destination, &Message::from(&notice)).await {
                    outcome = Err(error.into());
                    break;
                }
                tracing::info!(
                    pipeline = notice.pipeline,
                    destination = destination.name(),
                    notice = notice.detail_type(),
                    rules = notice.rules().join(" "),
                    "notified"
                );
                notified.record(destination.name(), notice.known);
            }
        }
        outcome
    }

    /// Notifies every destination of the findings that remain after a remediation.
    async fn notify_of_unresolved(
        &self,
        state: &PipelineState,
        left: Vec<Finding>,
        trigger: &Trigger,
        remediation: &Remediation,
    ) -> Result<(), WatchError> {
        let diff = FindingsDiff { detected: left, ..FindingsDiff::default() };
        for notice in Notice::from_diff(&diff, &state.pipeline, trigger) {
            let notice = notice.with_remediation(remediation.clone());
            for destination in self.settings.destinations() {
                self.alerts.send(destination, &Message::from(&notice)).await?;
            }
        }
        Ok(())
    }

    /// The findings that are new to at least one destination.
    fn newly_detected(&self, state: &PipelineState, before: &NotifiedFindings) -> Vec<Finding> {
        let mut detected: Vec<Finding> = vec![];
        for destination in self.settings.destinations() {
            let diff = state.compare_with(before.for_destination(destination.name()));
            for finding in diff.detected {
                if !detected.contains(&finding) {
                    detected.push(finding);
                }
            }
        }
        detected
    }

    /// Reads a pipeline and judges it; none if there is no such pipeline. One without cross-account actions is not
    /// judged.
    async fn read_state(
        &self,
        name: &str,
        shared: Option<&SharedFacts>,
        deadline: SystemTime,
    ) -> Result<Option<PipelineState>, WatchError> {
        let Some((live, pipeline)) = self.read_pipeline(name).await? else { return Ok(None) };
        if pipeline.cross_account_actions().next().is_none() {
            let (snapshot, diagnostics) = Default::default();
            return Ok(Some(PipelineState { pipeline, snapshot, diagnostics }));
        }
        let snapshot = self.read_snapshot(live, &pipeline, shared, deadline).await;
        let diagnostics = lint(&snapshot)?;
        Ok(Some(PipelineState { pipeline, snapshot, diagnostics }))
    }

    async fn read_snapshot(
        &self,
        live: Value,
        pipeline: &Pipeline,
        shared: Option<&SharedFacts>,
        deadline: SystemTime,
    ) -> Snapshot {
        let until = deadline.checked_sub(TIME_TO_NOTIFY).unwrap_or(UNIX_EPOCH);
        let options = GatherOptions { shared, ..self.settings.gather_options(self.aws, until) };
        let Gathered { snapshot, unreadable } =
            gather::gather_snapshot(options, live, pipeline, None, &[]).await;
        for why in &unreadable {
            tracing::warn!(pipeline = pipeline.name(), why, "a part of the snapshot is unknown");
        }
        snapshot
    }
}

impl PipelineState {
    fn compare_with(&self, notified: &[FindingKey]) -> FindingsDiff {
        compare_findings(notified, &self.diagnostics, &self.snapshot, &self.pipeline)
    }
}

/// Identifies one attempt at remediation: these findings of this pipeline, in this hour.
fn idempotency_key(pipeline: &Pipeline, findings: &[Finding]) -> String {
    let keys: Vec<FindingKey> =
        findings.iter().map(|finding| FindingKey::from_finding(finding, pipeline)).collect();
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let hour = since_epoch.as_secs() / REMEDIATION_INTERVAL.as_secs();
    format!("watch:{}:{}:{hour}", pipeline.name(), digest_of_keys(&keys))
}
