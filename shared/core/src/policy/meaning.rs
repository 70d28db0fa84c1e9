//! Comparison by meaning.
//!
//! S3, IAM and KMS rewrite what they are given: lists of one collapse to a string, lists are
//! reordered, a bare account id becomes the account's root ARN. Two documents mean the same when
//! their normal forms are equal.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::document::{PolicyDocument, one_or_many, scalar_text};
use super::principal::{self, Named};

/// Whether two documents mean the same. The order of statements does not matter to AWS, nor here.
pub fn have_same_meaning(a: &PolicyDocument, b: &PolicyDocument) -> bool {
    a.version() == b.version() && other_members(a) == other_members(b) && normal_forms(a) == normal_forms(b)
}

/// Whether two statements mean the same.
pub fn same_statement(a: &Map<String, Value>, b: &Map<String, Value>) -> bool {
    normal_form(a) == normal_form(b)
}

fn other_members(document: &PolicyDocument) -> BTreeMap<&String, &Value> {
    document.members().filter(|(name, _)| *name != "Version").collect()
}

fn normal_forms(document: &PolicyDocument) -> Vec<NormalForm> {
    let mut forms: Vec<NormalForm> =
        document.statements().map(|statement| normal_form(statement.raw())).collect();
    forms.sort();
    forms
}

type NormalForm = BTreeMap<String, Element>;

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Element {
    Strings(BTreeSet<String>),
    Principals(BTreeSet<Named>),
    /// Operator and lower-case key to the set of values.
    Conditions(BTreeMap<(String, String), BTreeSet<String>>),
    /// What is not known here is compared as it stands.
    Verbatim(String),
}

fn normal_form(statement: &Map<String, Value>) -> NormalForm {
    let elements = statement.iter().filter(|(name, value)| !is_void(name, value));
    elements.map(|(name, value)| (name.clone(), normalize_element(name, value))).collect()
}

/// An empty Sid and an empty Condition say nothing.
fn is_void(name: &str, value: &Value) -> bool {
    match name {
        "Sid" => value.as_str() == Some(""),
        "Condition" => value.as_object().is_some_and(Map::is_empty),
        _ => false,
    }
}

fn normalize_element(name: &str, value: &Value) -> Element {
    match name {
        // Action names are case-insensitive.
        "Action" | "NotAction" => Element::Strings(
            one_or_many(value).map(|action| scalar_text(action).to_ascii_lowercase()).collect(),
        ),
        "Resource" | "NotResource" => Element::Strings(one_or_many(value).map(element_text).collect()),
        "Principal" | "NotPrincipal" => {
            Element::Principals(principal::named_principals(value).into_iter().collect())
        }
        "Condition" => normalize_conditions(value)
            .map_or_else(|| Element::Verbatim(value.to_string()), Element::Conditions),
        _ => Element::Verbatim(value.to_string()),
    }
}

fn element_text(value: &Value) -> String {
    scalar_text(value).into_owned()
}

fn normalize_conditions(block: &Value) -> Option<BTreeMap<(String, String), BTreeSet<String>>> {
    let mut all = BTreeMap::new();
    for (operator, keys) in block.as_object()? {
        for (key, values) in keys.as_object()? {
            // Condition keys are case-insensitive, operators are not.
            let place: &mut BTreeSet<String> =
                all.entry((operator.clone(), key.to_ascii_lowercase())).or_default();
            place.extend(one_or_many(values).map(element_text));
        }
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(a: Value, b: Value, expected: bool) {
        let [a, b] = [a, b].map(|statement| {
            PolicyDocument::from_value(json!({"Version": "2012-10-17", "Statement": statement})).unwrap()
        });
        assert_eq!(have_same_meaning(&a, &b), expected, "{} / {}", a.to_json(), b.to_json());
    }

    #[test]
    fn what_aws_rewrites_means_the_same() {
        check(json!({"Action": ["s3:GetObject"]}), json!([{"Action": "S3:getobject"}]), true);
        check(
            json!({"Principal": {"AWS": "111122223333"}}),
            json!({"Principal": {"AWS": ["arn:aws:iam::111122223333:root"]}}),
            true,
        );
        check(json!({"Principal": "*"}), json!({"Principal": {"AWS": "*"}}), true);
        check(json!({"Resource": ["a", "b"]}), json!({"Resource": ["b", "a", "a"]}), true);
        check(
            json!({"Condition": {"Bool": {"aws:SecureTransport": false}}}),
            json!({"Condition": {"Bool": {"AWS:SecureTransport": ["false"]}}, "Sid": ""}),
            true,
        );
        check(json!([{"Sid": "A"}, {"Sid": "B"}]), json!([{"Sid": "B"}, {"Sid": "A"}]), true);
    }

    #[test]
    fn what_differs_is_seen() {
        check(json!({"Resource": "a"}), json!({"Resource": "A"}), false);
        check(json!({"Principal": "*"}), json!({"NotPrincipal": "*"}), false);
        check(json!({"Sid": "A"}), json!([{"Sid": "A"}, {"Sid": "A"}]), false);
        check(json!({"Future": {"x": 1}}), json!({"Future": {"x": 2}}), false);
        check(
            json!({"Principal": {"AWS": "AROAEXAMPLEID123456"}}),
            json!({"Principal": {"AWS": "*"}}),
            false,
        );
    }

    #[test]
    fn missing_version_means_2008() {
        let [old, none, new] = [
            json!({"Version": "2008-10-17", "Statement": []}),
            json!({"Statement": []}),
            json!({"Version": "2012-10-17", "Statement": []}),
        ]
        .map(|value| PolicyDocument::from_value(value).unwrap());
        assert!(have_same_meaning(&old, &none));
        assert!(!have_same_meaning(&none, &new));
    }
}
