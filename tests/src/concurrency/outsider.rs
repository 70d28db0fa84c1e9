//! Somebody else, who edits what Crosspipe edits.

use serde_json::{Value, json};

use crate::workbench::{Kind, Targets, Workbench};

/// How many statements of the other one are there at most: the oldest goes then.
const STATEMENTS: usize = 4;

/// Edits one target again and again, and knows what has to be there.
pub(super) struct Outsider<'a> {
    bench: &'a Workbench,
    targets: &'a Targets,
    kind: Kind,
    edits: usize,
    /// Of a policy, the names of the statements that are there.
    statements: Vec<String>,
}

impl<'a> Outsider<'a> {
    pub(super) fn new(bench: &'a Workbench, targets: &'a Targets, kind: Kind) -> Self {
        Self { bench, targets, kind, edits: 0, statements: vec![] }
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn edits(&self) -> usize {
        self.edits
    }

    /// The names of the statements that have to be there, in their order.
    pub(super) fn statements(&self) -> &[String] {
        &self.statements
    }

    /// The mark that the last edit has left.
    pub(super) fn mark(&self) -> String {
        format!("Edit{}", self.edits)
    }

    /// Reads, changes and writes.
    pub(super) fn edit(&mut self) -> Result<(), String> {
        self.edits += 1;
        let mark = self.mark();
        let call = |service, operation, request| {
            self.bench.world.tools.call(service, operation, request).map_err(|error| error.to_string())
        };
        let targets = self.targets;
        let [key, _] = &targets.keys;
        match self.kind {
            Kind::Key => {
                let read = call("kms", "get_key_policy", json!({"KeyId": key, "PolicyName": "default"}))?;
                let policy = with_statement(
                    &read,
                    &mut self.statements,
                    &mark,
                    &json!({"Action": "kms:ListGrants", "Resource": "*"}),
                    self.bench.world.tools.id(),
                )?;
                call(
                    "kms",
                    "put_key_policy",
                    json!({"KeyId": key, "PolicyName": "default", "Policy": policy}),
                )?;
            }
            Kind::Bucket => {
                let read = call("s3", "get_bucket_policy", json!({"Bucket": targets.bucket}))?;
                let more = json!({"Action": "s3:GetBucketLocation", "Resource": format!("arn:aws:s3:::{}", targets.bucket)});
                let policy =
                    with_statement(&read, &mut self.statements, &mark, &more, self.bench.world.tools.id())?;
                call("s3", "put_bucket_policy", json!({"Bucket": targets.bucket, "Policy": policy}))?;
            }
            Kind::Role => {}
            Kind::Project => {
                call("codebuild", "update_project", json!({"name": targets.project, "description": mark}))?;
            }
            Kind::Pipeline => {
                let mut read = call("codepipeline", "get_pipeline", json!({"name": targets.pipeline}))?;
                let mut pipeline = read.get_mut("pipeline").map(Value::take).unwrap_or_default();
                if let Some(namespace) = pipeline.pointer_mut("/stages/0/actions/0/namespace") {
                    *namespace = json!(mark);
                }
                call("codepipeline", "update_pipeline", json!({"pipeline": pipeline}))?;
            }
        }
        Ok(())
    }
}

/// The policy of an answer with one more statement in front of Crosspipe's, and without the oldest of too many.
fn with_statement(
    answer: &Value,
    names: &mut Vec<String>,
    mark: &str,
    more: &Value,
    account: &str,
) -> Result<String, String> {
    let text = answer.get("Policy").and_then(Value::as_str).unwrap_or_default();
    let mut policy: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let statements = policy.get_mut("Statement").and_then(Value::as_array_mut).ok_or("no statements")?;
    let mut statement =
        json!({"Sid": mark, "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{account}:root")}});
    if let (Some(statement), Some(more)) = (statement.as_object_mut(), more.as_object()) {
        statement.extend(more.clone());
    }
    statements.push(statement);
    names.push(mark.to_owned());
    if names.len() > STATEMENTS {
        let oldest = names.remove(0);
        statements.retain(|statement| statement.get("Sid") != Some(&json!(oldest)));
    }
    Ok(policy.to_string())
}
