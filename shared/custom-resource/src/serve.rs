use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use serde_json::Value;
use tokio::time::timeout;
use tracing::{error, info, warn};

use crate::envelope::Envelope;
use crate::response::{Answer, Status, unfinished_id};
use crate::{Deadline, Delivered, Failure, Request, Responder, ServeError, Success};

/// The work of one resource type, or of several told apart by
/// [`Request::resource_type`](crate::Request::resource_type).
///
/// The same request can arrive more than once, and a Delete can follow a Create that failed, panicked or was
/// stopped halfway: handlers are idempotent, and Delete of what is gone succeeds.
pub trait Handler {
    /// Does what the request asks for. `deadline` is by when to be done with it: at that time the
    /// handler is stopped at its next `.await` and the request is answered as failed.
    fn handle(
        &self,
        request: &Request,
        deadline: Deadline,
    ) -> impl Future<Output = Result<Success, Failure>> + Send;
}

/// Serves one request: reads the event, runs the handler, delivers the answer.
///
/// `deadline` is the end of the invocation; the handler gets an earlier one, see
/// [`RetryPolicy::reserve`](crate::RetryPolicy::reserve).
///
/// # Errors
/// When the request could not be answered: never because the handler failed.
pub async fn serve<H: Handler>(
    event: Value,
    deadline: Deadline,
    handler: &H,
    responder: &Responder,
) -> Result<Delivered, ServeError> {
    let envelope = Envelope::open(&event).map_err(ServeError::Unanswerable)?;
    let outcome = match Request::parse(event) {
        Ok(request) => {
            info!(?request, "a request arrived");
            run(handler, &request, responder.policy.handler_deadline(deadline), &envelope).await
        }
        Err(failure) => Err(failure),
    };
    let Answer { status, reason, body } = Answer::new(&envelope, outcome);
    let Envelope { url, request_id, logical_id, .. } = envelope;
    match status {
        Status::Success => info!(?request_id, ?logical_id, %status, %reason, "the request is done"),
        Status::Failed => warn!(?request_id, ?logical_id, %status, %reason, "the request failed"),
    }
    let attempts = responder.deliver(&url, body, deadline).await?;
    Ok(Delivered { status, attempts })
}

/// The handler's outcome, whatever the handler does.
async fn run<H: Handler>(
    handler: &H,
    request: &Request,
    deadline: Deadline,
    envelope: &Envelope,
) -> Result<Success, Failure> {
    let time = deadline.remaining();
    if time.is_zero() {
        return Err(Failure::new(
            "the function had no time left to begin with this request",
            "raise the function's timeout, and deploy again",
        ));
    }
    // The block makes the panics of `handle` itself and of dropping a stopped future part of what is polled.
    let handling = async { timeout(time, async { handler.handle(request, deadline).await }).await };
    match AssertUnwindSafe(handling).catch_unwind().await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(Failure::new(
            format!(
                "the function was still at work after {} s, near the end of its time, and was stopped",
                time.as_secs()
            ),
            "deploy again; if this comes back, raise the function's timeout",
        )
        .made(unfinished_id(envelope))),
        Err(panic) => {
            error!(
                request_id = request.request_id(),
                panic = envelope.url.redact(panic_message(&*panic)),
                "the handler panicked"
            );
            Err(Failure::new(
                "the function met an internal error; its log has the details under this request's id",
                format!(
                    "look for `{}` in the function's log, and report the error there",
                    request.request_id()
                ),
            )
            .made(unfinished_id(envelope)))
        }
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without a message")
}
