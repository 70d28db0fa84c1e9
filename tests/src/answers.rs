//! Where a custom resource's function sends its answers, in CloudFormation's place.
//!
//! See <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html>.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::SetupError;
use crate::http::{Message, Server, answer};

/// Keeps every answer, under the id of its request.
#[derive(Debug)]
pub struct Answers {
    kept: Arc<Kept>,
    server: Server,
}

#[derive(Debug, Default)]
struct Kept {
    answers: Mutex<BTreeMap<String, Vec<Answer>>>,
    changed: Condvar,
}

/// An answer as it came.
#[derive(Clone, Debug)]
pub struct Answer {
    /// When it came.
    pub at: SystemTime,
    /// How long it is, in bytes.
    pub bytes: usize,
    /// What it says; null where it is no JSON.
    pub body: Value,
}

impl Answers {
    /// Listens on a free port until this value is dropped.
    ///
    /// # Errors
    ///
    /// When there is no port to listen on.
    pub fn start() -> Result<Self, SetupError> {
        let kept = Arc::new(Kept::default());
        let keeping = Arc::clone(&kept);
        let server = Server::start(move |request, stream| {
            let (_, target) = request.request_line();
            let id = target.trim_start_matches('/').split('?').next().unwrap_or_default();
            let body = serde_json::from_slice(&request.body).unwrap_or_default();
            let one = Answer { at: SystemTime::now(), bytes: request.body.len(), body };
            keeping.locked().entry(id.to_owned()).or_default().push(one);
            keeping.changed.notify_all();
            answer(stream, &Message::response(200, &[], ""));
        });
        Ok(Self { kept, server: server.map_err(SetupError::while_doing("listening on 127.0.0.1"))? })
    }

    /// The `ResponseURL` of a request.
    #[must_use]
    pub fn url(&self, request_id: &str) -> String {
        format!("http://127.0.0.1:{}/{request_id}?X-Amz-Signature=secret", self.server.port())
    }

    /// The answers to a request until now.
    #[must_use]
    pub fn to(&self, request_id: &str) -> Vec<Answer> {
        self.kept.locked().get(request_id).cloned().unwrap_or_default()
    }

    /// Waits for an answer to a request, at most `patience`, and takes it.
    #[must_use]
    pub fn wait_for(&self, request_id: &str, patience: Duration) -> Option<Value> {
        let (mut answers, _) = self
            .kept
            .changed
            .wait_timeout_while(self.kept.locked(), patience, |answers| !answers.contains_key(request_id))
            .unwrap_or_else(PoisonError::into_inner);
        answers.remove(request_id)?.pop().map(|answer| answer.body)
    }
}

impl Kept {
    fn locked(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Vec<Answer>>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
