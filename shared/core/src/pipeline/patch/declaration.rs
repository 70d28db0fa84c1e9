use serde_json::{Map, Value};

use super::planning::check_name;
use crate::field_error::{FieldError, join_path};

type Converted = Result<Value, FieldError>;

/// Turns an action as `AWS::CodePipeline::Pipeline` declares it (`ActionTypeId`, `InputArtifacts`, …) into the
/// API's casing.
///
/// CloudFormation hands all scalars to a custom resource as strings: `RunOrder` and `TimeoutInMinutes` become
/// numbers again. Keys of `Configuration` stay as they are; its values become strings, a list or an object
/// its JSON text, as CodePipeline wants it. Properties that are not known here are turned as they come.
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-codepipeline-pipeline-actiondeclaration.html>.
///
/// # Errors
/// Names the property by its path inside the action; put the way to the action in front with
/// [`FieldError::within`].
pub fn declaration_from_cloudformation(action: &Value) -> Result<Value, FieldError> {
    let converted = convert_object(action, "", convert_property)?;
    for field in ["Name", "ActionTypeId"] {
        if converted.get(lower_camel(field)).is_none() {
            return Err(FieldError::new(field, "is missing", "every action needs it"));
        }
    }
    check_name(converted.get("name").and_then(Value::as_str).unwrap_or_default(), "Name")?;
    Ok(converted)
}

fn convert_property(key: &str, value: &Value, path: &str) -> Converted {
    match key {
        "name" | "namespace" | "region" | "roleArn" => convert_text(value, path),
        "actionTypeId" => {
            let converted = convert_object(value, path, |_, value, path| convert_text(value, path))?;
            for field in ["Category", "Owner", "Provider", "Version"] {
                if converted.get(lower_camel(field)).is_none() {
                    return Err(FieldError::new(
                        join_path(path, field),
                        "is missing",
                        "an action type has all four fields",
                    ));
                }
            }
            Ok(converted)
        }
        "configuration" => convert_configuration(value, path),
        "inputArtifacts" | "outputArtifacts" => convert_list(value, path, convert_artifact),
        "runOrder" => convert_number(value, path, 1, 999),
        "timeoutInMinutes" => convert_number(value, path, 5, 86_400),
        "commands" | "outputVariables" => convert_list(value, path, convert_text),
        "environmentVariables" => {
            convert_list(value, path, |variable, path| convert_object(variable, path, scalar_or_nested))
        }
        _ => convert_nested(value, path),
    }
}

fn convert_artifact(value: &Value, path: &str) -> Converted {
    let converted = convert_object(value, path, scalar_or_nested)?;
    match converted.get("name") {
        Some(Value::String(name)) if !name.is_empty() => Ok(converted),
        _ => Err(FieldError::new(join_path(path, "Name"), "is missing", "name the artifact")),
    }
}

fn convert_configuration(value: &Value, path: &str) -> Converted {
    let entries = value.as_object().ok_or_else(|| {
        FieldError::new(path, "is not an object of configuration keys", "give each key a value")
    })?;
    let texts = entries.iter().map(|(key, value)| {
        let text = match value {
            Value::Null => {
                return Err(FieldError::new(
                    join_path(path, key),
                    "is null",
                    "give it a value or leave it out",
                ));
            }
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Ok((key.clone(), Value::String(text)))
    });
    texts.collect::<Result<Map<_, _>, _>>().map(Value::Object)
}

fn convert_number(value: &Value, path: &str, least: u64, most: u64) -> Converted {
    let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok());
    let number = number.filter(|number| (least..=most).contains(number));
    number.map(Value::from).ok_or_else(|| {
        FieldError::new(
            path,
            format!("is {value}, not a whole number from {least} to {most}"),
            "give such a number",
        )
    })
}

fn convert_text(value: &Value, path: &str) -> Converted {
    match value {
        Value::String(text) if !text.is_empty() => Ok(value.clone()),
        Value::Number(number) => Ok(number.to_string().into()),
        _ => Err(FieldError::new(path, "is not a text", "give a text")),
    }
}

fn scalar_or_nested(_: &str, value: &Value, path: &str) -> Converted {
    if value.is_number() { convert_text(value, path) } else { convert_nested(value, path) }
}

fn convert_nested(value: &Value, path: &str) -> Converted {
    match value {
        Value::Object(_) => convert_object(value, path, |_, value, path| convert_nested(value, path)),
        Value::Array(_) => convert_list(value, path, convert_nested),
        scalar => Ok(scalar.clone()),
    }
}

