//! Statements held against AWS's Service Authorization Reference: actions that exist, ARNs of a form that the action
//! knows, condition keys that the action knows.
//!
//! The recording is made by `data/record_service_authorization.py`. See
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html>.

#![allow(clippy::indexing_slicing, reason = "a member that JSON lacks is null")]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Map, Value};

static REFERENCE: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../data/service_authorization.json")).unwrap_or_default()
});

/// An action of the reference.
struct Action<'a> {
    /// The formats of the ARNs that it knows; none where it knows only `*`.
    formats: Vec<&'a str>,
    /// The condition keys that it knows beside the global ones, in lower case.
    conditions: BTreeSet<&'a str>,
}

/// What is wrong with a statement, one sentence each.
///
/// A text may hold `${…}`, which stands for anything. A value that is no text, such as a function of CloudFormation, is not
/// looked at.
pub fn problems(statement: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let mut known = Vec::new();
    for pattern in texts(&statement["Action"]).filter(|pattern| *pattern != "*") {
        let actions = find_actions(pattern);
        if actions.is_empty() {
            problems.push(format!("`{pattern}` is no action"));
        }
        known.push((pattern, actions));
    }
    let resources: Vec<&str> = texts(&statement["Resource"]).collect();
    let all_are_texts = list(&statement["Resource"]).len() == resources.len() && !resources.is_empty();
    if all_are_texts && !resources.contains(&"*") {
        for (pattern, actions) in &known {
            let mut formats = actions.iter().flat_map(|action| &action.formats);
            if !actions.is_empty()
                && !formats.any(|format| resources.iter().any(|arn| can_match(arn, format)))
            {
                problems.push(format!("`{pattern}` knows no resource like `{}`", resources.join("`, `")));
            }
        }
        for arn in &resources {
            let mut formats =
                known.iter().flat_map(|(_, actions)| actions).flat_map(|action| &action.formats);
            if !known.is_empty() && !formats.any(|format| can_match(arn, format)) {
                problems.push(format!("no action of the statement knows a resource like `{arn}`"));
            }
        }
    }
    for (operator, keys) in members(&statement["Condition"]) {
        // These are true where the request lacks the key.
        let holds_without = operator.contains("Not") || operator.ends_with("IfExists") || operator == "Null";
        for key in members(keys).map(|(key, _)| key.to_lowercase()) {
            let plain = key.split(['/', '$']).next().unwrap_or_default();
            if plain.starts_with("aws:") || known.is_empty() {
                continue;
            }
            let knows = |action: &Action<'_>| {
                action.conditions.iter().any(|it| plain.starts_with(*it) && !it.is_empty())
            };
            let has = |(_, actions): &&(&str, Vec<Action<'_>>)| actions.iter().any(knows);
            let fits =
                if holds_without { known.iter().any(|it| has(&it)) } else { known.iter().all(|it| has(&it)) };
            if !fits {
                let names: Vec<&str> =
                    known.iter().filter(|it| !has(it)).map(|(pattern, _)| *pattern).collect();
                problems.push(format!("`{}` does not know the condition key `{key}`", names.join("`, `")));
            }
        }
    }
    problems
}

/// The actions that a pattern such as `kms:GenerateDataKey*` names.
fn find_actions(pattern: &str) -> Vec<Action<'static>> {
    let Some((service, name)) = pattern.split_once(':') else { return vec![] };
    let service = &REFERENCE[service.to_lowercase()];
    let all = members(&service["actions"])
        .filter(|(action, _)| can_match(&name.to_lowercase(), &action.to_lowercase()));
    all.map(|(_, facts)| {
        let resources = texts(&facts["resources"]).map(|kind| &service["resources"][kind]);
        let own = texts(&facts["conditions"]);
        let of_resources = resources.clone().flat_map(|kind| texts(&kind["conditions"]));
        Action {
            formats: resources.filter_map(|kind| kind["arn"].as_str()).collect(),
            conditions: own.chain(of_resources).collect(),
        }
    })
    .collect()
}

#[derive(Clone, Copy, PartialEq)]
enum Token {
    Character(char),
    /// Any number of any characters.
    Anything,
    /// The same without `/` and `:`.
    Segment,
}

