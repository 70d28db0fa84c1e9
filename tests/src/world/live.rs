//! Policies, roles and pipeline as AWS answers them, and whether they mean the same as before.

use std::collections::BTreeMap;

use crosspipe_core::policy::{PolicyDocument, Statement, meaning};
use serde_json::{Map, Value, json};

use super::{BUILD_PROJECTS, World};
use crate::{Account, CallError};

/// What Crosspipe may touch, at one moment.
#[derive(Clone, Debug)]
pub struct Live {
    /// The key policy.
    pub key_policy: Value,
    /// The bucket policy; null if there is none.
    pub bucket_policy: Value,
    /// The pipeline's service role.
    pub service_role: RoleState,
    /// The pipeline's structure.
    pub pipeline: Value,
    /// The pipeline's tags.
    pub pipeline_tags: BTreeMap<String, String>,
    /// The encryption key of each build project; none where it is the default, aws/s3.
    pub build_keys: BTreeMap<String, Option<String>>,
    /// The target account's instance role.
    pub instance_role: RoleState,
}

/// A role's policies.
#[derive(Clone, Debug, PartialEq)]
pub struct RoleState {
    /// Who may assume it.
    pub trust: Value,
    /// Inline policies by name.
    pub inline: BTreeMap<String, Value>,
    /// ARNs of attached policies.
    pub attached: Vec<String>,
}

/// One document, compared with what it was.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Which document.
    pub document: &'static str,
    /// What was compared, as in `6 statements, same order`.
    pub compared: String,
    /// What is not as it was; empty if all is.
    pub differences: Vec<String>,
}

impl World<'_> {
    /// Reads everything as it is now.
    ///
    /// # Errors
    ///
    /// When something can't be read.
    pub fn live(&self) -> Result<Live, CallError> {
        let tools = |service, operation, params| self.tools.call(service, operation, params);
        let key = tools("kms", "get_key_policy", json!({"KeyId": self.key_arn, "PolicyName": "default"}))?;
        let bucket = match tools("s3", "get_bucket_policy", json!({"Bucket": self.bucket})) {
            Err(error) if error.code == "NoSuchBucketPolicy" => Value::Null,
            answer => answer?,
        };
        let mut pipeline = self.tools.call_raw(
            "codepipeline",
            "CodePipeline_20150709.GetPipeline",
            json!({"name": self.pipeline}),
        )?;
        let tags =
            tools("codepipeline", "list_tags_for_resource", json!({"resourceArn": self.pipeline_arn()}))?;
        let projects = tools("codebuild", "batch_get_projects", json!({"names": BUILD_PROJECTS}))?;
        Ok(Live {
            key_policy: embedded(&key),
            bucket_policy: embedded(&bucket),
            service_role: role(&self.tools, &self.service_role)?,
            pipeline: pipeline.get_mut("pipeline").map(Value::take).unwrap_or_default(),
            pipeline_tags: items(&tags, "tags").map(|tag| (text(tag, "key"), text(tag, "value"))).collect(),
            build_keys: items(&projects, "projects").map(|one| (text(one, "name"), build_key(one))).collect(),
            instance_role: role(&self.target, &self.instance_role)?,
        })
    }
}

impl Live {
    /// Compares with what was before, document by document: by meaning, because AWS rewrites what it is given.
    #[must_use]
    pub fn compare(&self, before: &Self) -> Vec<Comparison> {
        vec![
            policy("key policy", &before.key_policy, &self.key_policy),
            policy("bucket policy", &before.bucket_policy, &self.bucket_policy),
            before.service_role.compare("service role", &self.service_role),
            before.pipeline_comparison(self),
            before.build_comparison(self),
            before.instance_role.compare("instance role", &self.instance_role),
        ]
    }

    /// Everything but the version number, which only ever grows.
    fn pipeline_comparison(&self, after: &Self) -> Comparison {
        let parts = |pipeline: &Value| {
            let mut parts: Map<String, Value> = pipeline.as_object().cloned().unwrap_or_default();
            parts.remove("version");
            parts
        };
        let (mut before, mut now) = (parts(&self.pipeline), parts(&after.pipeline));
        before.insert("tags".to_owned(), json!(self.pipeline_tags));
        now.insert("tags".to_owned(), json!(after.pipeline_tags));
        let names = before.keys().chain(now.keys().filter(|name| !before.contains_key(*name)));
        let differs = names.filter(|name| before.get(*name) != now.get(*name));
        let differences = differs.map(|name| format!("`{name}` is not as it was")).collect();
        let stages = items(&self.pipeline, "stages").count();
        let compared = format!("{stages} stages, {} tags and everything else", self.pipeline_tags.len());
        Comparison { document: "pipeline", compared, differences }
    }

    fn build_comparison(&self, after: &Self) -> Comparison {
        let differs = self.build_keys.iter().filter(|(name, key)| after.build_keys.get(*name) != Some(*key));
        let differences = differs.map(|(name, _)| format!("the key of `{name}` is not as it was")).collect();
        let compared = format!("encryption keys of {} projects", self.build_keys.len());
        Comparison { document: "builds", compared, differences }
    }
}

