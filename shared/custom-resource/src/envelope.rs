use std::fmt;

use hyper::Uri;
use serde_json::Value;

use crate::physical_id::is_usable;
use crate::request::RequestType;
use crate::response::encoded_len;

/// The longest stack, request or logical id that is echoed, in bytes of JSON. CloudFormation's own stay well
/// below; a longer one would leave no room for a reason.
const LONGEST_ID: usize = 400;

/// What is needed to answer a request, taken from the event as leniently as possible: a request that
/// can't be read must be answered all the same, or the stack waits for an hour.
#[derive(Debug)]
pub(crate) struct Envelope {
    pub url: ResponseUrl,
    pub request_type: Option<RequestType>,
    pub stack_id: Option<String>,
    pub request_id: Option<String>,
    pub logical_id: Option<String>,
    /// The id of the existing resource; none on Create.
    pub physical_id: Option<String>,
}

impl Envelope {
    /// Opens an event, or says why it can't be answered.
    pub fn open(event: &Value) -> Result<Self, &'static str> {
        let text = |field: &str| event.get(field).and_then(Value::as_str).map(str::to_owned);
        let id = |field: &str| text(field).filter(|id| !id.is_empty() && encoded_len(id) <= LONGEST_ID);
        let request_type = text("RequestType").as_deref().and_then(RequestType::parse);
        Ok(Self {
            url: ResponseUrl::parse(&text("ResponseURL").ok_or("it is missing")?)?,
            request_type,
            stack_id: id("StackId"),
            request_id: id("RequestId"),
            logical_id: id("LogicalResourceId"),
            physical_id: text("PhysicalResourceId")
                .filter(|id| request_type != Some(RequestType::Create) && is_usable(id)),
        })
    }
}

/// A presigned URL: whoever has it can answer in our place. Never shown; see [`ResponseUrl::redact`].
pub(crate) struct ResponseUrl {
    uri: Uri,
    /// What must not show up in any text, longest first.
    secrets: Vec<String>,
}

impl ResponseUrl {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let uri: Uri = text.parse().map_err(|_| "it is not a URL")?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err("its scheme is neither `http` nor `https`");
        }
        if uri.host().is_none_or(str::is_empty) {
            return Err("it names no host");
        }
        let (base, query) = text.split_once('?').unwrap_or((text, ""));
        let values =
            query.split('&').filter_map(|parameter| parameter.split_once('=')).map(|(_, value)| value);
        let mut secrets: Vec<String> = [base, query]
            .into_iter()
            .chain(values)
            // A shorter one, such as a version, is no secret and would tear holes into innocent text.
            .filter(|part| part.len() >= 16)
            .chain([text])
            .map(str::to_owned)
            .collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Ok(Self { uri, secrets })
    }

    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// All that may be told of the URL.
    pub fn host(&self) -> &str {
        self.uri.host().unwrap_or_default()
    }

    /// The text without the URL, its query or a parameter that is long enough to be a signature.
    pub fn redact(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "[ResponseURL]"))
    }
}

impl fmt::Debug for ResponseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResponseUrl({}, …)", self.host())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const URL: &str = "https://responses.s3.amazonaws.com/arn%3Aaws%3Astack/1%7CKey%7C2?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1700000000&Signature=vjbyPxybdZaNmGa%2ByT272YEAiv4%3D";

    #[test]
    fn redacts_the_url_and_its_parts() {
        let url = ResponseUrl::parse(URL).unwrap();
        let text = format!(
            "PUT {URL} failed; vjbyPxybdZaNmGa%2ByT272YEAiv4%3D of AKIAIOSFODNN7EXAMPLE, in 1700000000"
        );
        let redacted = url.redact(&text);
        assert_eq!(redacted, "PUT [ResponseURL] failed; [ResponseURL] of [ResponseURL], in 1700000000");
        assert!(!format!("{url:?}").contains("Signature"), "{url:?}");
        assert_eq!(url.host(), "responses.s3.amazonaws.com");
    }

    #[test]
    fn unusable_urls() {
        for odd in [
            "",
            "x",
            "/path",
            "ftp://host/",
            "file:///etc/passwd",
            "http://",
            "http:///x",
            "http://a b/",
            "https://:443/",
        ] {
            assert!(ResponseUrl::parse(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn opens_what_can_be_answered() {
        assert!(Envelope::open(&json!(null)).is_err());
        assert!(Envelope::open(&json!({"StackId": "s"})).is_err());
        let envelope = Envelope::open(&json!({"ResponseURL": URL, "StackId": 7, "RequestId": "r",
            "LogicalResourceId": "x".repeat(500), "RequestType": "Create", "PhysicalResourceId": "p"}))
        .unwrap();
        assert_eq!(envelope.request_id.as_deref(), Some("r"));
        assert_eq!((envelope.stack_id, envelope.logical_id, envelope.physical_id), (None, None, None));
    }
}