/// The tokens of a text with `*`, `?` and `${…}`.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some((name, behind)) = rest.strip_prefix("${").and_then(|rest| rest.split_once('}')) {
            tokens.push(if name == "BucketName" { Token::Segment } else { Token::Anything });
            rest = behind;
            continue;
        }
        tokens.push(if first == '*' || first == '?' { Token::Anything } else { Token::Character(first) });
        rest = rest.get(first.len_utf8()..).unwrap_or_default();
    }
    tokens
}

/// Whether some text fits both patterns.
fn can_match(one: &str, other: &str) -> bool {
    let (one, other) = (tokens(one), tokens(other));
    let mut reached = BTreeSet::from([(0, 0)]);
    let mut open = vec![(0, 0)];
    while let Some((i, j)) = open.pop() {
        let (a, b) = (one.get(i).copied(), other.get(j).copied());
        let takes = |token: Option<Token>, c: char| match token {
            Some(Token::Anything) => true,
            Some(Token::Segment) => c != '/' && c != ':',
            _ => false,
        };
        let mut next = Vec::new();
        if matches!(a, Some(Token::Anything | Token::Segment)) {
            next.push((i + 1, j));
        }
        if matches!(b, Some(Token::Anything | Token::Segment)) {
            next.push((i, j + 1));
        }
        match (a, b) {
            (None, None) => return true,
            (Some(Token::Character(x)), Some(Token::Character(y))) if x == y => next.push((i + 1, j + 1)),
            (Some(Token::Character(x)), star) if takes(star, x) => next.push((i + 1, j)),
            (star, Some(Token::Character(y))) if takes(star, y) => next.push((i, j + 1)),
            _ => {}
        }
        open.extend(next.into_iter().filter(|place| reached.insert(*place)));
    }
    false
}

fn list(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        Value::Array(items) => items,
        single => std::slice::from_ref(single),
    }
}

fn texts(value: &Value) -> impl Iterator<Item = &str> + Clone {
    list(value).iter().filter_map(Value::as_str)
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(action: Value, resource: Value, condition: Value) -> Vec<String> {
        problems(&json!({"Effect": "Allow", "Action": action, "Resource": resource, "Condition": condition}))
    }

    #[test]
    fn statements_that_apply() {
        for (action, resource, condition) in [
            (json!("s3:GetObject"), json!("arn:aws:s3:::artifacts/*"), json!({})),
            (
                json!(["s3:GetObject", "s3:ListBucket"]),
                json!(["arn:aws:s3:::b", "arn:aws:s3:::b/*"]),
                json!({}),
            ),
            (json!("kms:GenerateDataKey*"), json!("*"), json!({"StringEquals": {"kms:ViaService": "s3"}})),
            (
                json!("iam:PassRole"),
                json!("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/*"),
                json!({"StringEquals": {"iam:PassedToService": "x", "aws:ResourceAccount": "1"}}),
            ),
        ] {
            assert_eq!(found(action.clone(), resource, condition), Vec::<String>::new(), "{action}");
        }
    }

    #[test]
    fn planted_faults_are_found() {
        assert_eq!(found(json!("s3:GetObjects"), json!("*"), json!({})), ["`s3:GetObjects` is no action"]);
        let arn = found(json!("s3:GetObject"), json!("arn:aws:s3:::artifacts"), json!({}));
        assert!(arn[0].contains("knows no resource like `arn:aws:s3:::artifacts`"), "{arn:?}");
        let surplus =
            found(json!("s3:GetObject"), json!(["arn:aws:s3:::b/*", "arn:aws:sns:r:1:topic"]), json!({}));
        assert!(surplus[0].contains("`arn:aws:sns:r:1:topic`"), "{surplus:?}");
        let key = found(
            json!("s3:GetObject"),
            json!("arn:aws:s3:::b/*"),
            json!({"StringEquals": {"kms:ViaService": "x"}}),
        );
        assert_eq!(key, ["`s3:GetObject` does not know the condition key `kms:viaservice`"]);
    }
}
