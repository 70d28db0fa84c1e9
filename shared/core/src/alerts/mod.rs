//! What people are told, and how each receiver reads it.
//!
//! An [`Alert`] is the content; a failure report and a notice about a fault both turn into one, so that every
//! receiver says the same. What is in it may come from anywhere (pipeline names, error messages, logs), so each
//! renderer keeps it from being read as markup and fits it to its receiver's limits; what is cut says so.
//!
//! # Layout
//! - this file: the content
//! - `of_report`: what a diagnosed failure tells
//! - `of_notice`: what a fault tells that was found, or mended, before a run met it
//! - `of_failure`: what a failure tells that is not diagnosed
//! - [`email`]: subject and text for SNS
//! - [`chat`]: custom notifications of Amazon Q Developer in chat applications
//! - [`event`]: the detail of an event on EventBridge
//! - [`slack`]: incoming webhooks as Slack has them
//! - `plain`: text without control characters, on one line, fitted

pub mod chat;
pub mod email;
pub mod event;
mod of_failure;
mod of_notice;
mod of_report;
mod plain;
pub mod slack;

use serde::Serialize;

use crate::diagnosis::Confidence;

/// Something that people are told.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// What it is about: one alert per id and receiver. An action execution's id, or a fault's.
    pub id: String,
    /// What groups alerts in a chat: those of one pipeline execution, or those of one fault.
    pub thread: String,
    /// What has happened.
    pub kind: Kind,
    /// What has happened, in a few words: `MyPipeline: Deploy failed in 222222222222`.
    pub subject: String,
    /// What has happened, in one sentence.
    pub headline: String,
    /// The best explanation, if there is one.
    pub cause: Option<Cause>,
    /// Further findings, most likely first.
    pub further: Vec<Cause>,
    /// What was done about it, if anything was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done: Option<Done>,
    /// Where to look, in the order in which to look there.
    pub links: Vec<Link>,
    /// What the alert rests on.
    pub evidence: Vec<Evidence>,
    /// ARNs of what it is about, the pipeline first.
    pub resources: Vec<String>,
    /// What receivers filter by: `pipeline`, `targetAccount`. None is empty.
    pub attributes: Vec<(&'static str, String)>,
}

/// What has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// An action in a target account failed, and was diagnosed.
    ActionFailed,
    /// An action in the pipeline's own account failed.
    OwnActionFailed,
    /// A fault was found before it made anything fail.
    FaultFound,
    /// A fault that was found is no more.
    FaultMended,
}

impl Kind {
    /// The `detail-type` of the event, and the event type of a chat notification.
    pub fn detail_type(self) -> &'static str {
        match self {
            Kind::ActionFailed => "Crosspipe Failure Report",
            Kind::OwnActionFailed => "Crosspipe Same-Account Failure",
            Kind::FaultFound => "Crosspipe Fault Found",
            Kind::FaultMended => "Crosspipe Fault Mended",
        }
    }
}

/// A fault and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// The rule's id.
    pub rule: String,
    /// How surely it is the cause of a failure; none where nothing has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What shows it.
    pub because: String,
    /// What to do, ready to paste; may have several lines.
    pub fix: String,
}

impl Cause {
    /// `KM001, confirmed`.
    fn label(&self) -> String {
        match self.confidence {
            Some(confidence) => format!("{}, {}", self.rule, confidence.name()),
            None => self.rule.clone(),
        }
    }
}

/// What was done about a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Done {
    /// What came of it, in a word.
    pub outcome: String,
    /// What was done, one sentence each.
    pub steps: Vec<String>,
}

/// A page to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// What is there.
    pub name: String,
    /// Its address.
    pub url: String,
}

/// One thing that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// What of.
    pub name: String,
    /// What is known of it; may have several lines.
    pub text: String,
}

impl Evidence {
    /// One thing that is known.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Evidence { name: name.into(), text: text.into() }
    }
}
