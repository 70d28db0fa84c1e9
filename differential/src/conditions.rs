//! Condition keys of requests and `Condition` blocks of statements.

use serde_json::{Map, Value, json};

use crate::keys::{KEYS, Key, Type};
use crate::random::Random;

/// Some of the keys, with values.
pub(crate) fn context(random: &mut Random) -> Map<String, Value> {
    let mut context = Map::new();
    for key in KEYS.iter().filter(|key| !key.values.is_empty()) {
        if random.percent(40) {
            continue;
        }
        let value = if key.kind == Type::Many {
            // Each value at most once, sometimes none at all.
            json!(key.values.iter().filter(|_| random.percent(50)).collect::<Vec<_>>())
        } else {
            json!(random.text(key.values))
        };
        context.insert(key.name.to_owned(), value);
    }
    context
}

/// A `Condition` block.
pub(crate) fn block(random: &mut Random) -> Value {
    let mut block = Map::new();
    for _ in 0..=random.below(2) {
        let Some(key) = random.pick(KEYS) else { continue };
        let operator = operator(key.kind, random);
        let name = if random.percent(10) { key.name.to_ascii_uppercase() } else { key.name.to_owned() };
        let wanted =
            if operator == "Null" { json!(random.text(&["true", "false"])) } else { wanted(key, random) };
        let keys = block.entry(operator).or_insert_with(|| json!({}));
        if let Some(keys) = keys.as_object_mut() {
            keys.insert(name, wanted);
        }
    }
    Value::Object(block)
}

fn operator(kind: Type, random: &mut Random) -> String {
    if random.percent(8) {
        return "Null".to_owned();
    }
    const STRINGS: &[&str] = &[
        "StringEquals",
        "StringNotEquals",
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
        "StringLike",
        "StringNotLike",
    ];
    const NUMBERS: &[&str] = &[
        "NumericEquals",
        "NumericNotEquals",
        "NumericLessThan",
        "NumericLessThanEquals",
        "NumericGreaterThan",
        "NumericGreaterThanEquals",
    ];
    const DATES: &[&str] = &[
        "DateEquals",
        "DateNotEquals",
        "DateLessThan",
        "DateLessThanEquals",
        "DateGreaterThan",
        "DateGreaterThanEquals",
    ];
    let base = match kind {
        Type::Text | Type::Many => random.text(STRINGS),
        Type::Bool => "Bool",
        Type::Number => random.text(NUMBERS),
        Type::Date => random.text(DATES),
        Type::Ip => random.text(&["IpAddress", "NotIpAddress"]),
        Type::Arn => {
            random.text(&["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "StringLike", "StringEquals"])
        }
        Type::Binary => "BinaryEquals",
    };
    let set = match kind {
        Type::Many if random.percent(96) => random.text(&["ForAnyValue:", "ForAllValues:"]),
        Type::Text if random.percent(6) => random.text(&["ForAnyValue:", "ForAllValues:"]),
        _ => "",
    };
    let suffix = if random.percent(15) { "IfExists" } else { "" };
    format!("{set}{base}{suffix}")
}

fn wanted(key: &Key, random: &mut Random) -> Value {
    let mut one = || {
        let from = if key.values.is_empty() || random.percent(45) { key.wanted } else { key.values };
        let text = random.text(if from.is_empty() { key.values } else { from });
        match key.kind {
            // Booleans and numbers stand unquoted now and then.
            Type::Bool if random.percent(40) => json!(text.eq_ignore_ascii_case("true")),
            Type::Number if random.percent(40) => {
                text.parse::<i64>().map_or(json!(text), |number| json!(number))
            }
            _ => json!(text),
        }
    };
    let values: Vec<Value> = vec![one(), one(), one()];
    match random.below(10) {
        0..6 => values.into_iter().next().unwrap_or_default(),
        6..9 => Value::Array(values.into_iter().take(2).collect()),
        _ => Value::Array(values),
    }
}
