//! AWS with faults: a proxy in front of local AWS that fails chosen calls of a function.

use std::io::Write;
use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::SetupError;
use crate::function_process::Process;
use crate::http::{Message, Server, answer, forward, reset};

/// The longest that a call is left without an answer.
const LONGEST_SILENCE: Duration = Duration::from_secs(90);

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// It is not carried out: the permission is missing.
    Denied,
    /// It is not carried out: too many calls.
    Throttled,
    /// It is not carried out: HTTP status 500.
    ServerError,
    /// It is not carried out: the connection is reset.
    Reset,
    /// It is carried out, and the connection reset before the answer.
    AnswerLost,
    /// It is carried out, and the connection reset in the middle of the answer.
    AnswerCut,
    /// It is carried out, and the answer comes so much later.
    Late(Duration),
    /// It is not carried out: the function's process is killed when it calls.
    KilledBefore,
    /// It is carried out, and the function's process killed before the answer.
    KilledAfter,
}

/// Which calls go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The first one, from 0, of those that the function makes since the plan is in force.
    pub call: usize,
    /// Whether all later calls of the same operation go wrong, too.
    pub lasting: bool,
    /// What goes wrong.
    pub fault: Fault,
}

#[derive(Debug, Default)]
struct State {
    plan: Option<Plan>,
    process: Option<Process>,
    seen: Vec<String>,
    /// Counts plans: what waits for one that is no longer in force gives up.
    turn: usize,
}

/// Sees every call before it is passed on and after it was carried out; either may wait.
pub trait Watcher: Send + Sync {
    /// The call is about to be passed on.
    fn before(&self, operation: &str, request: &Message);
    /// The call was carried out, and is not answered yet.
    fn after(&self, operation: &str, request: &Message);
}

/// Nobody looks.
struct NoWatcher;

impl Watcher for NoWatcher {
    fn before(&self, _: &str, _: &Message) {}
    fn after(&self, _: &str, _: &Message) {}
}

/// Passes calls on to local AWS, but for those that are to go wrong.
#[derive(Debug)]
pub struct FaultProxy {
    state: Arc<Mutex<State>>,
    server: Server,
}

impl FaultProxy {
    /// In front of the server on this port.
    ///
    /// # Errors
    ///
    /// When there is no port to listen on.
    pub fn start(aws_port: u16) -> Result<Self, SetupError> {
        Self::start_watched(aws_port, NoWatcher)
    }

    /// The same, with somebody who sees each call.
    ///
    /// # Errors
    ///
    /// When there is no port to listen on.
    pub fn start_watched(aws_port: u16, watcher: impl Watcher + 'static) -> Result<Self, SetupError> {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let server =
            Server::start(move |request, stream| serve(request, stream, &shared, aws_port, &watcher));
        let server = server.map_err(SetupError::while_doing("listening on 127.0.0.1"))?;
        Ok(Self { state, server })
    }

