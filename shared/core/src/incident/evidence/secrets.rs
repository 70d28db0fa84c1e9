//! What looks like a secret in a log is not passed on.

use std::sync::LazyLock;

use regex_lite::{Captures, Regex};

const HIDDEN: &str = "[hidden]";

/// A name that says that its value is secret, up to that value: `DB_PASSWORD=`, `"apiKey": "`, `Authorization: Bearer `.
/// Then shapes that are secrets whatever stands before them. `name` is kept, the rest is hidden.
const SHAPES: [&str; 6] = [
    r#"(?i)(?P<name>[\w.-]*(?:passwo?r?d|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|signature|authorization)[\w.-]*["']?\s*[=:]\s*["']?(?:(?:bearer|basic)\s+)?)[^\s"',;&]+"#,
    r"(?i)(?P<name>\b(?:bearer|basic)\s+)[A-Za-z0-9+/._~=-]{16,}",
    r"(?P<name>[a-z][a-z0-9+.-]*://[^\s:/@]+:)[^\s/@]+@",
    r"(?P<name>)\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    r"(?P<name>)\b(?:eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|gh[opsur]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}|xox[abeoprs]-[\w-]{10,}|sk_live_\w{16,})",
    r"(?s)(?P<name>-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)",
];

static PATTERNS: LazyLock<Vec<Regex>> =
    LazyLock::new(|| SHAPES.iter().filter_map(|shape| Regex::new(shape).ok()).collect());

/// The text without what has the shape of a secret. It may hide a word that is none; it can't know a secret that looks
/// like any other word.
pub fn hide_secrets(text: &str) -> String {
    let hide = |text: String, pattern: &Regex| {
        pattern
            .replace_all(&text, |found: &Captures<'_>| {
                let name = found.name("name").map_or("", |name| name.as_str());
                let end = if found.get(0).is_some_and(|it| it.as_str().ends_with('@')) { "@" } else { "" };
                format!("{name}{HIDDEN}{end}")
            })
            .into_owned()
    };
    PATTERNS.iter().fold(text.to_owned(), hide)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_shapes_are_patterns() {
        assert_eq!(PATTERNS.len(), SHAPES.len());
    }

    #[test]
    fn secrets_are_hidden() {
        let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P";
        for (text, hidden) in [
            ("export DB_PASSWORD=hunter2", "export DB_PASSWORD=[hidden]"),
            ("password: 'hunter2'", "password: '[hidden]'"),
            (r#"{"apiKey": "a1b2c3", "user": "web"}"#, r#"{"apiKey": "[hidden]", "user": "web"}"#),
            ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", "aws_secret_access_key = [hidden]"),
            ("using AKIAIOSFODNN7EXAMPLE now", "using [hidden] now"),
            ("Authorization: Bearer abc.def", "Authorization: Bearer [hidden]"),
            ("postgres://web:hunter2@db/orders", "postgres://web:[hidden]@db/orders"),
            ("https://b/k?X-Amz-Signature=ab12&x=1", "https://b/k?X-Amz-Signature=[hidden]&x=1"),
            (&format!("got {jwt}."), "got [hidden]."),
            ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "[hidden]"),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\ndone",
                "-----BEGIN RSA PRIVATE KEY-----[hidden]\ndone",
            ),
            ("-----BEGIN PRIVATE KEY-----\nMIIE", "-----BEGIN PRIVATE KEY-----[hidden]"),
        ] {
            assert_eq!(hide_secrets(text), hidden);
        }
    }

    #[test]
    fn what_helps_stays() {
        for text in [
            "systemctl: Unit orders.service not loaded.",
            "User: arn:aws:sts::222222222222:assumed-role/Web/i-0abc is not authorized to perform: kms:Decrypt",
            "The security token included in the request is expired",
            "exit code 1 at https://example.com/path:8080/x",
        ] {
            assert_eq!(hide_secrets(text), text);
        }
    }
}
