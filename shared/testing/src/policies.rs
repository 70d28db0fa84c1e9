//! Generated policy documents, in all the odd shapes that AWS accepts.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// A policy document: one statement or a list, with or without `Version` and `Id`, and members from the
/// future.
pub fn document() -> impl Strategy<Value = Value> {
    let version = prop_oneof![Just(None), Just(Some("2008-10-17")), Just(Some("2012-10-17"))];
    let statements = prop_oneof![statement(), vec(statement(), 0..6).prop_map(Value::Array),];
    (version, prop::option::of("[A-Za-z]{1,8}"), statements, any::<bool>()).prop_map(
        |(version, id, statements, future)| {
            let mut root = Map::new();
            root.extend(id.map(|id| ("Id".to_owned(), json!(id))));
            root.extend(version.map(|version| ("Version".to_owned(), json!(version))));
            root.insert("Statement".into(), statements);
            root.extend(future.then(|| ("FutureMember".to_owned(), json!({"kept": [1, null]}))));
            Value::Object(root)
        },
    )
}

/// One statement of a resource policy.
pub fn statement() -> impl Strategy<Value = Value> {
    let sid = prop::option::of(prop_oneof![Just(String::new()), "[A-Za-z0-9 ]{1,12}"]);
    let effect = prop_oneof![Just("Allow"), Just("Deny")];
    let actions = prop_oneof![Just("Action"), Just("NotAction")];
    let resources = prop_oneof![Just("Resource"), Just("NotResource")];
    let condition = prop::option::of(condition());
    (
        sid,
        effect,
        principal(),
        (actions, one_or_many("(s3|kms|S3):[A-Z][a-z]{2,8}\\*?")),
        (resources, one_or_many("arn:aws:s3:::[a-z]{3,6}(/\\*)?")),
        condition,
        any::<bool>(),
    )
        .prop_map(
            |(sid, effect, principal, (action, actions), (resource, resources), condition, future)| {
                let mut statement = Map::new();
                statement.extend(sid.map(|sid| ("Sid".to_owned(), json!(sid))));
                statement.insert("Effect".into(), json!(effect));
                statement.insert("Principal".into(), principal);
                statement.insert(action.into(), actions);
                statement.insert(resource.into(), resources);
                statement.extend(condition.map(|condition| ("Condition".to_owned(), condition)));
                statement.extend(future.then(|| ("FutureElement".to_owned(), json!(["kept"]))));
                Value::Object(statement)
            },
        )
}

/// What S3, IAM and KMS may make of a document they are given: same meaning, other text.
pub fn rewritten_by_aws(document: &Value) -> Value {
    let mut document = document.clone();
    let Some(statements) = document.get_mut("Statement") else { return document };
    if let Value::Array(list) = statements {
        list.reverse();
        list.iter_mut().for_each(rewrite_statement);
    } else {
        rewrite_statement(statements);
        *statements = json!([statements.clone()]);
    }
    document
}

fn rewrite_statement(statement: &mut Value) {
    let Some(elements) = statement.as_object_mut() else { return };
    for (name, value) in elements.iter_mut() {
        match name.as_str() {
            "Action" | "NotAction" | "Resource" | "NotResource" => rewrite_list(value),
            "Principal" if value != "*" => {
                for values in value.as_object_mut().into_iter().flat_map(|kinds| kinds.values_mut()) {
                    rewrite_list(values);
                    rewrite_account(values);
                }
            }
            _ => {}
        }
    }
}

/// Lists of one collapse, others change their order.
fn rewrite_list(value: &mut Value) {
    if let Value::Array(list) = value {
        list.reverse();
        if let [single] = list.as_slice() {
            *value = single.clone();
        }
    }
}

fn rewrite_account(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(rewrite_account),
        Value::String(text) if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) => {
            *text = format!("arn:aws:iam::{text}:root");
        }
        _ => {}
    }
}

fn principal() -> impl Strategy<Value = Value> {
    let aws = "([0-9]{12}|arn:aws:iam::[0-9]{12}:(root|role/[a-z]{1,5})|\\*)";
    prop_oneof![
        Just(json!("*")),
        one_or_many(aws).prop_map(|value| json!({ "AWS": value })),
        (one_or_many(aws), one_or_many("[a-z]{3}\\.amazonaws\\.com"))
            .prop_map(|(aws, service)| json!({"Service": service, "AWS": aws})),
    ]
}

fn condition() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({})),
        Just(json!({"Bool": {"aws:SecureTransport": false}})),
        Just(json!({"Bool": {"aws:SecureTransport": ["false"]}, "NumericLessThan": {"s3:max-keys": 10}})),
        one_or_many("o-[a-z0-9]{10}").prop_map(|id| json!({"StringEquals": {"aws:PrincipalOrgID": id}})),
    ]
}

fn one_or_many(pattern: &'static str) -> impl Strategy<Value = Value> {
    prop_oneof![pattern.prop_map(|text| json!(text)), vec(pattern, 1..4).prop_map(|texts| json!(texts)),]
}