fn convert_list(value: &Value, path: &str, convert: impl Fn(&Value, &str) -> Converted) -> Converted {
    let entries = value.as_array().ok_or_else(|| FieldError::new(path, "is not a list", "give a list"))?;
    let converted =
        entries.iter().enumerate().map(|(index, entry)| convert(entry, &format!("{path}[{index}]")));
    converted.collect::<Result<_, _>>().map(Value::Array)
}

// Converts every field by its new key; `AWS::NoValue` leaves none, so a null counts as absent.
fn convert_object(value: &Value, path: &str, convert: impl Fn(&str, &Value, &str) -> Converted) -> Converted {
    let fields =
        value.as_object().ok_or_else(|| FieldError::new(path, "is not an object", "give an object"))?;
    let mut converted = Map::new();
    for (key, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        let path = join_path(path, key);
        let key = lower_camel(key);
        let value = convert(&key, value, &path)?;
        if converted.insert(key, value).is_some() {
            return Err(FieldError::new(&path, "is given twice, in two casings", "remove one"));
        }
    }
    Ok(Value::Object(converted))
}

fn lower_camel(key: &str) -> String {
    let mut chars = key.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cloudformation_casing_becomes_api_casing() {
        let action = json!({
            "Name": "Deploy",
            "ActionTypeId": {"Category": "Deploy", "Owner": "AWS", "Provider": "CodeDeploy", "Version": "1"},
            "InputArtifacts": [{"Name": "App"}],
            "OutputArtifacts": [{"Name": "Out", "Files": ["a/**"]}],
            "Configuration": {"ApplicationName": "app", "parameterOverrides": {"Size": "2"}, "Wait": true},
            "Commands": ["make, all"],
            "EnvironmentVariables": [{"Name": "A", "Value": "b", "Type": "PLAINTEXT"}],
            "RunOrder": "2",
            "TimeoutInMinutes": "15",
            "RoleArn": "arn:aws:iam::222222222222:role/CrossAccount_Role",
            "NewThing": {"InnerList": [{"DeepKey": "x"}]},
        });
        let expected = json!({
            "name": "Deploy",
            "actionTypeId": {"category": "Deploy", "owner": "AWS", "provider": "CodeDeploy", "version": "1"},
            "inputArtifacts": [{"name": "App"}],
            "outputArtifacts": [{"name": "Out", "files": ["a/**"]}],
            "configuration": {"ApplicationName": "app", "parameterOverrides": "{\"Size\":\"2\"}", "Wait": "true"},
            "commands": ["make, all"],
            "environmentVariables": [{"name": "A", "value": "b", "type": "PLAINTEXT"}],
            "runOrder": 2,
            "timeoutInMinutes": 15,
            "roleArn": "arn:aws:iam::222222222222:role/CrossAccount_Role",
            "newThing": {"innerList": [{"deepKey": "x"}]},
        });
        assert_eq!(declaration_from_cloudformation(&action), Ok(expected));
    }

    #[test]
    fn faults_are_named_by_their_path() {
        let kind = json!({"Category": "Deploy", "Owner": "AWS", "Provider": "S3", "Version": "1"});
        let cases = [
            (json!("x"), "`A` is not an object"),
            (json!({"ActionTypeId": kind}), "`A.Name` is missing"),
            (json!({"Name": "x y", "ActionTypeId": kind}), "`A.Name` is `x y`; a name is"),
            (json!({"Name": "x"}), "`A.ActionTypeId` is missing"),
            (
                json!({"Name": "x", "ActionTypeId": {"Category": "c", "Owner": "AWS"}}),
                "`A.ActionTypeId.Provider` is",
            ),
            (
                json!({"Name": "x", "ActionTypeId": kind, "RunOrder": "0"}),
                "`A.RunOrder` is \"0\", not a whole",
            ),
            (
                json!({"Name": "x", "ActionTypeId": kind, "InputArtifacts": "App"}),
                "`A.InputArtifacts` is not a list",
            ),
            (
                json!({"Name": "x", "ActionTypeId": kind, "InputArtifacts": [{"Nam": "App"}]}),
                "`A.InputArtifacts[0].Name` is missing",
            ),
            (json!({"Name": "x", "name": "x", "ActionTypeId": kind}), "`A.name` is given twice"),
        ];
        for (action, expected) in cases {
            let message = declaration_from_cloudformation(&action).unwrap_err().within("A").with_help();
            assert!(message.starts_with(expected), "{message}");
        }
    }
}
