use std::fmt;
use std::net::IpAddr;

use hyper::Uri;

/// An address whose possession is all it takes to use it. Of it only the host is ever shown.
pub struct SecretUrl {
    uri: Uri,
    /// What stands in its place.
    shown: &'static str,
    /// What must not show up in any text, longest first.
    secrets: Vec<String>,
}

impl SecretUrl {
    /// Reads an address; `shown` is what stands for it in texts, such as `[ResponseURL]`.
    ///
    /// # Errors
    /// Why it can't be one, without a word of it.
    pub fn parse(text: &str, shown: &'static str) -> Result<Self, &'static str> {
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
        let mut secrets: Vec<String> = [base, uri.path(), query]
            .into_iter()
            .chain(values)
            // A shorter one, such as a version, is no secret and would tear holes into innocent text.
            .filter(|part| part.len() >= 16)
            .chain([text])
            .map(str::to_owned)
            .collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Ok(Self { uri, shown, secrets })
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// All that may be told of it.
    #[must_use]
    pub fn host(&self) -> &str {
        self.uri.host().unwrap_or_default()
    }

    /// Whether nobody on the way can read it: `https`, or never leaving this machine.
    #[must_use]
    pub fn is_private(&self) -> bool {
        let host = self.host().trim_start_matches('[').trim_end_matches(']');
        self.uri.scheme_str() == Some("https") || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }

    /// The text without the address, its path, its query or a parameter that is long enough to be a signature.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, self.shown))
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretUrl({}, …)", self.host())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://responses.s3.amazonaws.com/arn%3Aaws%3Astack/1%7CKey%7C2?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1700000000&Signature=vjbyPxybdZaNmGa%2ByT272YEAiv4%3D";

    #[test]
    fn redacts_the_url_and_its_parts() {
        let url = SecretUrl::parse(URL, "[URL]").unwrap();
        let text = format!(
            "PUT {URL} failed; vjbyPxybdZaNmGa%2ByT272YEAiv4%3D of AKIAIOSFODNN7EXAMPLE, in 1700000000; /arn%3Aaws%3Astack/1%7CKey%7C2"
        );
        let redacted = url.redact(&text);
        assert_eq!(redacted, "PUT [URL] failed; [URL] of [URL], in 1700000000; [URL]");
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
            assert!(SecretUrl::parse(odd, "").is_err(), "{odd}");
        }
    }

    #[test]
    fn plain_http_is_loopback_only() {
        let is_private = |text| SecretUrl::parse(text, "").unwrap().is_private();
        for private in
            ["https://example.com/", "HTTPS://example.com/", "http://127.0.0.1:80/", "http://[::1]/"]
        {
            assert!(is_private(private), "{private}");
        }
        for open in [
            "http://example.com/",
            "http://localhost/",
            "http://127.0.0.1.example.com/",
            "http://127.0.0.1@example.com/",
            "http://169.254.169.254/",
        ] {
            assert!(!is_private(open), "{open}");
        }
    }
}
