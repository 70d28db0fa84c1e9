//! Scripts that change a pipeline: read it, edit one place, write it. `UpdatePipeline` takes no metadata.
//! See <https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-edit.html>.

use super::Facts;
use super::commands::{in_region, option, quoted, script};
use crate::pipeline::{Action, Store};

/// Sets a store's key to this ARN.
pub(super) fn set_key(facts: &Facts<'_>, store: &Store<'_>, key_arn: &str) -> String {
    key_of(facts, store, &quoted(key_arn), None)
}

/// Sets a store's key to the ARN of the key that it names by id or alias.
pub(super) fn resolve_key(facts: &Facts<'_>, store: &Store<'_>, key: &str) -> String {
    let region = in_region(facts.store_region(store));
    let key = option("key-id", key);
    let resolve = format!("key=$(aws kms describe-key{region} {key} --query KeyMetadata.Arn --output text)");
    key_of(facts, store, "\"$key\"", Some(resolve))
}

fn key_of(facts: &Facts<'_>, store: &Store<'_>, key: &str, resolve: Option<String>) -> String {
    let (place, region) = match store.region() {
        None => ("pipeline[\"artifactStore\"]", String::new()),
        Some(region) => ("pipeline[\"artifactStores\"][sys.argv[2]]", format!(" {}", quoted(region))),
    };
    let edit = format!("{place}[\"encryptionKey\"] = {{\"id\": sys.argv[1], \"type\": \"KMS\"}};");
    change(facts, resolve, &[&edit], &format!("{key}{region}"))
}

/// Removes a member of an action, or of its configuration.
pub(super) fn remove(facts: &Facts<'_>, action: &Action<'_>, member: &str) -> String {
    let (of, member) = match member.split_once('.') {
        Some((of, member)) => (format!("[\"{of}\"]"), member),
        None => (String::new(), member),
    };
    let edit = [
        "stage, name = sys.argv[1:];",
        "actions = [it for one in pipeline[\"stages\"] if one[\"name\"] == stage for it in one[\"actions\"]];",
        &format!("[it{of}.pop(\"{member}\", None) for it in actions if it[\"name\"] == name];"),
    ];
    let arguments = format!("{} {}", quoted(action.stage().name()), quoted(action.name()));
    change(facts, None, &edit, &arguments)
}

fn change(facts: &Facts<'_>, before: Option<String>, edit: &[&str], arguments: &str) -> String {
    let pipeline = facts.pipeline();
    let (region, name) = (in_region(pipeline.region()), option("name", pipeline.name()));
    let mut program = vec!["import json, sys;", "pipeline = json.load(open(\"before.json\"));"];
    program.extend_from_slice(edit);
    program.push("json.dump(pipeline, open(\"after.json\", \"w\"))");
    let mut steps = vec![format!(
        "aws codepipeline get-pipeline{region} {name} --query pipeline --output json > before.json"
    )];
    steps.extend(before);
    steps.extend([
        format!("python3 -c '{}' {arguments}", program.join(" \\\n")),
        format!("aws codepipeline update-pipeline{region} --pipeline file://after.json > /dev/null"),
        "echo \"done; as it was before: $PWD/before.json\"".to_owned(),
    ]);
    script(pipeline.account(), &steps)
}
