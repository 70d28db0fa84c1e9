//! What a `Principal` or `NotPrincipal` element names.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>.

use serde_json::{Map, Value};

use super::document::{Statement, one_or_many};
use crate::arn::{Arn, is_account_id};

/// One principal named by a policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    /// `*`: everyone, also written `{"AWS": "*"}`.
    Everyone,
    /// A whole account: its root ARN or its bare 12 digits.
    Account(String),
    /// A role, user or session by ARN.
    Arn(Arn),
    /// A unique id (`AROA…`, `AIDA…`): what AWS shows in place of an ARN once the role or user that
    /// it named is deleted. No living principal matches it, not even one re-created under that name.
    UniqueId(String),
    /// A service, `codepipeline.amazonaws.com`.
    Service(String),
    /// A federated or canonical user, or a kind that is not known here: kind and value.
    Other(String, String),
}

/// The principals that one element names.
pub fn named_principals(element: &Value) -> Vec<Named> {
    match element {
        Value::String(text) if text == "*" => vec![Named::Everyone],
        Value::Object(kinds) => kinds.iter().flat_map(|(kind, values)| of_kind(kind, values)).collect(),
        other => vec![Named::Other("Principal".into(), other.to_string())],
    }
}

/// The unique ids that a statement names: its dead principals.
pub fn deleted_principals(statement: Statement<'_>) -> Vec<String> {
    let raw: &Map<String, Value> = statement.raw();
    let elements = ["Principal", "NotPrincipal"].into_iter().filter_map(|name| raw.get(name));
    let principals = elements.flat_map(named_principals);
    principals
        .filter_map(|principal| if let Named::UniqueId(id) = principal { Some(id) } else { None })
        .collect()
}

fn of_kind(kind: &str, values: &Value) -> Vec<Named> {
    let values = one_or_many(values).filter_map(Value::as_str);
    match kind {
        "AWS" => values.map(read_aws_principal).collect(),
        "Service" => values.map(|value| Named::Service(value.to_owned())).collect(),
        _ => values.map(|value| Named::Other(kind.to_owned(), value.to_owned())).collect(),
    }
}

fn read_aws_principal(value: &str) -> Named {
    if value == "*" {
        return Named::Everyone;
    }
    if is_account_id(value) {
        return Named::Account(value.to_owned());
    }
    match Arn::parse(value) {
        Ok(arn) if arn.service() == "iam" && arn.resource() == "root" => {
            Named::Account(arn.account().to_owned())
        }
        Ok(arn) => Named::Arn(arn),
        Err(_) if is_unique_id(value) => Named::UniqueId(value.to_owned()),
        Err(_) => Named::Other("AWS".into(), value.to_owned()),
    }
}

/// Whether the text has the shape of an IAM unique id of a role or user.
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids>.
fn is_unique_id(text: &str) -> bool {
    let (prefix, rest) = text.split_at_checked(4).unwrap_or_default();
    matches!(prefix, "AROA" | "AIDA")
        && rest.len() >= 12
        && rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}
