//! What a shell makes of the words and scripts.

use std::process::{Command, Stdio};

use serde_json::json;

use super::*;
use crate::rules::documents::Document;

fn bash(arguments: &[&str]) -> String {
    let output = Command::new("bash").args(arguments).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// An ARN's path may have any character from ! to DEL.
const ANY: &str = "role/!\"#$%&'()*+,-.0:;<=>?@[\\]^_`{|}~/$(id)/`id`/\\";

#[test]
fn shell_words_are_quoted() {
    for text in [ANY, "plain", "", "=x", "a b", "it's", "~root", "*", "$HOME", "!!"] {
        assert_eq!(bash(&["-c", &format!("printf %s {}", quoted(text))]), text);
    }
    assert_eq!(quoted("arn:aws:iam::1:role/a_b+=,.@-"), "arn:aws:iam::1:role/a_b+=,.@-");
    assert_eq!(option("role-name", "-x"), "--role-name=-x");
    assert_eq!(option("role-name", "x"), "--role-name x");
}

#[test]
fn json_is_quoted() {
    let value = json!([{"Principal": {"AWS": ANY}}, {"Sid": "it's !important"}]);
    let word = json(&value);
    let printed = bash(&["-c", &format!("printf %s {word}")]);
    assert_eq!(serde_json::from_str::<Value>(&printed).unwrap(), value);
    let inner = word.get(1..word.len() - 1).unwrap();
    assert!(!inner.contains(['\'', '!']), "an interactive shell would read it: {word}");
    assert_eq!(word.lines().count(), 4, "one line each");
}

#[test]
fn scripts_survive_indentation() {
    let statements = [json!({"Effect": "Allow", "Principal": {"AWS": ANY}, "Action": "sts:AssumeRole"})];
    let document = Document::trust_policy("arn:aws:iam::222222222222:role/deploy/Target");
    for script in [
        document.add(&statements),
        document.exempt(&statements, &json!({"ArnNotEquals": {"aws:PrincipalArn": [ANY]}})),
        document.forget(&["AROAEXAMPLE"], &statements),
        document.narrow(&["111111111111"], &[]),
    ] {
        assert!(script.starts_with("# in account 222222222222\n(set -e;"), "{script}");
        assert!(script.lines().all(|line| !line.is_empty()), "{script}");
        let indented = script.lines().map(|line| format!("    {line}\n")).collect::<String>();
        for script in [script, indented] {
            bash(&["-n", "-c", &script]);
        }
    }
}

#[test]
fn account_comment_takes_digits_only() {
    assert_eq!(show(Some("1\nrm -rf x"), "aws"), "# in the account that owns it\naws");
    let script = script(Some("1 || true"), &[]);
    assert!(script.contains("= '1 || true' ]"), "{script}");
}
