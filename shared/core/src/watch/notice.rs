//! The news of one pipeline as an event for machines.

use serde::Serialize;

use super::finding_key::{FindingKey, digest};
use super::findings_diff::FindingsDiff;
use super::watch_event::Trigger;
use crate::diagnosis::Remediation;
use crate::pipeline::Pipeline;
use crate::rules::Finding;

/// The detail of a `Crosspipe Fault Found` or `Crosspipe Fault Mended` event; versioned by `schemaVersion`.
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
    /// The faults.
    #[serde(rename = "faults")]
    pub kind: NoticeKind,
    /// What set off the look that found it out.
    pub trigger: Trigger,
    /// What was done about it, where something was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remediation: Option<Remediation>,
    /// What its receiver knows of once it is told.
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
    /// Faults that the next run will meet, as `crosspipe lint --format json` prints them.
    Found(Vec<Finding>),
    /// Faults that are gone: `rule`, `location`, `who` and `message` of each.
    Mended(Vec<FindingKey>),
}

impl NoticeKind {
    fn digest(&self, pipeline: &Pipeline) -> String {
        match self {
            NoticeKind::Found(findings) => {
                let faults: Vec<FindingKey> =
                    findings.iter().map(|finding| FindingKey::of(finding, pipeline)).collect();
                digest(&faults)
            }
            NoticeKind::Mended(faults) => digest(faults),
        }
    }
}

impl Notice {
    /// What is to be told of these news: what was found, then what was mended.
    pub fn of(news: &FindingsDiff, pipeline: &Pipeline, trigger: &Trigger) -> Vec<Self> {
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
        if !news.found.is_empty() {
            let known = news.known.iter().chain(&news.mended).cloned().collect();
            notices.push(notice(NoticeKind::Found(news.found.clone()), known));
        }
        if !news.mended.is_empty() {
            notices.push(notice(NoticeKind::Mended(news.mended.clone()), news.known.clone()));
        }
        notices
    }

    /// The same, with what was done about it.
    #[must_use]
    pub fn after(self, remediation: Remediation) -> Self {
        Notice { remediation: Some(remediation), ..self }
    }

    /// A name for its faults: the same when they are found and when they are mended.
    pub fn thread(&self) -> String {
        format!("{}:{}", self.pipeline, self.digest)
    }

    /// The event's `detail-type`.
    pub fn detail_type(&self) -> &'static str {
        match self.kind {
            NoticeKind::Found(_) => "Crosspipe Fault Found",
            NoticeKind::Mended(_) => "Crosspipe Fault Mended",
        }
    }

    /// The rules that are spoken of.
    pub fn rules(&self) -> Vec<&str> {
        match &self.kind {
            NoticeKind::Found(findings) => findings.iter().map(|finding| finding.rule).collect(),
            NoticeKind::Mended(faults) => faults.iter().map(|fault| fault.rule.as_str()).collect(),
        }
    }
}
