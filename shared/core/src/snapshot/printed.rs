//! Parts of a snapshot as the AWS CLI prints them, made into the parts that are read: a policy as a text, or in the
//! envelope of the command that printed it; a list where a snapshot has an object by name or ARN.
//!
//! What is in another shape is left as it is: reading it says what is wrong.

use serde_json::{Map, Value, json};

/// Lists that a command prints around what a part holds, by the part: `ListActionExecutions`' details, and so on.
const LISTS: [(&str, &str); 3] = [
    ("actionExecutions", "actionExecutionDetails"),
    ("ruleExecutions", "ruleExecutionDetails"),
    ("instanceRoles", "instanceRoles"),
];
/// What a command prints around one of a part: the part, the member of the envelope, whether it is a list of one.
const ENVELOPES: [(&str, &str, bool); 8] = [
    ("stackEvents", "StackEvents", false),
    ("stackSetOperations", "Summaries", false),
    ("stacks", "Stacks", true),
    ("builds", "builds", true),
    ("deploymentGroups", "deploymentGroupInfo", false),
    ("functions", "Configuration", false),
    ("services", "services", true),
    ("buildProjects", "projects", true),
];
/// Parts that are objects, with what a list of them has in place of the names: the list's member, and the name's.
const NAMES: [(&str, &str, &str); 3] =
    [("roles", "Roles", "Arn"), ("buildProjects", "projects", "name"), ("keys", "Keys", "KeyArn")];

/// Makes the parts that are read of what the AWS CLI prints.
pub(super) fn from_printed(parts: &mut Map<String, Value>) {
    for (part, member) in LISTS {
        if let Some(value) = parts.get_mut(part) {
            take_member(value, member);
        }
    }
    for (part, list, name) in NAMES {
        if let Some(value) = parts.get_mut(part) {
            by_name(value, list, name);
        }
    }
    for (part, member, is_list) in ENVELOPES {
        for value in members_of_part(parts, part) {
            take_member(value, member);
            if is_list {
                take_only(value);
            }
        }
    }
    members_of_part(parts, "keys").for_each(unwrap_key);
    members_of_part(parts, "buckets").for_each(unwrap_bucket);
    members_of_part(parts, "roles").for_each(unwrap_role);
    members_of_part(parts, "services").for_each(unwrap_service);
    members_of_part(parts, "eventBuses").for_each(unwrap_event_bus);
    members_of_part(parts, "deployments")
        .for_each(|value| rename_member(value, "deploymentTargets", "targets"));
    for value in members_of_part(parts, "stateMachineExecutions") {
        if let Some(events) = value.get_mut("events") {
            take_member(events, "events");
        }
    }
    let accounts = parts.get_mut("organization").and_then(|it| it.get_mut("accounts"));
    for account in accounts.and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
        let levels = account.get_mut("serviceControlPolicies").and_then(Value::as_array_mut);
        levels.into_iter().flatten().filter_map(Value::as_array_mut).flatten().for_each(unwrap_policy);
    }
}

/// What a part has, whatever its names are.
fn members_of_part<'v>(parts: &'v mut Map<String, Value>, part: &str) -> impl Iterator<Item = &'v mut Value> {
    parts.get_mut(part).and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut)
}

/// The member of an envelope, in place of the envelope.
fn take_member(value: &mut Value, member: &str) {
    if let Some(inner) = value.as_object_mut().and_then(|envelope| envelope.remove(member)) {
        *value = inner;
    }
}

/// The only item of a list, in place of the list.
fn take_only(value: &mut Value) {
    if let Some([only]) = value.as_array().map(Vec::as_slice) {
        *value = only.clone();
    }
}

fn rename_member(value: &mut Value, from: &str, to: &str) {
    let Some(object) = value.as_object_mut() else { return };
    if let Some(inner) = object.remove(from) {
        object.insert(to.to_owned(), inner);
    }
}

