//! What to give to CloudFormation so that Crosspipe makes the change, and keeps it.
//!
//! JSON is YAML, and quoted as in JSON no account turns into a number.

use serde_json::{Value, json};

use super::Facts;
use crate::pipeline::{Action, Store};

type Properties<'a> = Vec<(&'a str, String)>;

/// A custom resource.
pub(super) fn custom(kind: &str, properties: &[(&str, Value)]) -> String {
    let properties = properties.iter().map(|(name, value)| (*name, value.to_string())).collect();
    format!("Resources:{}", resource(kind, &properties))
}

/// The patch that sets a store's key. A key that is for a human to choose is a parameter, and gets its grant.
pub(super) fn key_of(facts: &Facts<'_>, store: &Store<'_>, key_arn: Option<&str>, target: &str) -> String {
    let name = facts.pipeline().name();
    let key = key_arn.map_or_else(|| "!Ref ArtifactKeyArn".to_owned(), |arn| json!(arn).to_string());
    let of_store = match store.region() {
        None => ("EncryptionKeyArn", key.clone()),
        Some(region) => ("EncryptionKeyArns", format!("{{{}: {key}}}", json!(region))),
    };
    let patch = vec![("PipelineName", json!(name).to_string()), of_store];
    let grant = vec![
        ("KeyArn", key),
        ("ServiceRoleArn", json!(facts.pipeline().role_arn()).to_string()),
        ("TargetAccounts", json!([target]).to_string()),
    ];
    let parameter = if key_arn.is_some() { "" } else { "Parameters:\n  ArtifactKeyArn: { Type: String }\n" };
    let grant = if key_arn.is_some() { String::new() } else { resource("ArtifactKeyGrant", &grant) };
    format!("{parameter}Resources:{}{grant}", resource("PipelinePatch", &patch))
}

/// The patch that gives an action a role.
pub(super) fn role_of(facts: &Facts<'_>, action: &Action<'_>, role_arn: &str) -> String {
    let role = json!([{"Stage": action.stage().name(), "Action": action.name(), "RoleArn": role_arn}]);
    let name = json!(facts.pipeline().name());
    custom("PipelinePatch", &[("PipelineName", name), ("ActionRoles", role)])
}

/// With the export of a stack that is called `crosspipe`.
fn resource(kind: &str, properties: &Properties<'_>) -> String {
    let properties = properties.iter().map(|(name, value)| format!("\n      {name}: {value}"));
    format!(
        "\n  {kind}:\n    Type: Custom::{kind}\n    Properties:\n      \
         ServiceToken: !ImportValue crosspipe-AccessProviderArn{}",
        properties.collect::<String>()
    )
}

/// Parameters of the target account's template.
pub(super) fn target_account(account: &str, parameters: &[(&str, &str)]) -> String {
    let parameters = parameters.iter().map(|(name, value)| format!("\n  {name}: {}", json!(value)));
    format!(
        "# target-account.yaml, in account {account}; what a list has already stays in it\nparameters:{}",
        parameters.collect::<String>()
    )
}

/// The grant on the bucket for every account that the pipeline works in, with one of its denials.
pub(super) fn bucket_grant(facts: &Facts<'_>, bucket: &str, denial: &str) -> String {
    let mut targets: Vec<&str> = facts.cross_account_actions().map(|action| action.account).collect();
    targets.sort_unstable();
    targets.dedup();
    let (bucket, targets) = (json!(bucket), json!(targets));
    custom(
        "ArtifactBucketGrant",
        &[("BucketName", bucket), ("TargetAccounts", targets), (denial, json!(true))],
    )
}

/// An account that uses the store.
pub(super) fn target_of<'a>(facts: &'a Facts<'_>, store: &Store<'_>) -> Option<&'a str> {
    let mut actions = facts.cross_account_actions();
    actions.find(|action| action.store().is_some_and(|it| it.path() == store.path())).map(|it| it.account)
}