    /// The URL for `AWS_ENDPOINT_URL`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port())
    }

    /// Counts calls anew; from now on those of the plan go wrong. `process` is what is killed.
    pub fn set_plan(&self, plan: Option<Plan>, process: Option<Process>) {
        let mut state = locked(&self.state);
        *state = State { plan, process, seen: vec![], turn: state.turn + 1 };
    }

    /// Ends the plan; the operations that were called under it, in their order.
    pub fn end_plan(&self) -> Vec<String> {
        let mut state = locked(&self.state);
        let turn = state.turn + 1;
        std::mem::replace(&mut *state, State { turn, ..State::default() }).seen
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is to go wrong with this call, and the turn that it belongs to.
fn next_fault(state: &Mutex<State>, operation: &str) -> (Option<Fault>, usize) {
    let mut state = locked(state);
    let call = state.seen.len();
    let plan = state.plan.filter(|plan| {
        let is_later = plan.lasting && call > plan.call;
        call == plan.call || (is_later && state.seen.get(plan.call).is_some_and(|first| first == operation))
    });
    state.seen.push(operation.to_owned());
    (plan.map(|plan| plan.fault), state.turn)
}

fn serve(request: &Message, stream: &TcpStream, state: &Mutex<State>, aws_port: u16, watcher: &impl Watcher) {
    let operation = operation(request);
    let (fault, turn) = next_fault(state, &operation);
    let kill = || {
        let process = locked(state).process.take();
        if let Some(process) = process {
            process.kill();
        }
    };
    match fault {
        Some(Fault::Denied) => return answer(stream, &refusal(request, Refusal::Denied)),
        Some(Fault::Throttled) => return answer(stream, &refusal(request, Refusal::Throttled)),
        Some(Fault::ServerError) => return answer(stream, &refusal(request, Refusal::ServerError)),
        Some(Fault::Reset) => return reset(stream),
        Some(Fault::KilledBefore) => return kill(),
        Some(Fault::AnswerLost | Fault::AnswerCut | Fault::Late(_) | Fault::KilledAfter) | None => {}
    }
    watcher.before(&operation, request);
    let forwarded = forward(aws_port, request);
    watcher.after(&operation, request);
    let Ok(response) = forwarded else { return reset(stream) };
    match fault {
        Some(Fault::AnswerLost) => reset(stream),
        Some(Fault::AnswerCut) => {
            let bytes = response.to_bytes();
            // All but the last bytes, of the body where there is one.
            let cut = bytes.len().saturating_sub(1 + response.body.len() / 2);
            let mut writer = stream;
            let _ = writer.write_all(bytes.get(..cut).unwrap_or_default());
        }
        Some(Fault::Late(late)) => {
            let (started, late) = (Instant::now(), late.min(LONGEST_SILENCE));
            while started.elapsed() < late && locked(state).turn == turn {
                thread::sleep(Duration::from_millis(20));
            }
            answer(stream, &response);
        }
        Some(Fault::KilledAfter) => kill(),
        _ => answer(stream, &response),
    }
}

/// The operation of a request, as in `kms PutKeyPolicy`.
fn operation(request: &Message) -> String {
    let scope = request.header("authorization").and_then(|header| header.split('/').nth(3));
    let service = scope.unwrap_or("unknown");
    let (method, target) = request.request_line();
    if let Some(target) = request.header("x-amz-target") {
        return format!("{service} {}", target.rsplit('.').next().unwrap_or_default());
    }
    let body = String::from_utf8_lossy(&request.body);
    if let Some(action) = body.split('&').find_map(|pair| pair.strip_prefix("Action=")) {
        return format!("{service} {action}");
    }
    let query = target.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let part = query.split(['=', '&']).next().unwrap_or_default();
    format!("{service} {method} {part}").trim_end().to_owned()
}

#[derive(Clone, Copy)]
enum Refusal {
    Denied,
    Throttled,
    ServerError,
}

/// The refusal in the words and the protocol of the service.
fn refusal(request: &Message, refusal: Refusal) -> Message {
    const MESSAGE: &str = "injected by the test";
    let is_json = request.header("content-type").is_some_and(|kind| kind.contains("json"));
    let is_s3 = request.header("authorization").is_some_and(|header| header.contains("/s3/"));
    let (status, code) = match (refusal, is_json) {
        (Refusal::Denied, true) => (400, "AccessDeniedException"),
        (Refusal::Denied, false) => (403, "AccessDenied"),
        (Refusal::Throttled, true) => (400, "ThrottlingException"),
        (Refusal::Throttled, false) if is_s3 => (503, "SlowDown"),
        (Refusal::Throttled, false) => (400, "Throttling"),
        (Refusal::ServerError, _) => (500, "InternalFailure"),
    };
    if is_json {
        let body = format!(r#"{{"__type":"{code}","message":"{MESSAGE}"}}"#);
        return Message::response(status, &[("Content-Type", "application/x-amz-json-1.1")], &body);
    }
    let error = format!("<Error><Code>{code}</Code><Message>{MESSAGE}</Message></Error>");
    let body =
        if is_s3 { error } else { format!("<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>") };
    Message::response(status, &[("Content-Type", "text/xml")], &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(line: &str, headers: &[&str], body: &str) -> Message {
        let scope = "Authorization: AWS4-HMAC-SHA256 Credential=1/20261128/eu-west-1/kms/aws4_request";
        let head = [line, scope].iter().chain(headers).map(|line| (*line).to_owned()).collect();
        Message { head, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn operations_of_each_protocol() {
        let json = request("POST / HTTP/1.1", &["X-Amz-Target: TrentService.PutKeyPolicy"], "{}");
        assert_eq!(operation(&json), "kms PutKeyPolicy");
        let query = request("POST / HTTP/1.1", &[], "Action=DescribeStacks&Version=2010-05-15");
        assert_eq!(operation(&query), "kms DescribeStacks");
        assert_eq!(operation(&request("PUT /bucket?policy HTTP/1.1", &[], "")), "kms PUT policy");
        assert_eq!(operation(&request("GET /bucket HTTP/1.1", &[], "")), "kms GET");
    }

    #[test]
    fn lasting_fault_keeps_to_its_operation() {
        let plan = Some(Plan { call: 1, lasting: true, fault: Fault::Denied });
        let state = Mutex::new(State { plan, ..State::default() });
        let faulty = ["a", "b", "a", "b"].map(|operation| next_fault(&state, operation).0.is_some());
        assert_eq!(faulty, [false, true, false, true]);
    }
}
