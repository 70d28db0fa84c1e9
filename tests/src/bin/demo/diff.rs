//! Before and after, as a unified diff of compact JSON.

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::screen::{Colour, Screen};

const WIDTH: usize = 110;
const CONTEXT: usize = 1;

/// Prints what changed between two states of a document.
pub(crate) fn print(screen: &Screen, title: &str, before: &Value, after: &Value) {
    let (old, new) = (lines(before), lines(after));
    let diff = TextDiff::from_lines(old.as_str(), new.as_str());
    screen.say(&format!("--- {title}, before\n+++ {title}, after"));
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        screen.say_in(Colour::Grey, hunk.header().to_string().trim_end());
        for change in hunk.iter_changes() {
            let line = change.value().trim_end_matches('\n');
            match change.tag() {
                ChangeTag::Equal => screen.say(&format!(" {line}")),
                ChangeTag::Insert => screen.say_in(Colour::Green, &format!("+{line}")),
                ChangeTag::Delete => screen.say_in(Colour::Red, &format!("-{line}")),
            }
        }
    }
    screen.paragraph("");
}

fn lines(value: &Value) -> String {
    let mut text = String::new();
    write(value, "", "", &mut text);
    text + "\n"
}

/// JSON with a line for each member, but what fits into one line in one line.
fn write(value: &Value, indent: &str, name: &str, text: &mut String) {
    let single = one_line(value);
    let deeper = format!("{indent}  ");
    if indent.len() + name.len() + single.len() <= WIDTH && !indent.is_empty() {
        text.push_str(&single);
        return;
    }
    let (open, close, members): (_, _, Vec<(String, &Value)>) = match value {
        Value::Object(members) => {
            let named = |(name, value)| (format!("{}: ", Value::from(String::clone(name))), value);
            ('{', '}', members.iter().map(named).collect())
        }
        Value::Array(items) => ('[', ']', items.iter().map(|value| (String::new(), value)).collect()),
        _ => return text.push_str(&single),
    };
    text.push(open);
    for (name, member) in members {
        text.push_str(&format!("\n{deeper}{name}"));
        write(member, &deeper, &name, text);
        // A comma behind the last, so that what is added behind it changes one line less.
        text.push(',');
    }
    text.push_str(&format!("\n{indent}{close}"));
}

fn one_line(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, value)| format!("{}: {}", Value::from(name.as_str()), one_line(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(one_line).collect::<Vec<_>>().join(", ")),
        scalar => scalar.to_string(),
    }
}
