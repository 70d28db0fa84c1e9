//! Alerts: one content, formatted for each destination.
//!
//! An [`Alert`] is the content. A failure report and a notice of the watch both turn into one, so every destination
//! says the same. Its texts may come from anywhere (pipeline names, error messages, logs), so each format escapes
//! them and fits them to the destination's limits. What is cut says so.
//!
//! # Layout
//! - this file: the content
//! - `of_report`: the alert of a diagnosed failure
//! - `of_notice`: the alert of findings that were detected or resolved before a run
//! - `of_failure`: the alert of a failure in the pipeline's own account
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

/// The content of a notification.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// One alert is sent per id and destination. An action execution's id, or that of a set of findings.
    pub id: String,
    /// What groups alerts in a chat: those of one pipeline execution, or those of one set of findings.
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
    /// What Crosspipe did about it, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done: Option<Done>,
    /// Console pages, the most useful first.
    pub links: Vec<Link>,
    /// The facts behind it.
    pub evidence: Vec<Evidence>,
    /// ARNs of what it is about, the pipeline first.
    pub resources: Vec<String>,
    /// What subscriptions filter by: `pipeline`, `targetAccount`. None is empty.
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
    /// The watch detected findings before a run failed.
    FindingDetected,
    /// Findings that were detected no longer hold.
    FindingResolved,
}

impl Kind {
    /// The `detail-type` of the event, and the event type of a chat notification.
    pub fn detail_type(self) -> &'static str {
        match self {
            Kind::ActionFailed => "Crosspipe Failure Report",
            Kind::OwnActionFailed => "Crosspipe Same-Account Failure",
            Kind::FindingDetected => "Crosspipe Finding Detected",
            Kind::FindingResolved => "Crosspipe Finding Resolved",
        }
    }
}

/// A finding and its fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// The rule's id.
    pub rule: String,
    /// How certain it is that it caused the failure; none where nothing has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What shows it.
    pub because: String,
    /// What to do in one sentence, and the statements to add; may have several lines.
    pub fix: String,
    /// A script that does it, and the Crosspipe resource that does the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
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

/// What Crosspipe did about a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Done {
    /// The outcome, in a word.
    pub outcome: String,
    /// What was done, one sentence each.
    pub steps: Vec<String>,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// What is there.
    pub name: String,
    /// Its address.
    pub url: String,
}

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// What it is about.
    pub name: String,
    /// The fact; may have several lines.
    pub text: String,
}

impl Evidence {
    /// A fact.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Evidence { name: name.into(), text: text.into() }
    }
}
