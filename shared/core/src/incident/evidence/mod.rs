//! What the provider in the target account says of a failure: one sentence, and where it failed.
//!
//! # Layout
//! - this file: the details, and how much of them is kept
//! - one file per provider: how its answers are read
//! - `secrets`: what of a log is not passed on
//! - `since`: what was before the action began is no word on it

mod cloudformation;
mod codebuild;
mod codedeploy;
mod during_action;
mod ecs;
mod lambda;
mod s3;
mod secrets;
mod stack_set;
mod step_functions;

#[cfg(test)]
mod tests;

pub use cloudformation::failed_nested_stack;
pub use secrets::hide_secrets;

use serde::Serialize;
use serde_json::Value;

use super::failure::Failure;
use crate::pipeline::Action;
use crate::providers::{EvidenceSource, Provider};
use crate::snapshot::Snapshot;

/// Targets, of those that failed: they mostly fail for one reason.
const FAILURES: usize = 5;
/// Characters of a sentence.
const SENTENCE: usize = 1_000;
/// The last characters of a log, which ends with what went wrong; a little less than a reader of reports would
/// cut itself.
const LOG_TAIL: usize = 1_900;

/// What a provider says of a failure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Details {
    /// Why it failed, in one sentence.
    pub reason: Option<String>,
    /// The provider's own error code, `NO_INSTANCES`.
    pub code: Option<String>,
    /// Where it failed, the first failure first.
    pub failures: Vec<TargetFailure>,
    /// Every text that gives a reason, the most telling first. Logs are not among them: what a script prints is
    /// the script's own affair.
    pub messages: Vec<String>,
    /// A console page with the provider's log.
    pub log: Option<String>,
}

/// One target that failed: an instance, a resource of a stack, a task, a build.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetFailure {
    /// What failed, by the provider's name for it.
    pub target: String,
    /// In which step: a lifecycle event, a status, a phase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// What is said of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The end of its log, without what looks like a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_tail: Option<String>,
}

/// Reads what the snapshot has of the failed action's provider.
pub fn details(failure: &Failure, action: &Action<'_>, snapshot: &Snapshot) -> Details {
    let Some(source) = Provider::of(action).evidence() else { return Details::default() };
    let details = match source {
        EvidenceSource::Deployment => codedeploy::read(failure, snapshot),
        EvidenceSource::StackEvents => cloudformation::read(failure, action, snapshot),
        EvidenceSource::Service => ecs::read(failure, action, snapshot),
        EvidenceSource::Bucket => s3::read(failure, action, snapshot),
        EvidenceSource::Build => codebuild::read(failure, snapshot),
        EvidenceSource::Function => lambda::read(failure, action, snapshot),
        EvidenceSource::StateMachine => step_functions::read(failure, snapshot),
        EvidenceSource::StackSetOperation => stack_set::read(failure, action, snapshot),
    };
    details.unwrap_or_default().bounded()
}

impl Details {
    /// What is not there to be used, and no reason to look any further.
    fn missing(what: &str) -> Self {
        Details { reason: Some(format!("{what} does not exist")), ..Details::default() }
    }

    fn bounded(mut self) -> Self {
        let texts = self.failures.iter().filter_map(|failure| {
            let message = failure.message.as_ref()?;
            Some(failure.step.as_ref().map_or_else(|| message.clone(), |step| format!("{step}: {message}")))
        });
        let mut messages: Vec<String> = texts.collect();
        messages.append(&mut self.messages);
        messages.extend(self.reason.clone());
        messages.iter_mut().for_each(|text| *text = start(text, SENTENCE));
        let mut kept = Vec::new();
        messages.retain(|text| {
            !kept.contains(text) && {
                kept.push(text.clone());
                true
            }
        });
        self.messages = messages;
        self.reason = self.reason.map(|text| start(&text, SENTENCE));
        self.failures.truncate(FAILURES);
        for failure in &mut self.failures {
            failure.message = failure.message.take().map(|text| start(&text, SENTENCE));
            // Hidden first: what is cut may have lost the name that shows it to be secret.
            failure.log_tail = failure.log_tail.take().map(|text| end(&hide_secrets(&text), LOG_TAIL));
        }
        self
    }
}

/// The first characters of a text, which says where it was cut.
fn start(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        Some((at, _)) => format!("{} …", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The last characters of a text, which says where it was cut.
fn end(text: &str, length: usize) -> String {
    match text.char_indices().rev().nth(length) {
        Some((at, c)) => format!("… {}", text.get(at + c.len_utf8()..).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A text that is there and says something.
fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
}

/// The members of a list; none where there is no list.
fn items<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

/// Texts in one, with colons between them.
fn joined<'v>(texts: impl IntoIterator<Item = Option<&'v str>>) -> Option<String> {
    let texts: Vec<&str> = texts.into_iter().flatten().collect();
    (!texts.is_empty()).then(|| texts.join(": "))
}
