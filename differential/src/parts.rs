//! The parts of a case that differences look at.

use serde_json::Value;

/// The JSON text of a part.
pub(crate) fn text(value: &Value) -> String {
    value.to_string()
}

/// One text, or each of a list.
pub(crate) fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let values = match value {
        Value::Array(values) => values.as_slice(),
        single => std::slice::from_ref(single),
    };
    values.iter().filter_map(Value::as_str)
}

/// Whether a list is there and not empty.
pub(crate) fn has_some(case: &Value, list: &str) -> bool {
    case[list].as_array().is_some_and(|list| !list.is_empty())
}

/// Every policy of a case, wherever it is attached.
pub(crate) fn documents(value: &Value) -> impl Iterator<Item = &Value> {
    let mut found = Vec::new();
    let mut pending = vec![value];
    while let Some(value) = pending.pop() {
        match value {
            Value::Object(members) if members.contains_key("Statement") => found.push(value),
            Value::Object(members) => pending.extend(members.values()),
            Value::Array(entries) => pending.extend(entries),
            _ => {}
        }
    }
    found.into_iter()
}

/// Every statement of every policy.
pub(crate) fn statements(case: &Value) -> impl Iterator<Item = &Value> {
    documents(case).flat_map(statements_of)
}

/// The statements of one policy.
pub(crate) fn statements_of(document: &Value) -> impl Iterator<Item = &Value> {
    match document.get("Statement") {
        Some(Value::Array(entries)) => entries.as_slice(),
        Some(single) => std::slice::from_ref(single),
        None => &[],
    }
    .iter()
}

/// Operator, key and wanted values of every condition.
pub(crate) fn conditions(case: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let blocks = statements(case).filter_map(|statement| statement.get("Condition")?.as_object());
    blocks.flatten().flat_map(|(operator, keys)| {
        let keys = keys.as_object().into_iter().flatten();
        keys.map(move |(key, wanted)| (operator.as_str(), key.as_str(), wanted))
    })
}

/// The value of a condition key in the request.
pub(crate) fn context<'a>(case: &'a Value, key: &str) -> Option<&'a Value> {
    let context = case.get("context")?.as_object()?;
    context.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value)
}

/// The `AWS` principals of a statement.
pub(crate) fn aws_principals(statement: &Value) -> impl Iterator<Item = &str> {
    statement.get("Principal").and_then(|principal| principal.get("AWS")).into_iter().flat_map(texts)
}
