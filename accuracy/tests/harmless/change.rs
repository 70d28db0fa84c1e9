//! Changes of a world.

use crosspipe_accuracy::names::resolve;
use crosspipe_accuracy::world::set;
use serde_json::{Value, json};

/// A change that changes nothing about who may do what.
pub(crate) type Change = fn(&mut Value);

pub(crate) const USE: [&str; 5] =
    ["kms:DescribeKey", "kms:GenerateDataKey*", "kms:Encrypt", "kms:ReEncrypt*", "kms:Decrypt"];

/// Every policy document, wherever it is.
pub(crate) fn each_policy(value: &mut Value, change: &dyn Fn(&mut Value)) {
    if value.get("Statement").is_some() {
        change(value);
    } else if let Some(members) = value.as_object_mut() {
        members.values_mut().for_each(|member| each_policy(member, change));
    } else if let Some(elements) = value.as_array_mut() {
        elements.iter_mut().for_each(|element| each_policy(element, change));
    }
}

pub(crate) fn each_statement(world: &mut Value, change: &dyn Fn(&mut Value)) {
    each_policy(world, &|policy| match &mut policy["Statement"] {
        Value::Array(statements) => statements.iter_mut().for_each(change),
        statement => change(statement),
    });
}

/// Replaces a text wherever it stands as a whole.
pub(crate) fn replace(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) if text == from => *text = to.to_owned(),
        Value::Array(elements) => elements.iter_mut().for_each(|element| replace(element, from, to)),
        Value::Object(members) => members.values_mut().for_each(|member| replace(member, from, to)),
        _ => {}
    }
}

pub(crate) fn put(world: &mut Value, path: &str, value: Value) {
    set(world, path, serde_json::from_str(&resolve(&value.to_string())).unwrap()).unwrap();
}

/// Lets the target in on key and bucket by other words than the name of its account.
pub(crate) fn grant(world: &mut Value, principal: &str, condition: Value) {
    let objects = "arn:aws:s3:::$BUCKET/*";
    let to = |action: Value, resource: &str| json!({"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource, "Condition": condition});
    put(world, "key policy > Target", to(json!(USE), "*"));
    put(world, "bucket policy > TargetObjects", to(json!(["s3:Get*", "s3:Put*"]), objects));
    put(world, "bucket policy > TargetBucket", to(json!("s3:ListBucket"), "arn:aws:s3:::$BUCKET"));
}

pub(crate) fn deny(world: &mut Value, action: Value, condition: Value) {
    put(
        world,
        "bucket policy > More",
        json!({"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": action, "Resource": ["arn:aws:s3:::$BUCKET", "arn:aws:s3:::$BUCKET/*"], "Condition": condition}),
    );
}

pub(crate) fn organization(world: &mut Value) {
    let member = json!({"paths": ["o-aaaa111122/r-ab12/ou-ab12-11111111/"]});
    put(world, "organization", json!({"id": "o-aaaa111122", "accounts": {"$A": member, "$B": member}}));
}
