//! A Lambda function in a process of its own, invoked over the runtime API as Lambda does: to be watched from outside,
//! and killed.
//!
//! See <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.

use std::fs::File;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::SetupError;
use crate::http::{Message, Server, answer};

/// How often it is looked whether the process still lives.
const LOOK: Duration = Duration::from_millis(10);

/// The process of a function, which takes one invocation after the other. It ends when this value is dropped.
#[derive(Debug)]
pub struct FunctionProcess {
    process: Process,
    function_arn: String,
    invocations: Sender<Message>,
    outcomes: Receiver<Outcome>,
    _server: Server,
}

/// The process itself, to be killed from elsewhere.
#[derive(Clone, Debug)]
pub struct Process(Arc<Mutex<Child>>);

/// What became of an invocation.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The function returned this.
    Returned(Value),
    /// The function returned an error.
    Failed(Value),
    /// The process ended.
    Died,
    /// Its time was up, and it was killed.
    TimedOut,
}

impl FunctionProcess {
    /// Starts `<folder>/bootstrap` with these variables and no others. What it logs goes to the file.
    ///
    /// # Errors
    ///
    /// When it can't be started.
    pub fn start(
        folder: &Path,
        function_arn: &str,
        environment: &[(String, String)],
        log: &Path,
    ) -> Result<Self, SetupError> {
        let doing = || SetupError::while_doing(format!("starting `{}`", folder.display()));
        let (invocations, waiting) = channel();
        let (returned, outcomes) = channel();
        let waiting = Mutex::new(waiting);
        let server = Server::start(move |request, stream| serve(request, stream, &waiting, &returned));
        let server = server.map_err(doing())?;
        let output = File::options().create(true).append(true).open(log).map_err(doing())?;
        let errors = output.try_clone().map_err(doing())?;
        let child = Command::new(folder.join("bootstrap"))
            .env_clear()
            .envs(environment.iter().cloned())
            .env("AWS_LAMBDA_RUNTIME_API", format!("127.0.0.1:{}", server.port()))
            .env("AWS_LAMBDA_FUNCTION_NAME", function_arn.rsplit(':').next().unwrap_or_default())
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "local")
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(doing())?;
        let process = Process(Arc::new(Mutex::new(child)));
        Ok(Self { process, function_arn: function_arn.to_owned(), invocations, outcomes, _server: server })
    }

    /// The process, to be killed from elsewhere.
    #[must_use]
    pub fn process(&self) -> Process {
        self.process.clone()
    }

    /// Invokes the function and waits for what becomes of it, at most `time`: then it is killed, as Lambda does.
    pub fn invoke(&self, request_id: &str, event: &Value, time: Duration) -> Outcome {
        let started = Instant::now();
        let deadline = SystemTime::now() + time;
        let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis().to_string();
        let headers = [
            ("Content-Type", "application/json"),
            ("Lambda-Runtime-Aws-Request-Id", request_id),
            ("Lambda-Runtime-Deadline-Ms", &deadline),
            ("Lambda-Runtime-Invoked-Function-Arn", &self.function_arn),
        ];
        if self.invocations.send(Message::response(200, &headers, &event.to_string())).is_err() {
            return Outcome::Died;
        }
        loop {
            match self.outcomes.recv_timeout(LOOK) {
                Ok(outcome) => return outcome,
                Err(RecvTimeoutError::Disconnected) => return Outcome::Died,
                Err(RecvTimeoutError::Timeout) if self.process.has_ended() => return Outcome::Died,
                Err(RecvTimeoutError::Timeout) if started.elapsed() > time => {
                    self.process.kill();
                    return Outcome::TimedOut;
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

impl Drop for FunctionProcess {
    fn drop(&mut self) {
        self.process.kill();
    }
}

impl Process {
    /// Ends it with SIGKILL.
    pub fn kill(&self) {
        let mut child = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // One that has ended already is as wanted.
        let _ = child.kill();
        let _ = child.wait();
    }

    fn has_ended(&self) -> bool {
        let mut child = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        !matches!(child.try_wait(), Ok(None))
    }
}

fn serve(
    request: &Message,
    stream: &TcpStream,
    waiting: &Mutex<Receiver<Message>>,
    returned: &Sender<Outcome>,
) {
    let (_, path) = request.request_line();
    if path.ends_with("/invocation/next") {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        // Nobody invokes it any more: it waits until it is ended.
        if let Ok(next) = next {
            answer(stream, &next);
        }
        return;
    }
    let body = serde_json::from_slice(&request.body).unwrap_or_default();
    let outcome = if path.ends_with("/response") { Outcome::Returned(body) } else { Outcome::Failed(body) };
    let _ = returned.send(outcome);
    answer(stream, &Message::response(202, &[], "{}"));
}
