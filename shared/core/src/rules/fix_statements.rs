//! The statements that fixes add: for one principal, or for a role's own policies.

use serde_json::{Value, json};

use super::facts::Facts;
use crate::arn::{self, Arn};
use crate::grants::bucket;
use crate::grants::key::ACTIONS;
use crate::pipeline::Store;

/// The statements that let a role read artifacts, or read and write them; in its own policies without a principal.
pub(super) fn use_statements<'a>(
    facts: &Facts<'a>,
    store: &Store<'a>,
    writes: bool,
    principal: Option<&str>,
) -> Vec<Value> {
    let bucket = arn::bucket(facts.partition(), store.bucket());
    let (of_objects, of_key): (&[&str], &[&str]) = if writes {
        (&["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"], &ACTIONS)
    } else {
        (&["s3:GetObject", "s3:GetObjectVersion"], &["kms:DescribeKey", "kms:Decrypt"])
    };
    let mut statements = vec![
        allow(principal, of_objects, &[format!("{bucket}/*")]),
        allow(principal, &["s3:ListBucket", "s3:GetBucketLocation"], &[bucket]),
    ];
    statements.extend(facts.key_of(store).map(|key| allow(principal, of_key, &[key.to_string()])));
    statements
}

/// The statements that let a principal use an artifact bucket; in its own policies without a principal.
pub(super) fn artifact_statements(facts: &Facts<'_>, bucket: &str, principal: Option<&str>) -> Vec<Value> {
    let principal = principal.map(|arn| json!({ "AWS": arn }));
    let statements =
        bucket::allow_whole_bucket(&arn::bucket(facts.partition(), bucket), principal.as_ref(), true, None);
    statements.map(Value::Object).into()
}

/// The statement that lets a principal use a key; in its own policies without a principal, and with the ARN.
pub(super) fn key_statement(key: &Arn, principal: Option<&str>) -> Value {
    let resource = if principal.is_some() { "*" } else { key.as_str() };
    allow(principal, &ACTIONS, &[resource.to_owned()])
}

/// An Allow statement; in identity policies without a principal.
pub(super) fn allow(principal: Option<&str>, actions: &[&str], resources: &[String]) -> Value {
    let mut statement = json!({"Effect": "Allow"});
    if let Some(elements) = statement.as_object_mut() {
        elements.extend(principal.map(|arn| ("Principal".to_owned(), json!({ "AWS": arn }))));
        elements.insert("Action".into(), json!(actions));
        let resource = if let [single] = resources { json!(single) } else { json!(resources) };
        elements.insert("Resource".into(), resource);
    }
    statement
}
