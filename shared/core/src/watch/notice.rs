//! A findings diff of one pipeline as an event.

use serde::Serialize;

use super::finding_key::{FindingKey, digest_of_keys};
use super::findings_diff::FindingsDiff;
use super::watch_event::Trigger;
use crate::diagnosis::Remediation;
use crate::pipeline::Pipeline;
use crate::rules::Finding;

/// The detail of a `Crosspipe Finding Detected` or `Crosspipe Finding Resolved` event; versioned by `schemaVersion`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// `"1"`.
    pub schema_version: &'static str,
    /// The pipeline's name.
    pub pipeline: String,
    /// The pipeline's account.
    pub account: String,
    /// The pipeline's Region.
    pub region: String,
    /// The findings.
    #[serde(rename = "findings")]
    pub kind: NoticeKind,
    /// What started the check.
    pub trigger: Trigger,
    /// What Crosspipe did about it, where it did something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remediation: Option<Remediation>,
    /// The findings that the destination was notified of once it has this notice.
    #[serde(skip)]
    pub known: Vec<FindingKey>,
    /// The pipeline's ARN, where it is known.
    #[serde(skip)]
    pub pipeline_arn: String,
    #[serde(skip)]
    digest: String,
}

/// What a notice is about.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum NoticeKind {
    /// Findings that will make the next run fail, as `crosspipe lint --format json` prints them.
    Detected(Vec<Finding>),
    /// Findings that no longer hold: `rule`, `location`, `who` and `message` of each.
    Resolved(Vec<FindingKey>),
}

impl NoticeKind {
    fn digest(&self, pipeline: &Pipeline) -> String {
        match self {
            NoticeKind::Detected(findings) => {
                let keys: Vec<FindingKey> =
                    findings.iter().map(|finding| FindingKey::from_finding(finding, pipeline)).collect();
                digest_of_keys(&keys)
            }
            NoticeKind::Resolved(keys) => digest_of_keys(keys),
        }
    }
}

impl Notice {
    /// The notices that a diff needs: first what was detected, then what was resolved.
    pub fn from_diff(diff: &FindingsDiff, pipeline: &Pipeline, trigger: &Trigger) -> Vec<Self> {
        let notice = |kind: NoticeKind, known: Vec<FindingKey>| Notice {
            digest: kind.digest(pipeline),
            pipeline_arn: pipeline.arn().unwrap_or_default().to_owned(),
            schema_version: "1",
            pipeline: pipeline.name().to_owned(),
            account: pipeline.account().unwrap_or_default().to_owned(),
            region: pipeline.region().unwrap_or_default().to_owned(),
            kind,
            trigger: trigger.clone(),
            remediation: None,
            known,
        };
        let mut notices = Vec::new();
        if !diff.detected.is_empty() {
            let known = diff.known.iter().chain(&diff.resolved).cloned().collect();
            notices.push(notice(NoticeKind::Detected(diff.detected.clone()), known));
        }
        if !diff.resolved.is_empty() {
            notices.push(notice(NoticeKind::Resolved(diff.resolved.clone()), diff.known.clone()));
        }
        notices
    }

    /// Adds what Crosspipe did about it.
    #[must_use]
    pub fn with_remediation(self, remediation: Remediation) -> Self {
        Notice { remediation: Some(remediation), ..self }
    }

    /// The thread of its findings: the same when they are detected and when they are resolved.
    pub fn thread(&self) -> String {
        format!("{}:{}", self.pipeline, self.digest)
    }

    /// The event's `detail-type`.
    pub fn detail_type(&self) -> &'static str {
        match self.kind {
            NoticeKind::Detected(_) => "Crosspipe Finding Detected",
            NoticeKind::Resolved(_) => "Crosspipe Finding Resolved",
        }
    }

    /// The ids of the findings' rules.
    pub fn rules(&self) -> Vec<&str> {
        match &self.kind {
            NoticeKind::Detected(findings) => findings.iter().map(|finding| finding.rule.as_str()).collect(),
            NoticeKind::Resolved(keys) => keys.iter().map(|key| key.rule.as_str()).collect(),
        }
    }
}