/// An object by name, of a list or of its envelope.
fn by_name(value: &mut Value, list: &str, name: &str) {
    if value.get(list).is_some_and(Value::is_array) {
        take_member(value, list);
    }
    let Some(items) = value.as_array() else { return };
    let named = items.iter().filter_map(|item| Some((item.get(name)?.as_str()?.to_owned(), item.clone())));
    *value = Value::Object(named.collect());
}

/// A policy document, of a text, of a text in percent-encoding as the API sends it, or of the envelope of the command
/// that printed it.
fn unwrap_policy(value: &mut Value) {
    for member in ["Policy", "PolicyDocument", "PolicyVersion", "Document", "Content"] {
        if value.get("Statement").is_none() {
            take_member(value, member);
        }
    }
    let Some(text) = value.as_str() else { return };
    let decoded = percent_decoded(text);
    if let Ok(document @ Value::Object(_)) = serde_json::from_str(&decoded) {
        *value = document;
    }
}

/// A text without percent-encoding; as it is where that leaves no text.
fn percent_decoded(text: &str) -> String {
    if !text.starts_with("%7B") && !text.starts_with("%7b") {
        return text.to_owned();
    }
    let mut bytes = vec![];
    let mut rest = text;
    while let Some((plain, encoded)) = rest.split_once('%') {
        bytes.extend_from_slice(plain.as_bytes());
        let byte = encoded.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let Some((byte, after)) = byte.zip(encoded.get(2..)) else { return text.to_owned() };
        bytes.push(byte);
        rest = after;
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// `describe-event-bus`, which prints no policy where there is none.
fn unwrap_event_bus(value: &mut Value) {
    if value.get("Arn").is_some()
        && let Some(bus) = value.as_object_mut()
    {
        let mut policy = bus.remove("Policy").unwrap_or_default();
        unwrap_policy(&mut policy);
        bus.insert("policy".to_owned(), policy);
    }
}

/// `describe-key`, `get-key-policy` and `list-grants`, side by side.
fn unwrap_key(value: &mut Value) {
    rename_member(value, "KeyMetadata", "keyMetadata");
    rename_member(value, "Policy", "policy");
    rename_member(value, "Grants", "grants");
    if let Some(grants) = value.get_mut("grants") {
        take_member(grants, "Grants");
    }
    if let Some(metadata) = value.get_mut("keyMetadata") {
        take_member(metadata, "KeyMetadata");
    }
    value.get_mut("policy").into_iter().for_each(unwrap_policy);
}

/// `get-bucket-policy`, `get-bucket-location`, `get-bucket-encryption` and `get-bucket-ownership-controls`, side by side.
fn unwrap_bucket(value: &mut Value) {
    rename_member(value, "Policy", "policy");
    value.get_mut("policy").into_iter().for_each(unwrap_policy);
    let Some(object) = value.as_object_mut() else { return };
    // `null` and `EU` are the names that old Regions have.
    if let Some(location) = object.remove("LocationConstraint") {
        let region = match location.as_str() {
            None => json!("us-east-1"),
            Some("EU") => json!("eu-west-1"),
            Some(region) => json!(region),
        };
        object.entry("region").or_insert(region);
    }
    let encryption = object.remove("ServerSideEncryptionConfiguration");
    if let Some(encryption) = encryption {
        object.entry("encryption").or_insert(encryption);
    }
    if let Some(rule) = object.get("encryption").and_then(|it| {
        it.pointer("/ServerSideEncryptionConfiguration/Rules/0").or_else(|| it.pointer("/Rules/0")).cloned()
    }) {
        let mut default =
            rule.get("ApplyServerSideEncryptionByDefault").cloned().unwrap_or_else(|| json!({}));
        if let (Some(default), Some(bucket_key)) = (default.as_object_mut(), rule.get("BucketKeyEnabled")) {
            default.insert("BucketKeyEnabled".to_owned(), bucket_key.clone());
        }
        object.insert("encryption".to_owned(), default);
    }
    let ownership = object.remove("OwnershipControls");
    if let Some(ownership) = ownership.as_ref().and_then(|it| it.pointer("/Rules/0/ObjectOwnership")) {
        object.insert("objectOwnership".to_owned(), ownership.clone());
    }
}

/// `get-role`, `get-role-policy`, `get-policy-version` and `get-account-authorization-details`, side by side.
fn unwrap_role(value: &mut Value) {
    if let Some(Value::Object(printed)) = value.as_object_mut().and_then(|it| it.remove("Role")) {
        let Some(object) = value.as_object_mut() else { return };
        for (name, member) in printed {
            object.entry(name).or_insert(member);
        }
    }
    let Some(object) = value.as_object_mut() else { return };
    if let Some(trust) = object.remove("AssumeRolePolicyDocument") {
        object.entry("trustPolicy").or_insert(trust);
        // A role is printed with its boundary, if it has one; which is the ARN of a policy alone.
        if object.remove("PermissionsBoundary").is_none() {
            object.entry("permissionsBoundary").or_insert(Value::Null);
        }
    }
    for (printed, part) in
        [("RolePolicyList", "inlinePolicies"), ("AttachedManagedPolicies", "attachedPolicies")]
    {
        if let Some(list) = object.remove(printed) {
            object.entry(part).or_insert(list);
        }
    }
    unwrap_policies(object, "inlinePolicies", "PolicyName");
    unwrap_policies(object, "attachedPolicies", "PolicyArn");
    for part in ["trustPolicy", "permissionsBoundary"] {
        object.get_mut(part).into_iter().for_each(unwrap_policy);
    }
}

/// Policies by name, of a list of what `get-role-policy` prints. A list that has names and no documents is not known,
/// unless it is empty.
fn unwrap_policies(role: &mut Map<String, Value>, part: &str, name: &str) {
    let Some(value) = role.get_mut(part) else { return };
    for list in ["AttachedPolicies", "PolicyNames"] {
        take_member(value, list);
    }
    if let Some(items) = value.as_array() {
        let has_document = |item: &Value| {
            ["PolicyDocument", "Document", "PolicyVersion"].iter().any(|member| item.get(member).is_some())
        };
        let named = |item: &Value| Some((item.get(name)?.as_str()?.to_owned(), item.clone()));
        if !items.iter().all(has_document) {
            role.remove(part);
            return;
        }
        *value = Value::Object(items.iter().filter_map(named).collect());
    }
    value.as_object_mut().into_iter().flat_map(Map::values_mut).for_each(unwrap_policy);
}

/// `describe-tasks` and `describe-task-definition` beside a service; or the service alone.
fn unwrap_service(value: &mut Value) {
    let Some(object) = value.as_object_mut() else { return };
    if object.contains_key("serviceArn") || object.contains_key("serviceName") {
        *value = json!({ "service": value });
        return;
    }
    for (part, member) in
        [("service", "services"), ("stoppedTasks", "tasks"), ("taskDefinition", "taskDefinition")]
    {
        if let Some(inner) = object.get_mut(part) {
            take_member(inner, member);
            if part == "service" {
                take_only(inner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Snapshot;
    use super::*;
    use crate::snapshot::Fact;

    const ROLE: &str = "arn:aws:iam::222222222222:role/Deploy";
    const KEY: &str = "arn:aws:kms:us-east-2:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    fn pipeline() -> Value {
        json!({"pipeline": {"name": "orders", "roleArn": "arn:aws:iam::111111111111:role/p",
            "artifactStore": {"type": "S3", "location": "artifacts"}, "stages": []}, "metadata": {}})
    }

    fn document() -> Value {
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
    }

    /// The snapshot with this part, as it is read.
    #[track_caller]
    fn read(part: &str, value: Value) -> Snapshot {
        Snapshot::from_value(json!({"pipeline": pipeline(), part: value})).unwrap()
    }

    #[track_caller]
    fn assert_same(part: &str, printed: Value, plain: Value) {
        assert_eq!(read(part, printed), read(part, plain));
    }

    #[test]
    fn policies_as_texts() {
        let text = document().to_string();
        let encoded = text.replace('{', "%7B").replace('"', "%22").replace('}', "%7D");
        for policy in [json!(text), json!(encoded), json!({"Policy": text}), json!({ "Policy": document() })]
        {
            let plain = json!({KEY: {"policy": document()}});
            assert_same("keys", json!({KEY: {"policy": policy}}), plain);
        }
        assert_same("keys", json!({KEY: {"Policy": text}}), json!({KEY: {"policy": document()}}));
    }

    #[test]
    fn policy_that_is_no_document() {
        let snapshot = json!({"pipeline": pipeline(), "keys": {KEY: {"policy": "none"}}});
        assert!(Snapshot::from_value(snapshot).is_err());
    }

    #[test]
    fn role_as_get_role_prints_it() {
        let printed = json!({"Role": {"Arn": ROLE, "AssumeRolePolicyDocument": document(),
            "Tags": [{"Key": "team", "Value": "shop"}]}});
        let plain = json!({ROLE: {"trustPolicy": document(), "permissionsBoundary": null,
            "tags": {"team": "shop"}}});
        assert_same("roles", json!({ ROLE: printed }), plain);
    }

    #[test]
    fn boundary_without_its_document() {
        let printed = json!({"Role": {"AssumeRolePolicyDocument": document(),
            "PermissionsBoundary": {"PermissionsBoundaryArn": "arn:aws:iam::222222222222:policy/b"}}});
        let snapshot = read("roles", json!({ ROLE: printed }));
        let Some(Fact::Known(role)) = snapshot.roles.get(ROLE) else { panic!("{snapshot:?}") };
        assert!(role.permissions_boundary.is_unknown() && role.inline_policies.is_unknown());
    }

    #[test]
    fn roles_of_authorization_details() {
        let printed = json!([{"Arn": ROLE, "AssumeRolePolicyDocument": document(),
            "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": document()}],
            "AttachedManagedPolicies": []}]);
        let plain = json!({ROLE: {"trustPolicy": document(), "permissionsBoundary": null,
            "inlinePolicies": {"own": document()}, "attachedPolicies": {}}});
        assert_same("roles", json!({ "Roles": printed }), plain);
    }

    #[test]
    fn attached_policies_without_documents() {
        let listed =
            json!({"AttachedPolicies": [{"PolicyName": "x", "PolicyArn": "arn:aws:iam::aws:policy/x"}]});
        let snapshot = read("roles", json!({ROLE: {"attachedPolicies": listed}}));
        let Some(Fact::Known(role)) = snapshot.roles.get(ROLE) else { panic!("{snapshot:?}") };
        assert!(role.attached_policies.is_unknown());
    }

    #[test]
    fn bucket_as_its_commands_print_it() {
        let printed = json!({"Policy": document().to_string(), "LocationConstraint": null,
            "ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault":
                {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}, "BucketKeyEnabled": true}]},
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}});
        let plain = json!({"policy": document(), "region": "us-east-1",
            "encryption": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY, "BucketKeyEnabled": true},
            "objectOwnership": "BucketOwnerEnforced"});
        assert_same("buckets", json!({ "artifacts": printed }), json!({ "artifacts": plain }));
    }

    #[test]
    fn lists_in_their_envelopes() {
        let detail = json!([{"actionExecutionId": "1"}]);
        assert_same("actionExecutions", json!({ "actionExecutionDetails": detail }), detail.clone());
        assert_same("ruleExecutions", json!({ "ruleExecutionDetails": detail }), detail);
        let events = json!([{"StackName": "shop"}]);
        assert_same("stackEvents", json!({"shop": {"StackEvents": events}}), json!({ "shop": events }));
        let build = json!({"id": "b:1"});
        assert_same("builds", json!({"b:1": {"builds": [build]}}), json!({ "b:1": build }));
        let project = json!({"name": "b", "encryptionKey": KEY, "serviceRole": ROLE});
        assert_same("buildProjects", json!({ "projects": [project] }), json!({ "b": project }));
        let service = json!({"serviceName": "web"});
        assert_same(
            "services",
            json!({"c/web": {"services": [service]}}),
            json!({"c/web": {"service": service}}),
        );
    }
}
