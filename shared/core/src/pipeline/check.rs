use serde_json::Value;

use crate::field_error::{FieldError, join_path};

const STRUCTURE: &str = "give the output of `aws codepipeline get-pipeline` or its `pipeline` part";
const FIELD: &str = "see the pipeline structure reference in the CodePipeline User Guide";

/// Checks the fields that the views in `structure` rely on, and no others.
pub(super) fn check_pipeline(value: &Value) -> Result<(), FieldError> {
    if !value.is_object() {
        return Err(field_error("pipeline", wrong_type("an object", value), STRUCTURE));
    }
    for field in ["name", "roleArn", "stages"] {
        if is_absent(value, field) {
            return Err(field_error(field, "is missing".into(), STRUCTURE));
        }
    }
    check_string(value, "", "name")?;
    check_string(value, "", "roleArn")?;
    if let Some(single) = present_member(value, "artifactStore") {
        check_store(single, "artifactStore")?;
    }
    if let Some(regional) = present_member(value, "artifactStores") {
        check_object(regional, "artifactStores")?;
        for (region, entry) in regional.as_object().into_iter().flatten() {
            check_store(entry, &format!("artifactStores.{region}"))?;
        }
    }
    check_each(value, "", "stages", check_stage)
}

/// Checks one action declaration (API casing) found at `path`.
pub(super) fn check_action(value: &Value, path: &str) -> Result<(), FieldError> {
    check_object(value, path)?;
    check_string(value, path, "name")?;
    let type_id = join_path(path, "actionTypeId");
    check_object(value.get("actionTypeId").unwrap_or(&Value::Null), &type_id)?;
    for field in ["category", "owner", "provider", "version"] {
        check_string(value.get("actionTypeId").unwrap_or(&Value::Null), &type_id, field)?;
    }
    for field in ["roleArn", "region", "namespace"] {
        if !is_absent(value, field) {
            check_string(value, path, field)?;
        }
    }
    if let Some(configuration) = present_member(value, "configuration") {
        check_object(configuration, &join_path(path, "configuration"))?;
    }
    if let Some(order) = present_member(value, "runOrder").filter(|order| !order.is_u64()) {
        return Err(field_error(join_path(path, "runOrder"), wrong_type("a whole number", order), FIELD));
    }
    for field in ["inputArtifacts", "outputArtifacts"] {
        if !is_absent(value, field) {
            check_each(value, path, field, |artifact, path| {
                check_object(artifact, path)?;
                check_string(artifact, path, "name")
            })?;
        }
    }
    Ok(())
}

fn check_stage(value: &Value, path: &str) -> Result<(), FieldError> {
    check_object(value, path)?;
    check_string(value, path, "name")?;
    check_each(value, path, "actions", check_action)
}

fn check_store(value: &Value, path: &str) -> Result<(), FieldError> {
    check_object(value, path)?;
    check_string(value, path, "location")?;
    let Some(key) = present_member(value, "encryptionKey") else { return Ok(()) };
    let path = join_path(path, "encryptionKey");
    check_object(key, &path)?;
    check_string(key, &path, "id")
}

fn check_each(
    value: &Value,
    path: &str,
    field: &str,
    check: impl Fn(&Value, &str) -> Result<(), FieldError>,
) -> Result<(), FieldError> {
    let path = join_path(path, field);
    let list = value.get(field).unwrap_or(&Value::Null);
    let entries = list.as_array().ok_or_else(|| field_error(&path, wrong_type("a list", list), FIELD))?;
    entries.iter().enumerate().try_for_each(|(index, entry)| check(entry, &format!("{path}[{index}]")))
}

fn check_object(value: &Value, path: &str) -> Result<(), FieldError> {
    if value.is_object() { Ok(()) } else { Err(field_error(path, wrong_type("an object", value), FIELD)) }
}

fn check_string(value: &Value, path: &str, field: &str) -> Result<(), FieldError> {
    let found = value.get(field).unwrap_or(&Value::Null);
    if found.is_string() {
        Ok(())
    } else {
        Err(field_error(join_path(path, field), wrong_type("a string", found), FIELD))
    }
}

fn is_absent(value: &Value, field: &str) -> bool {
    present_member(value, field).is_none()
}

fn present_member<'a>(value: &'a Value, field: &str) -> Option<&'a Value> {
    value.get(field).filter(|it| !it.is_null())
}

fn wrong_type(wanted: &str, found: &Value) -> String {
    let found = match found {
        Value::Null => return format!("is missing or null, {wanted} is needed"),
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    format!("is {found}, {wanted} is needed")
}

fn field_error(path: impl Into<String>, problem: String, help: &'static str) -> FieldError {
    FieldError::new(path, problem, help)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::pipeline::Pipeline;

    #[test]
    fn error_names_path_and_next_step() {
        let action = json!({"name": 7, "actionTypeId": {}});
        let stages = json!([{"name": "Source", "actions": []}, {"name": "Build", "actions": [action]}]);
        let cases = [
            (json!([]), "`pipeline` is a list, an object is needed; give the output of"),
            (json!({"name": "p", "stages": []}), "`roleArn` is missing; give the output of"),
            (
                json!({"name": "p", "roleArn": "r", "stages": stages}),
                "`stages[1].actions[0].name` is a number, a string is needed; see",
            ),
            (
                json!({"name": "p", "roleArn": "r", "stages": [], "artifactStores": {"eu-west-1": {}}}),
                "`artifactStores.eu-west-1.location` is missing or null, a string is needed; see",
            ),
        ];
        for (input, expected) in cases {
            let message = Pipeline::parse(input).unwrap_err().with_help();
            assert!(message.starts_with(expected), "{message}");
        }
    }
}
