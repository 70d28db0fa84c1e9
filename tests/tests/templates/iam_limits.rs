//! target-account.yaml at full use, against the sizes that IAM takes: every provider on, every name as long as it may be.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Value, json};

use crate::reading::{TARGET, TEMPLATES, items, object, read};

/// Characters without white space of all inline policies of a role.
const INLINE: usize = 10_240;
/// Of one managed policy.
const MANAGED: usize = 6_144;
/// Of a trust policy.
const TRUST: usize = 2_048;
/// Managed policies of a role.
const ATTACHED: usize = 10;

type Values = BTreeMap<String, Value>;

/// Every parameter of the template at its longest, in the partition with the longest name.
fn longest() -> Values {
    let plain = Regex::new(r"^\[.*\]\{[01],(\d+)\}$").unwrap();
    let mut values: Values = [
        ("ServiceRoleArns", json!([service_role(0)])),
        ("ArtifactBucketArns", json!([bucket(0)])),
        ("ArtifactKeyArns", json!([key(0)])),
        ("S3DeployKeyArn", json!(key(0))),
        ("PassRoleArns", json!("arn:aws:iam::222222222222:role/stack")),
        (
            "StateMachineArn",
            json!(format!("arn:aws:states:eu-west-1:222222222222:stateMachine:{}", "n".repeat(80))),
        ),
        ("ApprovalTopicArn", json!(format!("arn:aws:sns:eu-west-1:222222222222:{}", "n".repeat(256)))),
        (
            "ConnectionArn",
            json!(format!("arn:aws:codestar-connections:eu-west-1:222222222222:connection/{ID}")),
        ),
        ("ManagedPolicyArns", json!("arn:aws:iam::aws:policy/x")),
        ("InstanceRoleNames", json!("a,b")),
        ("PermissionsBoundaryArn", json!("arn:aws:iam::aws:policy/x")),
        ("AWS::Partition", json!("aws-us-gov")),
        ("AWS::AccountId", json!("222222222222")),
        ("AWS::URLSuffix", json!("amazonaws.com")),
        ("AWS::NoValue", Value::Null),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    for (name, parameter) in object(&TEMPLATES[TARGET]["Parameters"]) {
        let longest = parameter["AllowedPattern"].as_str().and_then(|it| plain.captures(it));
        let value = match (longest, &parameter["AllowedValues"]) {
            (Some(longest), _) => json!("n".repeat(longest[1].parse().unwrap())),
            (None, Value::Array(allowed)) => allowed.last().unwrap().clone(),
            (None, _) => continue,
        };
        values.entry(name.clone()).or_insert(value);
    }
    values
}

const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

fn service_role(number: usize) -> String {
    format!(
        "arn:aws:iam::111111111111:role/service-role/AWSCodePipelineServiceRole-eu-west-1-orders-{number:03}"
    )
}

fn bucket(number: usize) -> String {
    format!("arn:aws:s3:::codepipeline-eu-west-1-123456789{number:03}")
}

fn key(number: usize) -> String {
    format!("arn:aws:kms:eu-west-1:111111111111:key/{}", ID.replace("1234abcd", &format!("{number:08}")))
}

/// The value that CloudFormation makes of a part of the template; null for what is not there.
fn resolve(value: &Value, values: &Values) -> Value {
    let text = |value: &Value| match resolve(value, values) {
        Value::String(text) => text,
        other => panic!("no text: {other}"),
    };
    match value {
        Value::Array(list) => list.iter().map(|it| resolve(it, values)).filter(|it| !it.is_null()).collect(),
        Value::Object(map) if map.len() == 1 => {
            let (function, argument) = map.iter().next().unwrap();
            match function.as_str() {
                // What is no parameter is a resource.
                "Ref" => {
                    let name = argument.as_str().unwrap();
                    values.get(name).cloned().unwrap_or_else(|| json!(name))
                }
                "Fn::If" => {
                    let branch = if holds(&argument[0], values) { &argument[1] } else { &argument[2] };
                    resolve(branch, values)
                }
                "Fn::Join" => {
                    let parts = resolve(&argument[1], values);
                    let parts: Vec<&str> = items(&parts).map(|it| it.as_str().unwrap()).collect();
                    json!(parts.join(argument[0].as_str().unwrap()))
                }
                "Fn::Split" => {
                    json!(text(&argument[1]).split(argument[0].as_str().unwrap()).collect::<Vec<_>>())
                }
                "Fn::Select" => {
                    let index = argument[0].as_u64().unwrap();
                    resolve(&argument[1], values)[usize::try_from(index).unwrap()].clone()
                }
                "Fn::Sub" => {
                    let (template, own) = match argument {
                        Value::Array(both) => (both[0].as_str().unwrap(), both[1].clone()),
                        single => (single.as_str().unwrap(), json!({})),
                    };
                    let place = Regex::new(r"\$\{([^}]+)\}").unwrap();
                    let filled = place.replace_all(template, |found: &regex::Captures<'_>| {
                        own.get(&found[1]).map_or_else(|| text(&json!({"Ref": &found[1]})), text)
                    });
                    json!(filled)
                }
                _ => resolve_members(map, values),
            }
        }
        Value::Object(map) => resolve_members(map, values),
        other => other.clone(),
    }
}

