//! The error code in a message, whichever way a service puts it.
//!
//! ```text
//! … (Service: AmazonCloudFormation; Status Code: 400; Error Code: ValidationError; Request ID: …)
//! … (Service: S3, Status Code: 404, Request ID: …)" (RequestToken: …, HandlerErrorCode: NotFound)
//! An error occurred (AccessDenied) when calling the PutObject operation: …
//! Phase: QUEUED, Code: ACCESS_DENIED, Message: …
//! An API call to StepFunctions.describeExecution returned a AccessDeniedException error
//! operation error S3: PutObject, https response error StatusCode: 403, RequestID: …, api error AccessDenied: …
//! InvalidParameterException: Unable to …
//! ```

use super::denial::bare;

/// An error code, and what stands beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorCode {
    /// The code, `ValidationError`.
    pub code: String,
    /// The service that answered with it, as the message names it: `AmazonCloudFormation`.
    pub service: Option<String>,
    /// The HTTP status.
    pub status: Option<u16>,
}

/// Codes, or parts of them, that stand for a refusal. Compared in lower case, without `_`.
const REFUSALS: [&str; 8] = [
    "accessdenied",
    "unauthorized",
    "notauthorized",
    "authorizationerror",
    "authfailure",
    "forbidden",
    "permission",
    "kms",
];
/// Codes that say nothing of the reason: the words beside them do.
const VAGUE: [&str; 8] = [
    "vpcclienterror",
    "clienterror",
    "generalserviceexception",
    "internalerror",
    "unknownerror",
    "jobfailed",
    "servicefault",
    "buildcontainerunabletopullimage",
];
/// How words end that are codes though nothing marks them as such.
const ENDINGS: [&str; 3] = ["Exception", "Error", "Fault"];

/// Finds the error code of a message.
pub fn error_code(message: &str) -> Option<ErrorCode> {
    let after = |marker: &str| word_after(message, marker);
    let code = after("HandlerErrorCode: ")
        .or_else(|| after("Error Code: "))
        .or_else(|| after("Error code: "))
        .or_else(|| between(message, "An error occurred (", ") when calling"))
        .or_else(|| after(", Code: "))
        .or_else(|| before(message, " error: ").filter(|_| message.contains(" returned a")))
        .or_else(|| ["a", "an"].iter().find_map(|a| between(message, &format!(" returned {a} "), " error")))
        .or_else(|| after("api error "))
        .or_else(|| leading(message))
        .or_else(|| after("Status Code: "))?;
    let status = after("Status Code: ")
        .or_else(|| after("StatusCode: "))
        .or_else(|| Some(code).filter(|code| code.len() == 3));
    Some(ErrorCode {
        code: code.to_owned(),
        service: text_after(message, "Service: ").map(str::to_owned),
        status: status.and_then(|status| status.parse().ok()),
    })
}

impl ErrorCode {
    /// Whether it says that somebody was refused: a policy, or a key, is in the way.
    pub fn is_refusal(&self) -> bool {
        let code = self.plain();
        REFUSALS.iter().any(|part| code.contains(part)) || code == "403" || self.status == Some(403)
    }

    /// Whether it gives a reason that no policy has anything to do with.
    pub fn is_other_reason(&self) -> bool {
        let code = self.plain();
        let vague = VAGUE.contains(&code.as_str()) || code.starts_with('5');
        !self.is_refusal() && !vague
    }

    fn plain(&self) -> String {
        self.code.to_ascii_lowercase().replace('_', "")
    }
}

fn word_after<'a>(message: &'a str, marker: &str) -> Option<&'a str> {
    let (_, rest) = message.split_once(marker)?;
    Some(bare(rest.split_whitespace().next()?)).filter(|word| is_code(word))
}

/// The text up to the next comma or semicolon: names of services may have spaces.
fn text_after<'a>(message: &'a str, marker: &str) -> Option<&'a str> {
    let (_, rest) = message.split_once(marker)?;
    let name = rest.split([';', ',', ')']).next()?.trim();
    Some(name).filter(|name| !name.is_empty() && *name != "null")
}

fn between<'a>(message: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = message.split_once(start)?;
    rest.split_once(end).map(|(code, _)| code.trim()).filter(|code| is_code(code))
}

fn before<'a>(message: &'a str, marker: &str) -> Option<&'a str> {
    let (before, _) = message.split_once(marker)?;
    before.rsplit(' ').next().filter(|word| is_code(word))
}

/// A code that begins the message, or a sentence of it: `InvalidParameterException: …`, `YAML_FILE_ERROR: …`.
fn leading(message: &str) -> Option<&str> {
    let words = message.split_whitespace().filter_map(|word| word.strip_suffix(':'));
    let constant =
        |word: &str| word.contains('_') && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    let named = |word: &str| ENDINGS.iter().any(|end| word.len() > end.len() && word.ends_with(end));
    let refuses = |word: &str| {
        let word = word.to_ascii_lowercase();
        REFUSALS.iter().any(|part| word.contains(part))
    };
    let is_code = |word: &&str| is_code(word) && (constant(word) || named(word) || refuses(word));
    let codes: Vec<&str> = words.map(bare).filter(is_code).collect();
    // A step may stand before the code, `Error in DOWNLOAD_SOURCE: AccessDenied: …`: that it was refused says more.
    codes.iter().find(|code| refuses(code)).or(codes.first()).copied()
}

fn is_code(word: &str) -> bool {
    !word.is_empty()
        && word != "null"
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_'))
}
