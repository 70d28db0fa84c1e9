//! Incoming webhooks as Slack has them.
//!
//! See <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks> and, for the limits,
//! <https://docs.slack.dev/reference/block-kit/blocks>. Whatever may come from elsewhere is `plain_text`, which
//! is shown as it is, or in a code block. Services that are compatible often know `text` alone, so that is the
//! alert, too, not only its headline.

use serde_json::{Value, json};

use super::chat::{cause_label, code_block, escape_markup, fit_escaped, format_steps, script_within};
use super::plain::{cut_to, fit_items, one_line, without_control_characters};
use super::{Alert, Cause, Evidence, email};

/// A header has up to 150 characters, a section up to 3,000 once escaped, a message up to 50 blocks, and all of
/// its blocks together roughly 13,000 characters before Slack answers `msg_blocks_too_long`.
const HEADER: usize = 150;
const HEADLINE: usize = 600;
const BECAUSE: usize = 1_000;
const FIX: usize = 2_000;
const SCRIPT: usize = 2_700;
const FURTHER: usize = 3;
const FURTHER_LINE: usize = 300;
const LINES: usize = 20;
const LINE: usize = 500;
const EVIDENCE: usize = 1_500;
const LINKS: usize = 5;
const LINK: usize = 500;

/// The body to post.
pub fn message(alert: &Alert) -> Value {
    let mut blocks = vec![
        json!({"type": "header", "text": plain_text(&cut_to(&email::subject(alert), HEADER))}),
        section_block(plain_text(&format_headline(alert))),
    ];
    if let Some(cause) = &alert.cause {
        blocks.push(section_block(mrkdwn_text(&format!("*Cause* ({})", cause_label(cause)))));
        blocks.push(section_block(plain_text(&cut_to(&one_line(&cause.because), BECAUSE))));
        blocks.push(section_block(mrkdwn_text(&format_fix(cause))));
    }
    if let Some(done) = &alert.done {
        blocks.push(section_block(mrkdwn_text(&format!(
            "*Remediation* ({})",
            escape_markup(&fit_escaped(&one_line(&done.outcome), 100))
        ))));
        blocks.push(section_block(plain_text(&format_steps(done))));
    }
    let further = fit_items(&alert.further, FURTHER, other_messages);
    if !further.is_empty() {
        blocks.push(section_block(mrkdwn_text("*Also found*")));
        blocks.push(section_block(plain_text(&further.join("\n"))));
    }
    if let Some(links) = format_links(alert) {
        blocks.push(section_block(mrkdwn_text(&format!("*Links*\n{links}"))));
    }
    let evidence = format_evidence(alert);
    if !evidence.is_empty() {
        blocks.push(section_block(mrkdwn_text("*Evidence*")));
        blocks.push(section_block(plain_text(&cut_to(&evidence.join("\n"), EVIDENCE))));
    }
    let script = alert.cause.as_ref().and_then(|cause| script_within(cause, SCRIPT));
    blocks.extend(script.map(|script| section_block(mrkdwn_text(&script))));
    json!({"text": fallback_text(alert), "blocks": blocks})
}

/// Headline, cause, fix and links once more, for those that show no blocks.
fn fallback_text(alert: &Alert) -> String {
    let mut parts = vec![escape_markup(&format_headline(alert))];
    if let Some(cause) = &alert.cause {
        parts.push(format!("Cause ({})", cause_label(cause)));
        parts.push(escape_markup(&fit_escaped(&one_line(&cause.because), BECAUSE)));
        parts.push(format_fix(cause));
    }
    if let Some(done) = &alert.done {
        parts.push(format!("Remediation ({})", escape_markup(&fit_escaped(&one_line(&done.outcome), 100))));
        parts.push(escape_markup(&format_steps(done)));
    }
    parts.extend(format_links(alert));
    parts.join("\n")
}

fn format_headline(alert: &Alert) -> String {
    cut_to(&one_line(&alert.headline), HEADLINE)
}

fn format_fix(cause: &Cause) -> String {
    format!("*Fix*\n{}", code_block(&fit_escaped(without_control_characters(&cause.fix).trim(), FIX)))
}

fn other_messages(cause: &Cause) -> String {
    cut_to(&format!("{}: {}", one_line(&cause.label()), one_line(&cause.message)), FURTHER_LINE)
}

fn format_links(alert: &Alert) -> Option<String> {
    let links = alert.links.iter().filter(|link| link.url.chars().count() <= LINK);
    let links = links.take(LINKS).map(|link| {
        // The bar separates address and text.
        let url = escape_markup(&one_line(&link.url)).replace('|', "%7C");
        format!("<{url}|{}>", escape_markup(&fit_escaped(&one_line(&link.name), 80)).replace('|', " "))
    });
    Some(links.collect::<Vec<_>>().join("\n")).filter(|links| !links.is_empty())
}

fn format_evidence(alert: &Alert) -> Vec<String> {
    let line = |it: &Evidence| cut_to(&format!("{}: {}", one_line(&it.name), one_line(&it.text)), LINE);
    fit_items(&alert.evidence, LINES, line)
}

fn section_block(text: Value) -> Value {
    json!({"type": "section", "text": text})
}

fn plain_text(text: &str) -> Value {
    // Slack takes no empty text.
    let text = if text.is_empty() { "-" } else { text };
    json!({"type": "plain_text", "text": text, "emoji": false})
}

fn mrkdwn_text(text: &str) -> Value {
    // `verbatim`: names like @here and plain addresses stay what they are.
    json!({"type": "mrkdwn", "text": text, "verbatim": true})
}
