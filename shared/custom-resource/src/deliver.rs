use std::error::Error;
use std::io;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode, header};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tracing::{info, warn};

use crate::envelope::ResponseUrl;
use crate::{Deadline, RetryPolicy, Status};

/// The time before the deadline at which no further attempt is made, so that the failure can still be told.
const LAST_CALL: Duration = Duration::from_millis(250);

/// What an attempt gets even when the deadline is there: trying costs nothing, not trying costs the stack an hour.
const SHORTEST_ATTEMPT: Duration = Duration::from_millis(500);

/// An answer that CloudFormation has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    /// What CloudFormation was told.
    pub status: Status,
    /// How often the answer was sent; 1 when all went well.
    pub attempts: u32,
}

/// A request that was not answered. Return it from the function, so that Lambda invokes it again and in the end
/// gives the event to the dead-letter queue.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The event does not say where to answer.
    #[error(
        "the event can't be answered, its `ResponseURL` is not usable: {0}; invoke this function through CloudFormation"
    )]
    Unanswerable(&'static str),
    /// The answer was refused in a way that sending it again does not mend.
    #[error(
        "`{host}` refused the answer with HTTP status {status} ({attempts} attempts); \
         the `ResponseURL` may have expired, then only cancelling the stack operation ends the wait"
    )]
    Refused {
        /// The host that was to be answered.
        host: String,
        /// Its last HTTP status.
        status: u16,
        /// How often the answer was sent.
        attempts: u32,
    },
    /// The answer did not get through before the deadline.
    #[error(
        "the answer did not reach `{host}` before the deadline ({attempts} attempts), lately because of: {fault}; \
         check that the function can reach Amazon S3"
    )]
    Undelivered {
        /// The host that was to be answered.
        host: String,
        /// How often the answer was sent.
        attempts: u32,
        /// What was wrong with the last attempt.
        fault: String,
    },
}

/// Delivers answers: the HTTPS client and the pace of its retries. One serves all requests.
#[derive(Debug, Clone)]
pub struct Responder {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    pub(crate) policy: RetryPolicy,
}

impl Responder {
    /// A responder that trusts the certificate authorities of the operating system.
    ///
    /// # Errors
    /// When the system has none.
    pub fn new() -> io::Result<Self> {
        Self::with_policy(RetryPolicy::default())
    }

    /// A responder with another pace of retries.
    ///
    /// # Errors
    /// When the operating system has no certificate authorities.
    pub fn with_policy(policy: RetryPolicy) -> io::Result<Self> {
        let connector =
            HttpsConnectorBuilder::new().with_native_roots()?.https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new())
            // Lambda freezes the function between requests: a kept connection would be dead by the next one.
            .pool_max_idle_per_host(0)
            .retry_canceled_requests(false)
            .build(connector);
        Ok(Self { client, policy })
    }

    /// Sends the answer until it is accepted, refused for good, or the deadline is near.
    pub(crate) async fn deliver(
        &self,
        url: &ResponseUrl,
        body: String,
        deadline: Deadline,
    ) -> Result<u32, ServeError> {
        let body = Bytes::from(body);
        let host = url.host().to_owned();
        let mut refusals = 0;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let fault = match self.attempt(url, body.clone(), deadline).await {
                Ok(status) if status.is_success() => {
                    info!(%host, attempts, "the answer is delivered");
                    return Ok(attempts);
                }
                Ok(status) if is_passing(status) => format!("HTTP status {}", status.as_u16()),
                Ok(status) => {
                    refusals += 1;
                    let status = status.as_u16();
                    if refusals >= self.policy.refusals {
                        return Err(ServeError::Refused { host, status, attempts });
                    }
                    format!("HTTP status {status}")
                }
                Err(fault) => fault,
            };
            warn!(%host, attempts, %fault, "the answer was not accepted");
            let pause = self.policy.pause(attempts);
            if deadline.remaining() <= pause + LAST_CALL {
                return Err(ServeError::Undelivered { host, attempts, fault });
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// One PUT. The status is enough: the reply's body says nothing more, and may never come.
    async fn attempt(
        &self,
        url: &ResponseUrl,
        body: Bytes,
        deadline: Deadline,
    ) -> Result<StatusCode, String> {
        let request = Request::builder()
            .method(Method::PUT)
            .uri(url.uri())
            // Part of what CloudFormation signed: any type but the empty one is refused with 403.
            .header(header::CONTENT_TYPE, "")
            .header(header::CONTENT_LENGTH, body.len())
            .body(Full::new(body))
            .map_err(|error| url.redact(&chain(&error)))?;
        let left = deadline.remaining().saturating_sub(LAST_CALL).max(SHORTEST_ATTEMPT);
        let limit = self.policy.attempt_timeout.min(left);
        match tokio::time::timeout(limit, self.client.request(request)).await {
            Ok(Ok(response)) => Ok(response.status()),
            Ok(Err(error)) => Err(url.redact(&chain(&error))),
            Err(_) => Err(format!("no reply within {} ms", limit.as_millis())),
        }
    }
}

/// Whether the same PUT may be accepted a moment later.
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error()
        || status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::REQUEST_TIMEOUT
}

/// The error with what caused it: hyper's own text alone is only "client error (Connect)".
fn chain(error: &dyn Error) -> String {
    std::iter::successors(Some(error), |&error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
