//! What Lambda is to a function: the Runtime API on loopback, and the address that CloudFormation gives for answers.
//!
//! See <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.

use std::io::{BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crosspipe_e2e::{SetupError, loopback};
use serde_json::Value;

/// How long a function may take to do the next thing.
const PATIENCE: Duration = Duration::from_secs(60);
const INVOCATION: &str = "/2018-06-01/runtime/invocation";

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

/// The host of one process of a function.
#[derive(Debug)]
pub(crate) struct Host {
    port: u16,
    steps: Receiver<(Instant, Step)>,
    events: Sender<String>,
}

/// What all connections of a host share.
struct Shared {
    function_arn: String,
    steps: Mutex<Sender<(Instant, Step)>>,
    events: Mutex<Receiver<String>>,
}

impl Host {
    /// Listens on a free port until the process ends.
    pub(crate) fn start(function_arn: String) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let ((steps, seen), (events, next)) = (channel(), channel());
        let shared = Arc::new(Shared { function_arn, steps: Mutex::new(steps), events: Mutex::new(next) });
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&shared);
                thread::spawn(move || shared.serve(&stream));
            }
        });
        Ok(Self { port, steps: seen, events })
    }

    /// For `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// For `ResponseURL`.
    pub(crate) fn answer_url(&self) -> String {
        format!("http://{}/answer", self.address())
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
    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Some(request) = loopback::read_request(&mut reader) {
            let at = Instant::now();
            let text = || String::from_utf8_lossy(&request.body).into_owned();
            let response = match request.path.strip_prefix(INVOCATION) {
                Some("/next") => {
                    self.report(at, Step::Ready);
                    let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
                    let Ok(event) = events.recv() else { return };
                    self.invocation(&event)
                }
                Some(path) if path.ends_with("/response") => {
                    self.report(at, Step::Ended);
                    plain("202 Accepted")
                }
                None if request.path == "/answer" => {
                    self.report(
                        at,
                        Step::Answered(serde_json::from_slice(&request.body).unwrap_or_default()),
                    );
                    plain("200 OK")
                }
                // An invocation's or an initialization's error.
                _ => {
                    self.report(at, Step::Failed(text()));
                    plain("202 Accepted")
                }
            };
            let mut writer = stream;
            if writer.write_all(response.as_bytes()).is_err() {
                return;
            }
        }
    }

    fn report(&self, at: Instant, step: Step) {
        // Whoever is not interested any more has gone.
        let _ = self.steps.lock().unwrap_or_else(PoisonError::into_inner).send((at, step));
    }

    fn invocation(&self, event: &str) -> String {
        let deadline = SystemTime::now() + PATIENCE;
        let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n\
             Lambda-Runtime-Deadline-Ms: {deadline}\r\n\
             Lambda-Runtime-Invoked-Function-Arn: {}\r\n\r\n{event}",
            event.len(),
            self.function_arn
        )
    }
}

fn plain(status: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n")
}
