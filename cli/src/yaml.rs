//! YAML of templates as JSON.

use saphyr::{LoadableYamlNode, Scalar, ScanError, Yaml};
use serde_json::{Map, Value, json};

/// Why a text can't be read as JSON.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum YamlError {
    /// It is something else.
    #[error("it is not YAML: {0}")]
    NotYaml(#[from] ScanError),
    /// There is no document in it.
    #[error("it is empty")]
    Empty,
    /// An alias, `*name`, without its anchor.
    #[error("it has an alias that names nothing")]
    Alias,
    /// A key that is a list or a mapping.
    #[error("a key in it is not a text")]
    Key,
}

/// Reads the first document of a YAML text. CloudFormation's short forms become the long ones: `!Ref X` is
/// `{"Ref": "X"}`, `!Sub X` is `{"Fn::Sub": "X"}`.
///
/// # Errors
/// When it is not YAML, or has what JSON has no form for.
pub(crate) fn to_json(text: &str) -> Result<Value, YamlError> {
    let documents = Yaml::load_from_str(text)?;
    documents.first().map_or(Err(YamlError::Empty), value_json)
}

fn value_json(yaml: &Yaml<'_>) -> Result<Value, YamlError> {
    Ok(match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(it)) => json!(it),
        Yaml::Value(Scalar::Integer(it)) => json!(it),
        Yaml::Value(Scalar::FloatingPoint(it)) => json!(it.into_inner()),
        Yaml::Value(Scalar::String(it)) | Yaml::Representation(it, ..) => json!(it),
        Yaml::Sequence(items) => Value::Array(items.iter().map(value_json).collect::<Result<_, _>>()?),
        Yaml::Mapping(members) => {
            let member = |(name, member): (&Yaml<'_>, &Yaml<'_>)| Ok((key_text(name)?, value_json(member)?));
            Value::Object(members.iter().map(member).collect::<Result<Map<_, _>, YamlError>>()?)
        }
        Yaml::Tagged(tag, inner) => match (tag.handle.as_str(), tag.suffix.as_str()) {
            ("!", "Ref") => json!({"Ref": value_json(inner)?}),
            ("!", "Condition") => json!({"Condition": value_json(inner)?}),
            ("!", name) => json!({format!("Fn::{name}"): value_json(inner)?}),
            _ => value_json(inner)?,
        },
        Yaml::Alias(_) | Yaml::BadValue => return Err(YamlError::Alias),
    })
}

fn key_text(yaml: &Yaml<'_>) -> Result<String, YamlError> {
    match value_json(yaml)? {
        Value::String(text) => Ok(text),
        scalar @ (Value::Bool(_) | Value::Number(_)) => Ok(scalar.to_string()),
        _ => Err(YamlError::Key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_become_long_ones() {
        let yaml = "Type: Custom::ArtifactKeyGrant\nProperties:\n  ServiceToken: !ImportValue x\n  KeyArn: !Ref Key\n  \
                    TargetAccounts: ['012345678901', \"222222222222\"]\n  Deep: {a: [1, true, null, 1.5]}\n";
        let expected = json!({
            "Type": "Custom::ArtifactKeyGrant",
            "Properties": {
                "ServiceToken": {"Fn::ImportValue": "x"}, "KeyArn": {"Ref": "Key"},
                "TargetAccounts": ["012345678901", "222222222222"], "Deep": {"a": [1, true, null, 1.5]},
            }
        });
        assert_eq!(to_json(yaml), Ok(expected));
    }

    #[test]
    fn what_is_no_yaml_is_refused() {
        for text in ["", "a: b: c", "{", "a: *b"] {
            assert!(to_json(text).is_err(), "{text}");
        }
    }
}
