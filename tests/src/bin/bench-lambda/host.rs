//! What Lambda is to a function: the Runtime API on loopback, and the address that CloudFormation gives for answers.
//!
//! See <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.

use std::net::TcpStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crosspipe_e2e::SetupError;
use crosspipe_e2e::http::{Message, Server, answer};
use serde_json::Value;

/// How long a function may take to do the next thing.
const PATIENCE: Duration = Duration::from_secs(60);
const INVOCATION: &str = "/2018-06-01/runtime/invocation";
/// Where CloudFormation's answers go.
const ANSWER: &str = "/answer";

/// What a function did.
#[derive(Debug)]
pub(crate) enum Step {
    /// It asked for the next event: it is ready.
    Ready,
    /// It sent CloudFormation an answer.
    Answered(Value),
    /// It ended the invocation.
    Ended,
    /// It reported an error of its own.
    Failed(String),
}

/// The host of one process of a function; it ends when this value is dropped.
#[derive(Debug)]
pub(crate) struct Host {
    server: Server,
    steps: Receiver<(Instant, Step)>,
    events: Sender<String>,
}

/// What all connections of a host share.
struct Shared {
    function_arn: String,
    steps: Sender<(Instant, Step)>,
    events: Mutex<Receiver<String>>,
}

impl Host {
    /// Listens on a free port.
    pub(crate) fn start(function_arn: String) -> std::io::Result<Self> {
        let ((steps, seen), (events, next)) = (channel(), channel());
        let shared = Shared { function_arn, steps, events: Mutex::new(next) };
        let server = Server::start(move |request, stream| shared.serve(request, stream))?;
        Ok(Self { server, steps: seen, events })
    }

    /// For `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.server.port())
    }

    /// For `ResponseURL`.
    pub(crate) fn answer_url(&self) -> String {
        format!("http://{}{ANSWER}", self.address())
    }

    /// Gives the function its next event; answers when that was.
    pub(crate) fn send(&self, event: &Value) -> Instant {
        // Taken before, so that nothing of the function's time is missed.
        let now = Instant::now();
        // The other end is there for as long as this is.
        let _ = self.events.send(event.to_string());
        now
    }

    /// Waits for what the function does next.
    ///
    /// # Errors
    ///
    /// When it does nothing, or reports an error.
    pub(crate) fn next_step(&self) -> Result<(Instant, Step), SetupError> {
        match self.steps.recv_timeout(PATIENCE) {
            Ok((_, Step::Failed(error))) => Err(SetupError::new(format!("the function failed: {error}"))),
            Ok(step) => Ok(step),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                Err(SetupError::new(format!("the function did nothing for {PATIENCE:?}")))
            }
        }
    }
}

impl Shared {
    fn serve(&self, request: &Message, stream: &TcpStream) {
        let at = Instant::now();
        let (_, path) = request.request_line();
        let (step, status) = match path.strip_prefix(INVOCATION) {
            Some("/next") => {
                self.report(at, Step::Ready);
                let next = self.events.lock().unwrap_or_else(PoisonError::into_inner).recv();
                // Nobody has an event any more: the function waits until it is ended.
                if let Ok(event) = next {
                    answer(stream, &self.invocation(&event));
                }
                return;
            }
            Some(path) if path.ends_with("/response") => (Step::Ended, 202),
            None if path == ANSWER => {
                (Step::Answered(serde_json::from_slice(&request.body).unwrap_or_default()), 200)
            }
            // An error of an invocation or of the initialization.
            _ => (Step::Failed(String::from_utf8_lossy(&request.body).into_owned()), 202),
        };
        self.report(at, step);
        answer(stream, &Message::response(status, &[], "{}"));
    }

    fn report(&self, at: Instant, step: Step) {
        // Whoever is not interested any more has gone.
        let _ = self.steps.send((at, step));
    }

    fn invocation(&self, event: &str) -> Message {
        let deadline = SystemTime::now() + PATIENCE;
        let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis().to_string();
        let headers = [
            ("Content-Type", "application/json"),
            ("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
            ("Lambda-Runtime-Deadline-Ms", &deadline),
            ("Lambda-Runtime-Invoked-Function-Arn", &self.function_arn),
        ];
        Message::response(200, &headers, event)
    }
}
