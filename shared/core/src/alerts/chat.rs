//! Custom notifications of Amazon Q Developer in chat applications (earlier: AWS Chatbot), for a topic that a chat
//! channel is subscribed to.
//!
//! See <https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html>. `client-markdown` is whatever
//! the chat client makes of it, Slack or Teams, so all that is used of it is what both know: code fences.

use serde_json::{Value, json};

use super::plain::{cut_to, fit_by, fit_items, one_line, without_control_characters};
use super::{Alert, Cause, Done, Evidence, email};

/// A title has up to 250 characters and a description up to 8,000.
const TITLE: usize = 250;
/// The parts of the description, each as long as it is once escaped: together they stay under its limit.
const HEADLINE: usize = 700;
const BECAUSE: usize = 1_000;
const FIX: usize = 1_800;
const SCRIPT: usize = 1_600;
const STEPS: usize = 500;
const FURTHER: usize = 3;
const FURTHER_LINE: usize = 300;
const LINES: usize = 20;
const LINE: usize = 500;
const EVIDENCE: usize = 1_200;
const LINKS: usize = 8;
/// An address that is cut leads nowhere, so one that is longer than this is left out.
const LINK: usize = 1_500;

/// The message for the topic, to be published as its JSON text.
pub fn message(alert: &Alert) -> Value {
    let short = |text: &str| escape_markup(&fit_escaped(&one_line(text), 100));
    let mut keywords: Vec<String> = alert.cause.iter().map(|cause| short(&cause.rule)).collect();
    keywords.extend(alert.attributes.iter().map(|(_, value)| short(value)));
    let context = alert.attributes.iter().map(|(name, value)| ((*name).to_owned(), json!(short(value))));
    json!({
        "version": "1.0",
        "source": "custom",
        "id": alert.id,
        "content": {
            "textType": "client-markdown",
            "title": format_title(alert),
            "description": format_description(alert),
            "nextSteps": next_steps(alert),
            "keywords": keywords,
        },
        "metadata": {
            "threadId": alert.thread,
            "summary": format_title(alert),
            "eventType": alert.kind.detail_type(),
            "relatedResources": alert.resources,
            "additionalContext": Value::Object(context.collect()),
        },
    })
}

/// The subject of the e-mail, which stays short of the limit unless it is full of what has to be escaped.
fn format_title(alert: &Alert) -> String {
    let title = escape_markup(&email::subject(alert));
    if title.chars().count() <= TITLE { title } else { alert.kind.detail_type().to_owned() }
}

/// Headline, cause, fix, evidence and script; the links are the next steps.
fn format_description(alert: &Alert) -> String {
    let mut parts = vec![escape_markup(&fit_escaped(&one_line(&alert.headline), HEADLINE))];
    if let Some(cause) = &alert.cause {
        let because = escape_markup(&fit_escaped(&one_line(&cause.because), BECAUSE));
        parts.push(format!("Cause ({})\n{because}", cause_label(cause)));
        parts.push(format!(
            "Fix\n{}",
            code_block(&fit_escaped(without_control_characters(&cause.fix).trim(), FIX))
        ));
    }
    if let Some(done) = &alert.done {
        parts.push(format!(
            "Remediation ({})\n{}",
            escape_markup(&fit_escaped(&one_line(&done.outcome), 100)),
            escape_markup(&format_steps(done))
        ));
    }
    parts.extend(fit_items(&alert.further, FURTHER, other_messages));
    let line = |it: &Evidence| cut_to(&format!("{}: {}", one_line(&it.name), one_line(&it.text)), LINE);
    let evidence = fit_items(&alert.evidence, LINES, line);
    if !evidence.is_empty() {
        parts.push(format!("Evidence\n{}", code_block(&fit_escaped(&evidence.join("\n"), EVIDENCE))));
    }
    parts.extend(alert.cause.as_ref().and_then(|cause| script_within(cause, SCRIPT)));
    parts.join("\n\n")
}

/// The script of a fix, or where it is when it has more than `limit` characters: a part of it would be of no use.
pub(super) fn script_within(cause: &Cause, limit: usize) -> Option<String> {
    let script = without_control_characters(cause.script.as_deref()?);
    let script = script.trim();
    if fit_escaped(script, limit) == script {
        return Some(format!("Script\n{}", code_block(script)));
    }
    Some("The script is too long for this message: it is in the e-mail and in the event.".to_owned())
}

/// What was done, fitted to be escaped.
pub(super) fn format_steps(done: &Done) -> String {
    fit_escaped(&done.steps.iter().map(|step| one_line(step)).collect::<Vec<_>>().join("\n"), STEPS)
}

fn other_messages(cause: &Cause) -> String {
    let text = format!("Also found ({}): {}", one_line(&cause.label()), one_line(&cause.message));
    escape_markup(&fit_escaped(&text, FURTHER_LINE))
}

fn next_steps(alert: &Alert) -> Vec<String> {
    let links = alert.links.iter().filter(|link| link.url.chars().count() <= LINK);
    links
        .take(LINKS)
        .map(|link| {
            format!(
                "{}: {}",
                escape_markup(&fit_escaped(&one_line(&link.name), 100)),
                escape_markup(&one_line(&link.url))
            )
        })
        .collect()
}

/// `KM001, confirmed`.
pub(super) fn cause_label(cause: &Cause) -> String {
    escape_markup(&fit_escaped(&one_line(&cause.label()), 100))
}

/// Slack's three control characters as it wants them, and no link with a text of its own and no
/// code block as Teams has them.
/// See <https://docs.slack.dev/messaging/formatting-message-text>.
pub(super) fn escape_markup(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace("](", "]\u{200b}(").replace("```", "'''")
}

/// Fits a text to `limit` characters of what [`escape_markup`] or [`code_block`] make of it.
pub(super) fn fit_escaped(text: &str, limit: usize) -> String {
    fit_by(text, limit, |c| match c {
        '&' => 5,
        '<' | '>' => 4,
        ']' => 2,
        _ => 1,
    })
}

/// A code block, which shows its text as it is. Nothing in it ends it.
pub(super) fn code_block(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("```\n{}\n```", text.replace("```", "'''"))
}
