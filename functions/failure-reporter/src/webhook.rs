//! A webhook as Slack has them, whose address is a secret.

use std::io;
use std::time::Duration;

use crosspipe_aws::{Aws, AwsError};
use crosspipe_https::{Bytes, Https, Method, SecretUrl};
use serde_json::Value;

/// A chat service answers at once or is not there.
const PATIENCE: Duration = Duration::from_secs(10);

/// Posts alerts.
#[derive(Debug)]
pub(crate) struct Webhook {
    https: Https,
}

/// Why an alert was not posted. The address is not in it.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum WebhookError {
    /// No client was made for it.
    #[error("the function has no HTTPS client")]
    NoClient,
    /// The secret can't be read.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The secret holds something else.
    #[error(
        "the secret `{arn}` holds no usable address, {why}: store the webhook's URL in it, which begins with `https://`"
    )]
    Address {
        /// The secret.
        arn: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// It answered otherwise.
    #[error(
        "the webhook at `{host}` answered HTTP status {status}: check that it still exists, and renew the URL in the secret"
    )]
    Refused {
        /// The webhook's host.
        host: String,
        /// Its answer.
        status: u16,
    },
    /// It did not answer.
    #[error("the webhook at `{host}` was not reached: {why}")]
    Unreachable {
        /// The webhook's host.
        host: String,
        /// Why.
        why: String,
    },
}

impl Webhook {
    /// A client for it.
    ///
    /// # Errors
    /// When the operating system has no certificate authorities.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Webhook { https: Https::new()? })
    }

    /// Posts one message. The address is read each time, so that a new one counts at once; redirects are not
    /// followed, since they could lead the alert anywhere.
    ///
    /// # Errors
    /// When there is no address, or anything but success comes back.
    pub(crate) async fn post(
        &self,
        aws: &Aws,
        secret_arn: &str,
        message: &Value,
    ) -> Result<(), WebhookError> {
        let secret = aws.secrets().text(secret_arn).await?;
        let url = parse_address(&secret)
            .map_err(|why| WebhookError::Address { arn: secret_arn.to_owned(), why })?;
        let body = Bytes::from(message.to_string());
        let host = || url.host().to_owned();
        match self.https.send(Method::POST, &url, "application/json; charset=utf-8", body, PATIENCE).await {
            Ok(status) if status.is_success() => Ok(()),
            Ok(status) => Err(WebhookError::Refused { host: host(), status: status.as_u16() }),
            Err(error) => Err(WebhookError::Unreachable { host: host(), why: error.to_string() }),
        }
    }
}

/// The address in a secret: its text, or the member `url` of the JSON object that the console makes of it.
fn parse_address(secret: &str) -> Result<SecretUrl, &'static str> {
    let object = serde_json::from_str::<Value>(secret).ok();
    let member = object.as_ref().and_then(|object| object.get("url")).and_then(Value::as_str);
    let url = SecretUrl::parse(member.unwrap_or(secret), "[webhook]")?;
    if url.is_private() { Ok(url) } else { Err("its scheme is `http`, so anybody on the way could read it") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_is_text_or_object() {
        for secret in
            ["https://hooks.example/x", " https://hooks.example/x\n", r#"{"url": "https://hooks.example/x"}"#]
        {
            assert_eq!(parse_address(secret).unwrap().host(), "hooks.example");
        }
        for secret in
            ["", "{}", "[]", "hooks.example", "http://hooks.example/x", r#"{"url": "http://hooks.example/"}"#]
        {
            assert!(parse_address(secret).is_err(), "{secret}");
        }
    }
}
