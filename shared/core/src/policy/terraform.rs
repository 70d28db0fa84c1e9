//! Statements as Terraform writes them: blocks of its data source `aws_iam_policy_document`.
//!
//! See <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document>.

use std::fmt::Write;

use serde_json::Value;

/// The elements that become an attribute, in the order of a statement.
const LISTS: [(&str, &str); 4] = [
    ("Action", "actions"),
    ("NotAction", "not_actions"),
    ("Resource", "resources"),
    ("NotResource", "not_resources"),
];

/// The `statement` block that stands for a statement in JSON. Elements that IAM does not know are left out.
#[must_use]
pub fn statement_block(statement: &Value) -> String {
    let mut text = "statement {\n".to_owned();
    for (element, attribute) in [("Sid", "sid"), ("Effect", "effect")] {
        // Terraform's default.
        if let Some(value) = statement.get(element).and_then(Value::as_str).filter(|it| *it != "Allow") {
            let _ = writeln!(text, "  {attribute} = {}", quoted(value));
        }
    }
    for (element, block) in [("Principal", "principals"), ("NotPrincipal", "not_principals")] {
        if let Some(principals) = statement.get(element) {
            push_principals(&mut text, block, principals);
        }
    }
    for (element, attribute) in LISTS {
        if let Some(values) = statement.get(element) {
            let _ = writeln!(text, "  {attribute} = {}", list(values));
        }
    }
    for (test, keys) in statement.get("Condition").and_then(Value::as_object).into_iter().flatten() {
        for (variable, values) in keys.as_object().into_iter().flatten() {
            let _ = write!(
                text,
                "  condition {{\n    test     = {}\n    variable = {}\n    values   = {}\n  }}\n",
                quoted(test),
                quoted(variable),
                list(values)
            );
        }
    }
    text.push('}');
    text
}

fn push_principals(text: &mut String, block: &str, principals: &Value) {
    let everybody = Value::from("*");
    let by_type: Vec<(&str, &Value)> = match principals {
        Value::Object(types) => types.iter().map(|(kind, values)| (kind.as_str(), values)).collect(),
        _ => vec![("*", &everybody)],
    };
    for (kind, identifiers) in by_type {
        let _ = write!(
            text,
            "  {block} {{\n    type        = {}\n    identifiers = {}\n  }}\n",
            quoted(kind),
            list(identifiers)
        );
    }
}

/// One value or many, as a list.
fn list(values: &Value) -> String {
    let one = |value: &Value| quoted(&value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    match values.as_array().map(Vec::as_slice) {
        Some([]) => "[]".to_owned(),
        Some([value]) => format!("[{}]", one(value)),
        Some(values) => format!("[{}]", values.iter().map(one).collect::<Vec<_>>().join(", ")),
        None => format!("[{}]", one(values)),
    }
}

/// A string of Terraform. IAM's policy variables (`${…}`) are `&{…}` in this data source; what would be a template
/// of Terraform's own is escaped.
fn quoted(value: &str) -> String {
    let value = value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
    format!("\"{}\"", value.replace("${", "&{").replace("%{", "%%{"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_element_has_its_block() {
        let statement = json!({
            "Sid": "TargetAccount", "Effect": "Deny",
            "Principal": {"AWS": ["arn:aws:iam::222222222222:root", "arn:aws:iam::333333333333:root"]},
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": "arn:aws:s3:::artifacts/*",
            "Condition": {"Bool": {"aws:SecureTransport": false}, "StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
        });
        assert_eq!(
            statement_block(&statement),
            r#"statement {
  sid = "TargetAccount"
  effect = "Deny"
  principals {
    type        = "AWS"
    identifiers = ["arn:aws:iam::222222222222:root", "arn:aws:iam::333333333333:root"]
  }
  actions = ["s3:GetObject", "s3:PutObject"]
  resources = ["arn:aws:s3:::artifacts/*"]
  condition {
    test     = "Bool"
    variable = "aws:SecureTransport"
    values   = ["false"]
  }
  condition {
    test     = "StringEquals"
    variable = "aws:PrincipalOrgID"
    values   = ["o-a1b2c3d4e5"]
  }
}"#
        );
    }

    #[test]
    fn everybody_is_a_type_of_its_own() {
        let statement = json!({"Effect": "Allow", "Principal": "*", "NotAction": "iam:*", "NotResource": []});
        assert_eq!(
            statement_block(&statement),
            "statement {\n  principals {\n    type        = \"*\"\n    identifiers = [\"*\"]\n  }\n  \
             not_actions = [\"iam:*\"]\n  not_resources = []\n}"
        );
    }

    #[test]
    fn policy_variables_are_no_templates() {
        let statement = json!({"Resource": "arn:aws:s3:::b/${aws:username}/%{if}/\"quoted\\\""});
        assert_eq!(
            statement_block(&statement),
            "statement {\n  resources = [\"arn:aws:s3:::b/&{aws:username}/%%{if}/\\\"quoted\\\\\\\"\"]\n}"
        );
    }
}