impl RoleState {
    fn compare(&self, document: &'static str, after: &Self) -> Comparison {
        let mut differences = policy("trust", &self.trust, &after.trust).differences;
        for name in
            self.inline.keys().chain(after.inline.keys().filter(|name| !self.inline.contains_key(*name)))
        {
            let [old, new] = [self, after].map(|role| role.inline.get(name).unwrap_or(&Value::Null));
            differences.extend(
                policy("", old, new).differences.into_iter().map(|what| format!("policy `{name}`: {what}")),
            );
        }
        if self.attached != after.attached {
            differences.push(format!("attached policies are {:?}", after.attached));
        }
        let compared =
            format!("trust, {} inline and {} attached policies", self.inline.len(), self.attached.len());
        Comparison { document, compared, differences }
    }
}

/// Compares two policy documents, statement by statement in their order.
fn policy(document: &'static str, before: &Value, after: &Value) -> Comparison {
    let read =
        |value: &Value| PolicyDocument::from_value(value.clone()).unwrap_or_else(|_| PolicyDocument::empty());
    let (old, new) = (read(before), read(after));
    let (was, is): (Vec<Statement<'_>>, Vec<Statement<'_>>) =
        (old.statements().collect(), new.statements().collect());
    let mut differences = Vec::new();
    for pair in 0..was.len().max(is.len()) {
        match (was.get(pair), is.get(pair)) {
            (Some(a), Some(b)) if meaning::same_statement(a.raw(), b.raw()) => {}
            (Some(a), Some(_)) => differences.push(format!("{} is not as it was", a.label())),
            (Some(a), None) => differences.push(format!("{} is gone", a.label())),
            (None, Some(b)) => differences.push(format!("{} is new", b.label())),
            (None, None) => {}
        }
    }
    if differences.is_empty()
        && (before.is_null() != after.is_null() || !meaning::have_same_meaning(&old, &new))
    {
        differences.push("the document around its statements is not as it was".to_owned());
    }
    Comparison { document, compared: format!("{} statements in the same order", was.len()), differences }
}

fn role(account: &Account<'_>, name: &str) -> Result<RoleState, CallError> {
    let named = json!({"RoleName": name});
    let trust = account.call("iam", "get_role", named.clone())?;
    let listed = account.call("iam", "list_role_policies", named.clone())?;
    let mut inline = BTreeMap::new();
    for policy in items(&listed, "PolicyNames").filter_map(Value::as_str) {
        let request = json!({"RoleName": name, "PolicyName": policy});
        let mut answer = account.call("iam", "get_role_policy", request)?;
        inline
            .insert(policy.to_owned(), answer.get_mut("PolicyDocument").map(Value::take).unwrap_or_default());
    }
    let attached = account.call("iam", "list_attached_role_policies", named)?;
    let mut attached: Vec<String> =
        items(&attached, "AttachedPolicies").map(|policy| text(policy, "PolicyArn")).collect();
    attached.sort();
    let trust = trust.pointer("/Role/AssumeRolePolicyDocument").cloned().unwrap_or_default();
    Ok(RoleState { trust, inline, attached })
}

/// CodeBuild shows the default as the alias of the AWS managed key, or not at all.
fn build_key(project: &Value) -> Option<String> {
    let key = project.get("encryptionKey").and_then(Value::as_str);
    key.filter(|key| !key.is_empty() && !key.ends_with("alias/aws/s3")).map(str::to_owned)
}

/// The policy that an answer holds as text.
fn embedded(answer: &Value) -> Value {
    serde_json::from_str(&text(answer, "Policy")).unwrap_or_default()
}

fn items<'value>(value: &'value Value, member: &str) -> impl Iterator<Item = &'value Value> {
    value.get(member).and_then(Value::as_array).into_iter().flatten()
}

fn text(value: &Value, member: &str) -> String {
    value.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differences(before: Value, after: Value) -> Vec<String> {
        policy("policy", &before, &after).differences
    }

    fn document(statements: Value) -> Value {
        json!({"Version": "2012-10-17", "Statement": statements})
    }

    #[test]
    fn aws_rewrites_are_no_difference() {
        let a = json!({"Sid": "A", "Effect": "Allow", "Principal": {"AWS": ["111111111111"]}, "Action": ["s3:GetObject"]});
        let rewritten = json!({
            "Sid": "A", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"}, "Action": "s3:GetObject",
        });
        let b = json!({"Sid": "B", "Effect": "Deny", "Principal": "*", "Action": "s3:*"});
        let both = document(json!([a, b]));
        assert_eq!(differences(both.clone(), document(json!([rewritten, b]))), Vec::<String>::new());

        assert_eq!(differences(both.clone(), document(json!([a]))), ["statement `B` is gone"]);
        assert_eq!(differences(document(json!([a])), both.clone()), ["statement `B` is new"]);
        assert_eq!(differences(both.clone(), document(json!([b, a]))).len(), 2, "the order is the owner's");
        assert_eq!(differences(both.clone(), Value::Null).len(), 2);
        let around = "the document around its statements is not as it was";
        let mut other = both.clone();
        other["Version"] = json!("2008-10-17");
        assert_eq!(differences(both, other), [around]);
        assert_eq!(differences(Value::Null, document(json!([]))), [around]);
    }
}
