//! Subject and text for an SNS topic. What a phone shows comes first: headline, cause, fix, one link. The scripts come
//! last.

use std::fmt::Write;

use super::plain::{cut_to, fit_items, one_line, set_in, without_control_characters};
use super::{Alert, Cause};

/// SNS takes subjects of up to 100 ASCII characters without line breaks or control characters.
/// See <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>.
const SUBJECT: usize = 100;

/// A message of SNS has up to 262,144 bytes, attributes included; that is what all parts together are cut to.
const BODY: usize = 250_000;
/// The characters of each part, and how many of each kind there are: more than anybody reads.
const HEADLINE: usize = 1_000;
const PART: usize = 10_000;
const FURTHER: usize = 5;
const LINE: usize = 2_000;
const LINES: usize = 40;

/// The subject of an e-mail. Where it is too long, the rule's id at its end stays.
pub fn subject(alert: &Alert) -> String {
    let ascii = |text: &str| -> String {
        let plain = one_line(text);
        plain.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect()
    };
    let rule = alert.cause.as_ref().map(|cause| format!(" [{}]", ascii(&cause.rule))).unwrap_or_default();
    let text = match ascii(&alert.subject) {
        empty if empty.is_empty() => alert.kind.detail_type().to_owned(),
        text => text,
    };
    let left = SUBJECT.saturating_sub(rule.len());
    let text = if text.len() <= left {
        text
    } else {
        format!("{}...", text.chars().take(left.saturating_sub(3)).collect::<String>())
    };
    format!("{text}{rule}").chars().take(SUBJECT).collect()
}

/// The text of an e-mail.
pub fn body(alert: &Alert) -> String {
    let mut text = format!("{}\n", cut_to(&one_line(&alert.headline), HEADLINE));
    if let Some(cause) = &alert.cause {
        push_section(
            &mut text,
            &format!("Cause ({})", one_line(&cause.label())),
            &set_in(&indent_part(&cause.because)),
        );
        push_section(&mut text, "Fix", &indent_part(&cause.fix));
    }
    let mut links = alert.links.iter();
    if let Some(link) = links.next() {
        push_section(&mut text, &one_line(&link.name), &cut_to(&one_line(&link.url), LINE));
    }
    if let Some(done) = &alert.done {
        let steps = fit_items(&done.steps, LINES, |step| set_in(&cut_to(step, LINE)));
        push_section(&mut text, &format!("Remediation ({})", one_line(&done.outcome)), &steps.join("\n"));
    }
    for also in fit_items(&alert.further, FURTHER, other_messages) {
        let _ = write!(text, "\n{also}\n");
    }
    let links = fit_items(links.as_slice(), LINES, |link| {
        format!("{}:\n{}", one_line(&link.name), cut_to(&one_line(&link.url), LINE))
    });
    push_section(&mut text, "Links", &links.join("\n"));
    let evidence = fit_items(&alert.evidence, LINES, |it| {
        format!("{}: {}", one_line(&it.name), set_in(&cut_to(&it.text, LINE)))
    });
    push_section(&mut text, "Evidence", &evidence.join("\n"));
    for cause in alert.cause.iter().chain(alert.further.iter().take(FURTHER)) {
        let script = cause.script.as_deref().map(indent_part).unwrap_or_default();
        push_section(&mut text, &format!("Script ({})", one_line(&cause.rule)), &script);
    }
    if text.len() > BODY {
        let end = text.floor_char_boundary(BODY);
        text.truncate(end);
        text.push_str("\n[the rest is cut]\n");
    }
    text
}

fn other_messages(cause: &Cause) -> String {
    let mut text = String::new();
    let body = format!(
        "{}\n    {}\n\n{}",
        cut_to(&one_line(&cause.message), HEADLINE),
        set_in(&indent_part(&cause.because)),
        indent_part(&cause.fix)
    );
    push_section(&mut text, &format!("Also found ({})", one_line(&cause.label())), &body);
    text.trim_matches('\n').to_owned()
}

/// A part that may have lines of its own, such as a policy statement.
fn indent_part(text: &str) -> String {
    cut_to(without_control_characters(text).trim(), PART)
}

fn push_section(text: &mut String, title: &str, body: &str) {
    if !body.is_empty() {
        let _ = write!(text, "\n{title}\n{}\n{body}\n", "-".repeat(title.chars().count()));
    }
}
