use std::io;
use std::time::Duration;

use crosspipe_https::{Bytes, Https, Method, SecretUrl, SendError, StatusCode};
use tracing::{info, warn};

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
    /// The answer was refused for good: sending it again does not help.
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

/// Delivers answers, and has the pace of its retries. One serves all requests.
#[derive(Debug, Clone)]
pub struct Responder {
    https: Https,
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
        Ok(Self { https: Https::new()?, policy })
    }

    /// Sends the answer until it is accepted, refused for good, or the deadline is near.
    pub(crate) async fn deliver(
        &self,
        url: &SecretUrl,
        body: String,
        deadline: Deadline,
    ) -> Result<u32, ServeError> {
        let body = Bytes::from(body);
        let host = url.host().to_owned();
        let mut pauses = self.policy.pauses();
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
                Err(error) => error.to_string(),
            };
            warn!(%host, attempts, %fault, "the answer was not accepted");
            let pause = pauses.next().unwrap_or_default();
            if deadline.remaining() <= pause + LAST_CALL {
                return Err(ServeError::Undelivered { host, attempts, fault });
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// One PUT. The status is enough: the reply's body says nothing more, and may never come.
    async fn attempt(
        &self,
        url: &SecretUrl,
        body: Bytes,
        deadline: Deadline,
    ) -> Result<StatusCode, SendError> {
        let left = deadline.remaining().saturating_sub(LAST_CALL).max(SHORTEST_ATTEMPT);
        let limit = self.policy.attempt_timeout.min(left);
        // The type is part of what CloudFormation signed: any but the empty one is refused with 403.
        self.https.send(Method::PUT, url, "", body, limit).await
    }
}

/// Whether the same PUT may be accepted a moment later.
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error()
        || status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::REQUEST_TIMEOUT
}
