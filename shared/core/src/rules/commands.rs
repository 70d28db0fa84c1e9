//! AWS CLI commands that can be pasted as they are into AWS CloudShell, or any shell with `aws` and `python3`.
//!
//! A script names its account and ends before it changes anything when it runs in another one. It runs in a
//! subshell, so that its first error ends the script and not the shell that it was pasted into, and no line of
//! it depends on indentation, so that it survives a mail program.
//! See <https://docs.aws.amazon.com/cloudshell/latest/userguide/vm-specs.html>.

use serde_json::Value;

use crate::arn::Arn;

/// A script that changes something; `steps` run in a directory of their own, which stays.
pub(super) fn script(account: Option<&str>, steps: &[String]) -> String {
    let mut lines = vec![heading(account), "(set -e; cd \"$(mktemp -d)\"".to_owned()];
    lines.extend(account.map(|account| {
        format!(
            "[ \"$(aws sts get-caller-identity --query Account --output text)\" = {} ] ||\n\
             {{ echo \"this is for another account\" >&2; exit 1; }}",
            quoted(account)
        )
    }));
    lines.extend_from_slice(steps);
    lines.push(")".into());
    lines.join("\n")
}

/// A command that only looks, where what to change is for a human to choose.
pub(super) fn show(account: Option<&str>, command: &str) -> String {
    format!("{}\n{command}", heading(account))
}

fn heading(account: Option<&str>) -> String {
    let digits = |account: &&str| account.chars().all(|c| c.is_ascii_digit());
    match account.filter(digits) {
        Some(account) => format!("# in account {account}"),
        None => "# in the account that owns it".into(),
    }
}

/// A role's account and name.
pub(super) fn role(role_arn: &str) -> (Option<String>, String) {
    let arn = Arn::parse(role_arn).ok();
    let name = arn.as_ref().and_then(Arn::role_name).unwrap_or(role_arn).to_owned();
    (arn.map(|arn| arn.account().to_owned()), name)
}

/// An option with its value; `=` keeps a value that starts with a dash from being taken for an option.
pub(super) fn option(name: &str, value: &str) -> String {
    let by = if value.starts_with('-') { '=' } else { ' ' };
    format!("--{name}{by}{}", quoted(value))
}

/// ` --region …`, where it is known.
pub(super) fn in_region(region: Option<&str>) -> String {
    region.filter(|it| !it.is_empty()).map(|it| format!(" {}", option("region", it))).unwrap_or_default()
}

/// One word of a shell, whatever is in it.
pub fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c);
    let starts_plainly = text.starts_with(|c: char| c.is_ascii_alphanumeric() || "_/-".contains(c));
    if starts_plainly && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// JSON as one word of a shell, an array with a line for each item. JSON's own escapes stand for what means
/// something to a shell even in quotes.
pub(super) fn json(value: &Value) -> String {
    let text = match value.as_array() {
        Some(items) if items.len() > 1 || items.iter().any(Value::is_object) => {
            let items: Vec<String> = items.iter().map(Value::to_string).collect();
            format!("[\n{}\n]", items.join(",\n"))
        }
        _ => value.to_string(),
    };
    format!("'{}'", text.replace('\'', r"\u0027").replace('!', r"\u0021"))
}

#[cfg(test)]
mod tests;