fn resolve_members(map: &serde_json::Map<String, Value>, values: &Values) -> Value {
    let members = map.iter().map(|(name, value)| (name.clone(), resolve(value, values)));
    Value::Object(members.filter(|(_, value)| !value.is_null()).collect())
}

fn holds(condition: &Value, values: &Values) -> bool {
    if let Some(name) = condition.as_str() {
        return holds(&TEMPLATES[TARGET]["Conditions"][name], values);
    }
    let (function, argument) = object(condition).iter().next().unwrap();
    match function.as_str() {
        "Condition" => holds(argument, values),
        "Fn::Not" => !holds(&argument[0], values),
        "Fn::And" => items(argument).all(|it| holds(it, values)),
        "Fn::Or" => items(argument).any(|it| holds(it, values)),
        "Fn::Equals" => resolve(&argument[0], values) == resolve(&argument[1], values),
        other => panic!("unknown function {other}"),
    }
}

/// A document's characters, as IAM counts them.
fn size(document: &Value) -> usize {
    document.to_string().chars().filter(|c| !c.is_whitespace()).count()
}

/// What of the template is larger than IAM takes, a sentence each.
fn too_large(values: &Values) -> Vec<String> {
    let mut problems = vec![];
    let mut check = |what: String, size: usize, most: usize| {
        if size > most {
            problems.push(format!("{what}: {size} of {most}"));
        }
    };
    let mut attached = 0;
    for (id, resource) in object(&TEMPLATES[TARGET]["Resources"]) {
        let properties = resolve(&resource["Properties"], values);
        if resource["Type"] == "AWS::IAM::ManagedPolicy" {
            check(id.clone(), size(&properties["PolicyDocument"]), MANAGED);
            attached += usize::from(items(&properties["Roles"]).any(|role| role == "TargetRole"));
        } else {
            let inline = items(&properties["Policies"]).map(|policy| size(&policy["PolicyDocument"])).sum();
            check(format!("{id}, inline"), inline, INLINE);
            check(format!("{id}, trust"), size(&properties["AssumeRolePolicyDocument"]), TRUST);
        }
    }
    // ArtifactAccess, and those that the parameter's description allows.
    let description = &TEMPLATES[TARGET]["Parameters"]["ManagedPolicyArns"]["Description"];
    assert!(description.as_str().unwrap().contains("at most six"), "{description}");
    check("managed policies".to_owned(), attached + 1 + 6, ATTACHED);
    problems
}

#[test]
fn full_use_is_within_limits() {
    assert_eq!(too_large(&longest()), Vec::<String>::new());
    // The same finds what is too large: a list of roles beyond what the docs say.
    let mut values = longest();
    let roles: Vec<String> = (0..100).map(service_role).collect();
    values.insert("ServiceRoleArns".into(), json!(roles));
    assert!(
        too_large(&values).iter().any(|it| it.starts_with("TargetRole, trust")),
        "{:?}",
        too_large(&values)
    );
}

/// As many pipelines as fit with a service role, a bucket and a key each.
#[test]
fn limits_page_has_the_numbers() {
    let most = |name: &str, of: &dyn Fn(usize) -> String| {
        let fits = |count: usize| {
            let mut values = longest();
            values.insert(name.to_owned(), json!((0..count).map(of).collect::<Vec<_>>()));
            too_large(&values).is_empty()
        };
        (1..).take_while(|count| fits(*count)).last().unwrap()
    };
    let both = (1..)
        .take_while(|count| {
            let mut values = longest();
            values.insert("ArtifactBucketArns".into(), json!((0..*count).map(bucket).collect::<Vec<_>>()));
            values.insert("ArtifactKeyArns".into(), json!((0..*count).map(key).collect::<Vec<_>>()));
            too_large(&values).is_empty()
        })
        .last()
        .unwrap();
    let roles = most("ServiceRoleArns", &service_role);
    let line = format!("{roles} service roles and {both} artifact stores, each a bucket and a key");
    let page = read("docs/limits.md").replace("\n  ", " ");
    assert!(page.contains(&line), "docs/limits.md does not say: {line}");
}
