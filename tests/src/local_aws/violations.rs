//! What AWS would have refused, held against the test that sent it.

use std::fmt;
use std::thread;

use serde_json::{Value, json};

use super::{CallError, LocalAws};

/// A request that AWS's service models don't allow, or an answer of local AWS that they don't.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// `request` or `answer`.
    pub side: String,
    /// The service, as its model is called (`codepipeline`).
    pub service: String,
    /// The operation (`UpdatePipeline`).
    pub operation: String,
    /// Where in it (`pipeline.stages[0].name`).
    pub member: String,
    /// What is wrong with the member.
    pub message: String,
    /// The ARN of the principal that called.
    pub caller: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { side, service, operation, member, message, caller } = self;
        write!(f, "{side} of {service}:{operation} by {caller}: '{member}': {message}")
    }
}

/// Takes the violations of an account when it is dropped, and fails the test that it finds some in.
#[derive(Debug)]
pub(super) struct Watch<'aws> {
    aws: &'aws LocalAws,
    account: String,
}

impl<'aws> Watch<'aws> {
    pub(super) fn new(aws: &'aws LocalAws, account: String) -> Self {
        Self { aws, account }
    }

    pub(super) fn take(&self) -> Result<Vec<Violation>, CallError> {
        let answer = self.aws.control("violations", &json!({"account": self.account}))?;
        let listed = answer.get("violations").and_then(Value::as_array).cloned().unwrap_or_default();
        Ok(listed.iter().map(violation).collect())
    }
}

impl Drop for Watch<'_> {
    #[allow(clippy::panic, reason = "only tests and the demo have accounts, and this is how a test fails")]
    fn drop(&mut self) {
        if thread::panicking() {
            return; // it has failed already
        }
        match self.take() {
            Ok(violations) if violations.is_empty() => {}
            Ok(violations) => {
                let listed: String = violations.iter().map(|one| format!("\n- {one}")).collect();
                panic!("AWS's service models don't allow this:{listed}");
            }
            Err(error) => panic!("what AWS would have refused is unknown: {error}"),
        }
    }
}

fn violation(value: &Value) -> Violation {
    let text = |member: &str| value.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
    Violation {
        side: text("side"),
        service: text("service"),
        operation: text("operation"),
        member: text("member"),
        message: text("message"),
        caller: text("caller"),
    }
}
