//! One question to AWS: how long it may take, and what is noted where it fails.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crosspipe_core::policy::PolicyDocument;
use crosspipe_core::snapshot::Fact;
use tokio::time::{Instant, timeout_at};

use crate::error::{AwsError, ErrorKind};

/// Asks until its time is up, and collects why parts are unknown.
#[derive(Debug)]
pub(super) struct FactReader {
    until: Option<Instant>,
    notes: Mutex<BTreeSet<String>>,
}

/// Why something was not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unread {
    /// AWS said no, or nothing.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// There was no answer while the report could wait.
    #[error("no answer in time about {0}")]
    Late(String),
}

impl Unread {
    /// Whether it does not exist.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Unread::Aws(error) if error.kind == ErrorKind::NotFound)
    }
}

impl FactReader {
    pub(super) fn new(until: Option<SystemTime>) -> Self {
        let left = |until: SystemTime| until.duration_since(SystemTime::now()).unwrap_or_default();
        Self { until: until.map(|until| Instant::now() + left(until)), notes: Mutex::default() }
    }

    /// Waits for an answer about something, as long as there is time.
    pub(super) async fn ask<T>(
        &self,
        about: &str,
        call: impl Future<Output = Result<T, AwsError>>,
    ) -> Result<T, Unread> {
        let answer = match self.until {
            Some(until) => timeout_at(until, call).await.map_err(|_| Unread::Late(about.to_owned()))?,
            None => call.await,
        };
        Ok(answer?)
    }

    /// The same as a fact, with a note where there is none.
    pub(super) async fn fact<T>(
        &self,
        about: &str,
        call: impl Future<Output = Result<Option<T>, AwsError>>,
    ) -> Fact<T> {
        self.settle(self.ask(about, call).await)
    }

    /// The same for what is there or is an error.
    pub(super) async fn known<T>(
        &self,
        about: &str,
        call: impl Future<Output = Result<T, AwsError>>,
    ) -> Fact<T> {
        self.settle(self.ask(about, call).await.map(Some))
    }

    /// The same for a policy.
    pub(super) async fn document(
        &self,
        about: &str,
        call: impl Future<Output = Result<Option<String>, AwsError>>,
    ) -> Fact<PolicyDocument> {
        match self.fact(about, call).await {
            Fact::Known(text) => self.parse(about, &text),
            Fact::Absent => Fact::Absent,
            Fact::Unknown => Fact::Unknown,
        }
    }

    /// The policy of something.
    pub(super) fn parse(&self, of: &str, text: &str) -> Fact<PolicyDocument> {
        match PolicyDocument::parse(text) {
            Ok(document) => Fact::Known(document),
            Err(error) => {
                self.note(&format!("the policy of `{of}` can't be read: {error}"));
                Fact::Unknown
            }
        }
    }

    /// What does not exist is absent; what else went wrong is noted.
    pub(super) fn settle<T>(&self, answer: Result<Option<T>, Unread>) -> Fact<T> {
        match answer {
            Ok(found) => Fact::from(found),
            Err(why) if why.is_missing() => Fact::Absent,
            Err(why) => {
                self.note(&why);
                Fact::Unknown
            }
        }
    }

    pub(super) fn note(&self, why: &dyn fmt::Display) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).insert(why.to_string());
    }

    pub(super) fn into_lines(self) -> Vec<String> {
        self.notes.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().collect()
    }
}
