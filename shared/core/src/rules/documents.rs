//! Scripts that change a policy: read it, merge, write it. What they don't know they leave as it is.

use serde_json::{Value, json};

use super::Facts;
use super::commands::{self, in_region, option, role, script};
use crate::arn::Arn;
use crate::snapshot::Fact;

/// A policy document, and the commands that read and write it.
pub(super) struct Document {
    account: Option<String>,
    read: String,
    /// The error code of a document that is not there: then an empty one is changed.
    absent: Option<&'static str>,
    write: String,
}

impl Document {
    /// A bucket's policy.
    pub(super) fn bucket_policy(facts: &Facts<'_>, bucket: &str) -> Self {
        let known = facts.bucket(bucket);
        let (account, region) = (known.part(|it| &it.account), known.part(|it| &it.region));
        let region = region.known().map(|it| it.as_str()).or_else(|| facts.pipeline().region());
        let (bucket, region) = (option("bucket", bucket), in_region(region));
        Document {
            account: match account {
                Fact::Known(account) => Some(account.clone()),
                Fact::Absent | Fact::Unknown => facts.pipeline().account().map(str::to_owned),
            },
            read: format!("aws s3api get-bucket-policy{region} {bucket} --query Policy --output text"),
            absent: Some("NoSuchBucketPolicy"),
            write: format!("aws s3api put-bucket-policy{region} {bucket} --policy file://after.json"),
        }
    }

    /// A key's policy. KMS refuses one that would leave the key without an administrator.
    pub(super) fn key_policy(key: &Arn) -> Self {
        let (id, region) = (option("key-id", key.as_str()), in_region(Some(key.region())));
        let key_policy = format!("{region} {id} --policy-name default");
        Document {
            account: Some(key.account().to_owned()),
            read: format!("aws kms get-key-policy{key_policy} --query Policy --output text"),
            absent: None,
            write: format!("aws kms put-key-policy{key_policy} --policy file://after.json"),
        }
    }

    /// A role's trust policy.
    pub(super) fn trust_policy(role_arn: &str) -> Self {
        let (account, name) = role(role_arn);
        let name = option("role-name", &name);
        Document {
            account,
            read: format!("aws iam get-role {name} --query Role.AssumeRolePolicyDocument --output json"),
            absent: None,
            write: format!("aws iam update-assume-role-policy {name} --policy-document file://after.json"),
        }
    }

    /// An inline policy of a role, made where there is none of this name.
    pub(super) fn role_policy(role_arn: &str, policy: &str) -> Self {
        let (account, name) = role(role_arn);
        let policy = format!("{} {}", option("role-name", &name), option("policy-name", policy));
        Document {
            account,
            read: format!("aws iam get-role-policy {policy} --query PolicyDocument --output json"),
            absent: Some("NoSuchEntity"),
            write: format!("aws iam put-role-policy {policy} --policy-document file://after.json"),
        }
    }

    /// Adds statements, those that are not there yet.
    pub(super) fn add(&self, statements: &[Value]) -> String {
        let edit = "policy[\"Statement\"] = old + [it for it in json.loads(sys.argv[1]) if it not in old];";
        self.change(&[edit], &[json!(statements)])
    }

    /// Exempts somebody from statements that deny: `exemption` is what their `Condition` gets.
    pub(super) fn exempt(&self, denying: &[Value], exemption: &Value) -> String {
        let edit = [
            "denying, exemption = map(json.loads, sys.argv[1:]);",
            "found = [it for it in old if it in denying] or sys.exit(\"these statements are no longer there\");",
            "block = lambda it, operator: it.setdefault(\"Condition\", {}).setdefault(operator, {});",
            "add = lambda to, key, values: to.update({key: listed(to.get(key, [])) + values});",
            "[add(block(it, operator), key, values) for it in found",
            "for operator, keys in exemption.items() for key, values in keys.items()];",
        ];
        self.change(&edit, &[json!(denying), exemption.clone()])
    }

    /// Removes principals that no longer exist, with the statements that name nobody else, and adds others.
    pub(super) fn forget(&self, gone: &[&str], add: &[Value]) -> String {
        self.remove("any(one in gone for one in named(it))", gone, add)
    }

    /// Narrows who is let in: removes principals from what allows them something, and adds statements.
    pub(super) fn narrow(&self, from: &[&str], add: &[Value]) -> String {
        self.remove("it[\"Effect\"] == \"Allow\" and any(one in gone for one in named(it))", from, add)
    }

    fn remove(&self, wherever: &str, gone: &[&str], add: &[Value]) -> String {
        let edit = [
            "gone, add = map(json.loads, sys.argv[1:]);",
            "of = lambda it: it[\"Principal\"] if isinstance(it.get(\"Principal\"), dict) else {};",
            "named = lambda it: listed(of(it).get(\"AWS\", []));",
            &format!("found = [it for it in old if {wherever}]"),
            "or sys.exit(\"nothing names it any more\");",
            "[of(it).update(AWS=[one for one in named(it) if one not in gone]) for it in found];",
            "[of(it).pop(\"AWS\") for it in found if not of(it)[\"AWS\"]];",
            "kept = [it for it in old if it.get(\"Principal\") != {}];",
            "policy[\"Statement\"] = kept + [it for it in add if it not in kept];",
        ];
        self.change(&edit, &[json!(gone), json!(add)])
    }

    /// Read, change by a Python program of one logical line, write.
    fn change(&self, edit: &[&str], arguments: &[Value]) -> String {
        let read = match self.absent {
            None => format!("{} > before.json", self.read),
            Some(code) => format!(
                "error=$({} 2>&1 > before.json) ||\n\
                 {{ [[ $error = *{code}* ]] && echo '{{\"Version\": \"2012-10-17\", \"Statement\": []}}' > before.json; }} ||\n\
                 {{ echo \"$error\" >&2; exit 1; }}",
                self.read
            ),
        };
        let mut program = vec![
            "import json, sys;",
            "policy = json.load(open(\"before.json\"));",
            "listed = lambda it: it if isinstance(it, list) else [it];",
            "old = listed(policy[\"Statement\"]);",
        ];
        program.extend_from_slice(edit);
        program.push("json.dump(policy, open(\"after.json\", \"w\"))");
        let arguments: Vec<String> = arguments.iter().map(commands::json).collect();
        let change = format!("python3 -c '{}' {}", program.join(" \\\n"), arguments.join(" "));
        let done = "echo \"done; as it was before: $PWD/before.json\"".to_owned();
        script(self.account.as_deref(), &[read, change, self.write.clone(), done])
    }
}
