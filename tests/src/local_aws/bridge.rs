//! AWS calls through boto3 in a process of its own, as JSON lines.

use std::collections::HashMap;
use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::{Value, json};

use super::Venv;
use super::server::python;
use crate::SetupError;

/// An AWS call that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallError {
    /// The error code; for a call that never reached the server, the name of boto3's exception.
    pub code: String,
    /// The message, as the service words it.
    pub message: String,
    /// The HTTP status; 0 for a call that never reached the server.
    pub status: u16,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.code, self.status, self.message)
    }
}

impl std::error::Error for CallError {}

type Waiting = Arc<Mutex<Option<HashMap<u64, Sender<Value>>>>>;

/// The process and the calls that wait for its answers.
#[derive(Debug)]
pub(super) struct Bridge {
    process: Mutex<Child>,
    stdin: Mutex<Option<ChildStdin>>,
    waiting: Waiting,
    next: AtomicU64,
}

impl Bridge {
    pub(super) fn start(venv: &Venv, endpoint: &str) -> Result<Self, SetupError> {
        let mut process = python(venv, &["-m", "local_aws.bridge", endpoint])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(SetupError::while_doing("starting the bridge to local AWS"))?;
        let (stdin, stdout) = (process.stdin.take(), process.stdout.take());
        let waiting: Waiting = Arc::new(Mutex::new(Some(HashMap::new())));
        if let Some(stdout) = stdout {
            let waiting = Arc::clone(&waiting);
            thread::spawn(move || deliver(stdout, &waiting));
        }
        Ok(Self { process: Mutex::new(process), stdin: Mutex::new(stdin), waiting, next: AtomicU64::new(1) })
    }

    /// Sends the call and waits for its answer. Calls from several threads run side by side.
    pub(super) fn call(&self, mut call: Value) -> Result<Value, CallError> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        if let Value::Object(members) = &mut call {
            members.insert("id".to_owned(), json!(id));
        }
        let (sender, receiver) = channel();
        locked(&self.waiting).as_mut().ok_or_else(closed)?.insert(id, sender);
        let sent =
            locked(&self.stdin).as_mut().map(|stdin| writeln!(stdin, "{call}").and_then(|()| stdin.flush()));
        if !matches!(sent, Some(Ok(()))) {
            return Err(closed());
        }
        let mut answer = receiver.recv().map_err(|_| closed())?;
        match answer.get("error") {
            None => Ok(answer.get_mut("ok").map(Value::take).unwrap_or_default()),
            Some(error) => Err(CallError {
                code: text(error, "code"),
                message: text(error, "message"),
                status: error
                    .get("status")
                    .and_then(Value::as_u64)
                    .and_then(|status| u16::try_from(status).ok())
                    .unwrap_or(0),
            }),
        }
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        drop(locked(&self.stdin).take());
        let _ = locked(&self.process).wait();
    }
}

fn deliver(stdout: ChildStdout, waiting: &Waiting) {
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        let Ok(answer) = serde_json::from_str::<Value>(&line) else { continue };
        let id = answer.get("id").and_then(Value::as_u64).unwrap_or(0);
        if let Some(sender) = locked(waiting).as_mut().and_then(|calls| calls.remove(&id)) {
            let _ = sender.send(answer);
        }
    }
    // Nobody answers any more: whoever still waits is told so.
    locked(waiting).take();
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn closed() -> CallError {
    CallError {
        code: "BridgeClosed".to_owned(),
        message: "the bridge to local AWS has ended".to_owned(),
        status: 0,
    }
}

fn text(value: &Value, member: &str) -> String {
    value.get(member).and_then(Value::as_str).unwrap_or("").to_owned()
}
