use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use crate::envelope::Envelope;
use crate::physical_id::{is_usable, not_created, placeholder_id};
use crate::{Failure, RequestType, Success};

/// The longest [response body][docs] that CloudFormation takes.
///
/// [docs]: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
pub const MAX_BODY_BYTES: usize = 4_096;

/// The longest `PhysicalResourceId` that CloudFormation takes.
pub const MAX_PHYSICAL_ID_BYTES: usize = 1_024;

/// What CloudFormation is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The resource is as it was asked for.
    Success,
    /// It is not; CloudFormation rolls back.
    Failed,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Success => "SUCCESS",
            Self::Failed => "FAILED",
        })
    }
}

/// The answer to one request, ready to be sent.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: Status,
    pub reason: String,
    pub body: String,
}

impl Answer {
    pub(crate) fn new(envelope: &Envelope, outcome: Result<Success, Failure>) -> Self {
        outcome
            .and_then(|success| Self::success(envelope, success))
            .unwrap_or_else(|failure| Self::failure(envelope, failure))
    }

    fn success(envelope: &Envelope, mut success: Success) -> Result<Self, Failure> {
        if envelope.request_type == Some(RequestType::Delete) {
            success.data.clear();
            if let Some(physical_id) = &envelope.physical_id {
                success.physical_id.clone_from(physical_id);
            }
        }
        if !is_usable(&success.physical_id) {
            let length = success.physical_id.len();
            return Err(Failure::new(
                format!("the physical id of this resource is {length} bytes long, the limit is {MAX_PHYSICAL_ID_BYTES}, and it must not be blank"),
                "shorten the names that this resource is given, and deploy again",
            )
            // Something was made; the Delete that follows has to find it by its properties.
            .made(unfinished_id(envelope)));
        }
        let reason = envelope.url.redact(success.reason.as_deref().unwrap_or_default());
        let mut body = base_members(envelope, Status::Success, &success.physical_id);
        if success.no_echo {
            body.insert("NoEcho".into(), true.into());
        }
        if !success.data.is_empty() {
            body.insert("Data".into(), data_member(success.data));
        }
        let length = length_without_reason(&body);
        // Success with part of the attributes would hide the loss, and no answer at all would hide the
        // resource: a failure under the same id makes CloudFormation remove it again.
        let Some(room) = MAX_BODY_BYTES.checked_sub(length) else {
            return Err(Failure::new(
                format!("the attributes that this resource returns make an answer of {length} bytes, the limit is {MAX_BODY_BYTES}"),
                "split the resource into several that each return less, and deploy again",
            )
            .made(success.physical_id));
        };
        Ok(Self::finish(Status::Success, body, cut_to_json_bytes(&reason, room)))
    }

    fn failure(envelope: &Envelope, failure: Failure) -> Self {
        // On Update and Delete any other id would be a replacement. On Create it decides what the Delete that
        // follows finds.
        let physical_id = match (&envelope.physical_id, failure.physical_id) {
            (Some(existing), _) => existing.clone(),
            (None, Some(made)) if is_usable(&made) => made,
            (None, Some(_)) => unfinished_id(envelope),
            (None, None) => not_created(stack_id_of(envelope), logical_id_of(envelope)),
        };
        let body = base_members(envelope, Status::Failed, &physical_id);
        let room = MAX_BODY_BYTES.saturating_sub(length_without_reason(&body));
        let redact = |text: &str| envelope.url.redact(text.trim());
        let reference = failure.reference.as_deref().map(redact).filter(|reference| !reference.is_empty());
        let reason =
            fit_reason(&redact(&failure.cause), &redact(&failure.next_step), reference.as_deref(), room);
        Self::finish(Status::Failed, body, reason)
    }

    fn finish(status: Status, mut body: Map<String, Value>, reason: String) -> Self {
        if reason.is_empty() {
            body.remove("Reason");
        } else {
            body.insert("Reason".into(), reason.as_str().into());
        }
        Self { status, reason, body: Value::Object(body).to_string() }
    }
}

/// The id for a Create of which nobody knows how far it came.
pub(crate) fn unfinished_id(envelope: &Envelope) -> String {
    placeholder_id(stack_id_of(envelope), logical_id_of(envelope))
}

fn stack_id_of(envelope: &Envelope) -> &str {
    envelope.stack_id.as_deref().unwrap_or_default()
}

fn logical_id_of(envelope: &Envelope) -> &str {
    envelope.logical_id.as_deref().unwrap_or_default()
}

fn base_members(envelope: &Envelope, status: Status, physical_id: &str) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("Status".into(), status.to_string().into());
    body.insert("Reason".into(), "".into());
    body.insert("PhysicalResourceId".into(), physical_id.into());
    let ids = [
        ("StackId", &envelope.stack_id),
        ("RequestId", &envelope.request_id),
        ("LogicalResourceId", &envelope.logical_id),
    ];
    for (field, id) in ids {
        if let Some(id) = id {
            body.insert(field.into(), id.as_str().into());
        }
    }
    body
}

fn data_member(data: BTreeMap<String, Value>) -> Value {
    Value::Object(data.into_iter().collect())
}

/// The bytes of the body while its `Reason` is empty.
fn length_without_reason(body: &Map<String, Value>) -> usize {
    serde_json::to_string(body).map_or(usize::MAX, |text| text.len())
}

/// `<cause>. Next: <next step> [<reference>]` in at most `room` bytes of JSON. What has to go goes
/// in this order: the end of the cause, the reference, the end of the next step.
fn fit_reason(cause: &str, next_step: &str, reference: Option<&str>, room: usize) -> String {
    let cause = if cause.is_empty() { "no cause was given" } else { cause };
    let next = if next_step.is_empty() { String::new() } else { format!("Next: {next_step}") };
    let link = reference.map(|reference| format!("[{reference}]")).unwrap_or_default();
    for tail in [format!("{next} {link}").trim(), &next] {
        let gap = match cause.chars().last() {
            _ if tail.is_empty() => "",
            _ if next.is_empty() => " ",
            Some('.' | '!' | '?') => " ",
            _ => ". ",
        };
        let whole = format!("{cause}{gap}{tail}");
        if encoded_len(&whole) <= room {
            return whole;
        }
        // An ellipsis and a space come between the rest of the cause and the tail.
        if let Some(left) = room.checked_sub(encoded_len(tail) + 1).filter(|left| *left >= ELLIPSIS.len()) {
            return format!("{} {tail}", cut_to_json_bytes(cause, left)).trim_end().to_owned();
        }
    }
    cut_to_json_bytes(&next, room)
}

const ELLIPSIS: &str = "…";

/// The start of the text that takes at most `room` bytes of JSON, ellipsis included.
fn cut_to_json_bytes(text: &str, room: usize) -> String {
    if encoded_len(text) <= room {
        return text.to_owned();
    }
    let Some(mut left) = room.checked_sub(ELLIPSIS.len()) else { return String::new() };
    let mut start: String = text
        .chars()
        .take_while(|char| {
            let fits = left.checked_sub(encoded_char(*char));
            left = fits.unwrap_or(0);
            fits.is_some()
        })
        .collect();
    start.truncate(start.trim_end().len());
    start.push_str(ELLIPSIS);
    start
}

/// The bytes that the text takes between the quotes of a JSON string.
pub(crate) fn encoded_len(text: &str) -> usize {
    text.chars().map(encoded_char).sum()
}

fn encoded_char(char: char) -> usize {
    match char {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..'\u{20}' => 6,
        _ => char.len_utf8(),
    }
}

#[cfg(test)]
mod tests;
