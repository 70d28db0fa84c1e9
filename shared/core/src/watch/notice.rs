//! The news of one pipeline as an event for machines.

use serde::Serialize;

use super::fault::Fault;
use super::news::News;
use super::occasion::Trigger;
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
}

/// What a notice is about.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum NoticeKind {
    /// Faults that the next run will meet, as `crosspipe lint --format json` prints them.
    Found(Vec<Finding>),
    /// Faults that are gone: `rule`, `location`, `who` and `message` of each.
    Mended(Vec<Fault>),
}

impl Notice {
    /// What is to be told of these news: what was found, then what was mended.
    pub fn of(news: &News, pipeline: &Pipeline, trigger: &Trigger) -> Vec<Self> {
        let found = (!news.found.is_empty()).then(|| NoticeKind::Found(news.found.clone()));
        let mended = (!news.mended.is_empty()).then(|| NoticeKind::Mended(news.mended.clone()));
        let notice = |kind| Notice {
            schema_version: "1",
            pipeline: pipeline.name().to_owned(),
            account: pipeline.account().unwrap_or_default().to_owned(),
            region: pipeline.region().unwrap_or_default().to_owned(),
            kind,
            trigger: trigger.clone(),
        };
        found.into_iter().chain(mended).map(notice).collect()
    }

    /// The event's `detail-type`.
    pub fn detail_type(&self) -> &'static str {
        match self.kind {
            NoticeKind::Found(_) => "Crosspipe Fault Found",
            NoticeKind::Mended(_) => "Crosspipe Fault Mended",
        }
    }
}
