//! The protocol from event to delivered answer, against a server on the loopback interface that misbehaves in
//! every way that a network and Amazon S3 do.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows these in test functions only, not in what they share"
)]

mod answers;
mod any_event;
mod delivery;
mod logs;
mod server;

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crosspipe_custom_resource::{
    Deadline, Delivered, Failure, Handler, Request, Responder, RetryPolicy, ServeError, Success, serve,
};
use serde_json::{Value, json};
use server::Server;

/// A presigned query as CloudFormation's; the signature is what must never show up anywhere.
const QUERY: &str =
    "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1700000000&Signature=vjbyPxybdZaNmGa%2ByT272YEAiv4%3D";

/// A responder that is quick to try again.
fn responder() -> &'static Responder {
    static SHARED: LazyLock<Responder> = LazyLock::new(|| patient(Duration::from_secs(1)));
    &SHARED
}

/// A responder that gives up on an attempt after this time.
fn patient(attempt_timeout: Duration) -> Responder {
    Responder::with_policy(RetryPolicy {
        attempt_timeout,
        first_pause: Duration::from_millis(5),
        longest_pause: Duration::from_millis(20),
        refusals: 2,
        reserve: Duration::from_secs(2),
    })
    .unwrap()
}

/// Far enough off that a busy machine doesn't reach it.
fn ample() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

/// A create under ids that no other request has.
fn create(server: &Server) -> Value {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    json!({
        "RequestType": "Create",
        "ResponseURL": format!("{}/stack%7CKey%7C{count}?{QUERY}", server.url()),
        "StackId": format!("arn:aws:cloudformation:us-east-2:111111111111:stack/pipeline/{count}"),
        "RequestId": format!("request-{count}"),
        "LogicalResourceId": format!("Key{count}"),
        "ResourceType": "Custom::Key",
        "ResourceProperties": {"ServiceToken": "arn:aws:lambda:::f", "Password": "hunter2"},
    })
}

/// Serves a request with a handler that succeeds.
async fn serve_grant(event: Value) -> Result<Delivered, ServeError> {
    serve(event, ample(), &Does(|| Ok(Success::new("grant").with("PolicyBytes", 17))), responder()).await
}

/// A handler that returns what the closure does.
struct Does<F>(F);

impl<F: Fn() -> Result<Success, Failure> + Sync> Handler for Does<F> {
    async fn handle(&self, _: &Request, _: Deadline) -> Result<Success, Failure> {
        (self.0)()
    }
}

/// Asserts that the server has got one answer, the one to this request, in the form that CloudFormation takes;
/// returns it. However often it was sent, it was the same.
fn only_answer(server: &Server, event: &Value) -> Value {
    let received = server.received();
    assert_eq!(received.iter().filter(|put| put.accepted).count(), 1, "{received:?}");
    let bodies: BTreeSet<_> = received.iter().map(|put| &put.body).collect();
    assert_eq!(bodies.len(), 1, "{received:?}");
    for put in &received {
        put.assert_well_formed(event["ResponseURL"].as_str().unwrap());
    }
    let answer: Value = serde_json::from_slice(&received[0].body).unwrap();
    for id in ["StackId", "RequestId", "LogicalResourceId"] {
        assert_eq!(answer[id], event[id]);
    }
    answer
}
