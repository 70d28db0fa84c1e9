//! As much of JSON Schema (draft 7) as SARIF's schema needs; a keyword that is not known here is a failure.

use std::collections::BTreeSet;

use serde_json::Value;

/// What of `value` the schema does not allow, one line each.
pub(crate) fn faults(root: &Value, value: &Value) -> Vec<String> {
    let mut faults = vec![];
    check(root, root, value, "", &mut faults);
    faults
}

fn check(root: &Value, schema: &Value, value: &Value, path: &str, faults: &mut Vec<String>) {
    let mut fault = |what: String| faults.push(format!("{path}: {what}"));
    for (keyword, rule) in schema.as_object().unwrap() {
        let holds = match keyword.as_str() {
            "$schema"
            | "$id"
            | "title"
            | "description"
            | "default"
            | "definitions"
            | "additionalProperties" => true,
            "type" => is_type(rule.as_str().unwrap(), value),
            "enum" => rule.as_array().unwrap().contains(value),
            "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
            "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= rule.as_u64().unwrap()),
            "uniqueItems" => value.as_array().is_none_or(|items| {
                items.len() == items.iter().map(Value::to_string).collect::<BTreeSet<_>>().len()
            }),
            "required" => value.as_object().is_none_or(|members| {
                rule.as_array().unwrap().iter().all(|name| members.contains_key(name.as_str().unwrap()))
            }),
            "format" => value.as_str().is_none_or(|text| !text.contains([' ', '\\', '"', '\n'])),
            "anyOf" => count(root, rule, value) > 0,
            "oneOf" => count(root, rule, value) == 1,
            // Below, since they go deeper.
            "$ref" | "properties" | "items" => true,
            other => panic!("`{other}` of the schema is not judged"),
        };
        if !holds {
            fault(format!("`{keyword}` {rule} does not hold for {value}"));
        }
    }
    if let Some(reference) = schema.get("$ref") {
        let target = root.pointer(reference.as_str().unwrap().trim_start_matches('#')).unwrap();
        check(root, target, value, path, faults);
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        let path = format!("{path}/{name}");
        match (schema.pointer(&format!("/properties/{name}")), schema.get("additionalProperties")) {
            (Some(schema), _) => check(root, schema, member, &path, faults),
            (None, Some(Value::Bool(false))) => faults.push(format!("{path}: there is no such member")),
            (None, Some(schema @ Value::Object(_))) => check(root, schema, member, &path, faults),
            (None, _) => {}
        }
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        if let Some(schema) = schema.get("items") {
            check(root, schema, item, &format!("{path}/{index}"), faults);
        }
    }
}

fn count(root: &Value, schemas: &Value, value: &Value) -> usize {
    let fits = |schema: &&Value| {
        let mut faults = vec![];
        check(root, schema, value, "", &mut faults);
        faults.is_empty()
    };
    schemas.as_array().unwrap().iter().filter(fits).count()
}

fn is_type(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        other => panic!("type `{other}` of the schema is not judged"),
    }
}
