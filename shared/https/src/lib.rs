//! One HTTPS request to an address that is a secret: CloudFormation's presigned URL, a chat's webhook.
//!
//! # Layout
//! - this file: the client
//! - `url`: an address that shows its host only

mod url;

use std::error::Error;
use std::io;
use std::time::Duration;

use http_body_util::Full;
use hyper::{Request, header};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

pub use hyper::body::Bytes;
pub use hyper::{Method, StatusCode};
pub use url::SecretUrl;

/// The HTTPS client; clones share it.
#[derive(Debug, Clone)]
pub struct Https {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// Why there was no reply, without the address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SendError(String);

impl Https {
    /// A client that trusts the certificate authorities of the operating system.
    ///
    /// # Errors
    /// When the system has none.
    pub fn new() -> io::Result<Self> {
        // Plain HTTP is for the address to allow or not.
        let connector =
            HttpsConnectorBuilder::new().with_native_roots()?.https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new())
            // Lambda freezes the function between requests: a kept connection would be dead by the next one.
            .pool_max_idle_per_host(0)
            .retry_canceled_requests(false)
            .build(connector);
        Ok(Self { client })
    }

    /// Sends once and answers the status, whatever it is: no redirect is followed. The reply's body is not
    /// waited for; it may never come.
    ///
    /// # Errors
    /// When there is no reply within `limit`.
    pub async fn send(
        &self,
        method: Method,
        url: &SecretUrl,
        content_type: &str,
        body: Bytes,
        limit: Duration,
    ) -> Result<StatusCode, SendError> {
        let request = Request::builder()
            .method(method)
            .uri(url.uri())
            .header(header::CONTENT_TYPE, content_type)
            .header(header::CONTENT_LENGTH, body.len())
            .body(Full::new(body))
            .map_err(|error| SendError(url.redact(&with_sources(&error))))?;
        match tokio::time::timeout(limit, self.client.request(request)).await {
            Ok(Ok(response)) => Ok(response.status()),
            Ok(Err(error)) => Err(SendError(url.redact(&with_sources(&error)))),
            Err(_) => Err(SendError(format!("no reply within {} ms", limit.as_millis()))),
        }
    }
}

/// The error with what caused it: hyper's own text alone is only "client error (Connect)".
fn with_sources(error: &dyn Error) -> String {
    std::iter::successors(Some(error), |&error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
