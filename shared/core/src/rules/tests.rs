//! Each rule with a fault that it must find and the traps that it must not fall into.

use crosspipe_testing::walkthrough::{A, B, BUCKET, KEY, SERVICE_ROLE, TARGET_ROLE, corrected};
use serde_json::{Value, json};

use super::{Severity, Verdicts, lint};
use crate::snapshot::Snapshot;

fn run(snapshot: Value) -> Verdicts {
    lint(&Snapshot::from_value(snapshot).unwrap()).unwrap()
}

/// What the rules find after `change` was made to the corrected walkthrough, and what they can't judge.
fn check(change: impl FnOnce(&mut Value), findings: &[&str], unknown: &[&str]) -> Verdicts {
    let mut snapshot = corrected();
    change(&mut snapshot);
    let verdicts = run(snapshot);
    let found: Vec<&str> = verdicts.findings.iter().map(|finding| finding.rule).collect();
    assert_eq!(found, findings, "{:#?}", verdicts.findings);
    let open: Vec<&str> = verdicts.unknown.iter().map(|unknown| unknown.rule).collect();
    assert_eq!(open, unknown, "{:#?}", verdicts.unknown);
    verdicts
}

fn set(pointer: &str, value: Value) -> impl FnOnce(&mut Value) {
    move |snapshot| *snapshot.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value
}

fn statements(of: &str, name: &str, statements: Value) -> impl FnOnce(&mut Value) {
    let (of, name) = (of.to_owned(), name.to_owned());
    move |snapshot| {
        let place = match name.as_str() {
            "policy" | "trustPolicy" => {
                &mut snapshot[if of == KEY {
                    "keys"
                } else if of == BUCKET {
                    "buckets"
                } else {
                    "roles"
                }][of][name]
            }
            _ => &mut snapshot["roles"][of]["inlinePolicies"][name],
        };
        *place = json!({"Version": "2012-10-17", "Statement": statements});
    }
}

const STORE: &str = "/pipeline/pipeline/artifactStore/encryptionKey/id";
const DEPLOY: &str = "/pipeline/pipeline/stages/1/actions/0";

#[test]
fn the_corrected_walkthrough_is_accepted() {
    check(|_| (), &[], &[]);
}

#[test]
fn a_pipeline_alone_gives_the_structure_rules() {
    let verdicts = run(corrected()["pipeline"].clone());
    assert!(verdicts.findings.is_empty());
    let unknown: Vec<&str> = verdicts.unknown.iter().map(|unknown| unknown.rule).collect();
    assert_eq!(unknown, ["IA001", "IA002", "IA004", "IA005", "KM001", "S3001"]);
}

#[test]
fn pl001_needs_a_key_only_for_artifacts_that_leave_the_account() {
    let no_key = |snapshot: &mut Value| {
        snapshot["pipeline"]["pipeline"]["artifactStore"].as_object_mut().unwrap().remove("encryptionKey");
    };
    let verdicts = check(no_key, &["PL001"], &[]);
    assert_eq!(verdicts.findings[0].location, "artifactStore");
    let without_artifacts = |snapshot: &mut Value| {
        no_key(snapshot);
        set(&format!("{DEPLOY}/inputArtifacts"), json!([]))(snapshot);
    };
    check(without_artifacts, &[], &[]);
    let own_account = |snapshot: &mut Value| {
        no_key(snapshot);
        set(&format!("{DEPLOY}/roleArn"), json!(format!("arn:aws:iam::{A}:role/Own")))(snapshot);
    };
    check(own_account, &[], &[]);
}

#[test]
fn pl002_and_pl003_want_an_arn() {
    check(set(STORE, json!("1234abcd-12ab-34cd-56ef-1234567890ab")), &["PL002"], &[]);
    check(set(STORE, json!("alias/pipeline")), &["PL003"], &[]);
    check(set(STORE, json!(format!("arn:aws:kms:us-east-2:{A}:alias/pipeline"))), &["PL003"], &[]);
}

#[test]
fn pl004_compares_regions() {
    let other = KEY.replace("us-east-2", "us-east-1");
    let verdicts = check(set(STORE, json!(other)), &["IA004", "PL004"], &["KM001"]);
    assert!(verdicts.findings[1].message.contains("us-east-1"));
    let nowhere = |snapshot: &mut Value| {
        snapshot["pipeline"].as_object_mut().unwrap().remove("metadata");
        snapshot["buckets"][BUCKET].as_object_mut().unwrap().remove("region");
    };
    check(nowhere, &[], &["PL004"]);
}

#[test]
fn pl005_wants_the_key_in_the_pipelines_account() {
    let other = KEY.replace(A, "333333333333");
    let verdicts = check(set(STORE, json!(other)), &["IA004", "PL005"], &["KM001"]);
    assert_eq!(verdicts.findings[1].severity, Severity::Warning);
}

/// A build in account C that makes what account B deploys.
fn built_elsewhere(account: &str) -> impl FnOnce(&mut Value) {
    let role = format!("arn:aws:iam::{account}:role/Build");
    move |snapshot| {
        let source = snapshot.pointer_mut("/pipeline/pipeline/stages/0/actions/0").unwrap();
        source["roleArn"] = json!(role);
    }
}

fn has(verdicts: &Verdicts, rule: &str) -> bool {
    verdicts.findings.iter().any(|finding| finding.rule == rule)
}

fn after(change: impl FnOnce(&mut Value)) -> Verdicts {
    let mut snapshot = corrected();
    change(&mut snapshot);
    run(snapshot)
}

#[test]
fn pl006_artifacts_pass_through_the_pipelines_account() {
    let verdicts = after(built_elsewhere("333333333333"));
    assert!(has(&verdicts, "PL006"));
    let finding = verdicts.findings.iter().find(|finding| finding.rule == "PL006").unwrap();
    assert_eq!(finding.location, "stages[1].actions[0].inputArtifacts[0]");
    // Made in the pipeline's own account, or in the very account that uses it.
    assert!(!has(&after(built_elsewhere(A)), "PL006"));
    assert!(!has(&after(built_elsewhere(B)), "PL006"));
}

#[test]
fn pl007_only_actions_of_aws_work_across_accounts() {
    let kind = |owner: &str| set("/pipeline/pipeline/stages/1/actions/0/actionTypeId/owner", json!(owner));
    assert_eq!(check(kind("Custom"), &["PL007"], &[]).findings[0].location, "stages[1].actions[0].roleArn");
    check(kind("AWS"), &[], &[]);
}

#[test]
fn pl009_each_region_has_a_store() {
    let region = |region: &str| {
        set(DEPLOY, {
            let mut action = corrected().pointer(DEPLOY).unwrap().clone();
            action["region"] = json!(region);
            action
        })
    };
    let verdicts = after(region("eu-west-1"));
    let finding = verdicts.findings.iter().find(|finding| finding.rule == "PL009").unwrap();
    assert_eq!(finding.location, "stages[1].actions[0].region");
    check(region("us-east-2"), &[], &[]);
    let both = |snapshot: &mut Value| {
        let pipeline = &mut snapshot["pipeline"]["pipeline"];
        pipeline["artifactStores"] = json!({"us-east-2": pipeline["artifactStore"]});
    };
    assert!(has(&after(both), "PL009"));
    let regional = |snapshot: &mut Value| {
        both(snapshot);
        snapshot["pipeline"]["pipeline"].as_object_mut().unwrap().remove("artifactStore");
    };
    check(regional, &[], &[]);
}

#[test]
fn pl010_outputs_of_a_build_in_the_target_account_are_doubtful() {
    let build = |outputs: Value| {
        move |snapshot: &mut Value| {
            let action = snapshot.pointer_mut(DEPLOY).unwrap();
            action["actionTypeId"]["provider"] = json!("CodeBuild");
            action["outputArtifacts"] = outputs;
        }
    };
    let verdicts = after(build(json!([{"name": "Built"}])));
    assert!(has(&verdicts, "PL010"));
    assert!(!has(&after(build(json!([]))), "PL010"));
}

#[test]
fn pl011_sources_stay_in_the_pipelines_region() {
    const SOURCE: &str = "/pipeline/pipeline/stages/0/actions/0";
    let region = |region: &str| {
        set(SOURCE, {
            let mut action = corrected().pointer(SOURCE).unwrap().clone();
            action["region"] = json!(region);
            action
        })
    };
    assert!(has(&after(region("eu-west-1")), "PL011"));
    check(region("us-east-2"), &[], &[]);
}

#[test]
fn pl008_compares_the_accounts_of_the_two_roles() {
    let stack = |role: &str| {
        let (action_type, role) = (json!("CloudFormation"), json!(role));
        move |snapshot: &mut Value| {
            let action = snapshot.pointer_mut(DEPLOY).unwrap();
            action["actionTypeId"]["provider"] = action_type;
            action["configuration"] = json!({"RoleArn": role});
        }
    };
    check(stack(&format!("arn:aws:iam::{A}:role/Stack")), &["PL008"], &[]);
    check(stack(&format!("arn:aws:iam::{B}:role/Stack")), &[], &[]);
}

#[test]
fn km001_evaluates_the_key_policy() {
    let root = |account: &str, actions: Value| json!({"Effect": "Allow", "Principal": {"AWS": account}, "Action": actions, "Resource": "*"});
    let verdicts = check(statements(KEY, "policy", json!([root(A, json!("kms:*"))])), &["KM001"], &[]);
    assert!(
        verdicts.findings[0].fix.contains(&format!("arn:aws:iam::{B}:root")),
        "{}",
        verdicts.findings[0].fix
    );
    // A statement that lets the target administer the key does not let it decrypt.
    let admin = json!([root(A, json!("kms:*")), root(B, json!(["kms:Describe*", "kms:Put*"]))]);
    check(statements(KEY, "policy", admin), &["KM001"], &[]);
    // Traps: a bare account id, everyone of the organization, a grant.
    check(statements(KEY, "policy", json!([root(B, json!("kms:*"))])), &[], &[]);
    let organization = json!([{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}]);
    check(statements(KEY, "policy", organization), &[], &["KM001"]);
    let granted = |snapshot: &mut Value| {
        statements(KEY, "policy", json!([root(A, json!("kms:*"))]))(snapshot);
        snapshot["keys"][KEY]["grants"] =
            json!([{"GranteePrincipal": TARGET_ROLE, "Operations": ["Decrypt", "DescribeKey"]}]);
    };
    check(granted, &[], &[]);
    let grants_not_read = |snapshot: &mut Value| {
        statements(KEY, "policy", json!([root(A, json!("kms:*"))]))(snapshot);
        snapshot["keys"][KEY].as_object_mut().unwrap().remove("grants");
    };
    check(grants_not_read, &[], &["KM001"]);
    let not_read = |snapshot: &mut Value| snapshot["keys"].as_object_mut().unwrap().clear();
    check(not_read, &[], &["KM001"]);
}

#[test]
fn s3001_evaluates_the_bucket_policy() {
    let allow = |action: &str, resource: &str| json!({"Effect": "Allow", "Principal": {"AWS": B}, "Action": action, "Resource": resource});
    let objects = format!("arn:aws:s3:::{BUCKET}/*");
    check(set(&format!("/buckets/{BUCKET}/policy"), Value::Null), &["S3001"], &[]);
    // Object actions on the bucket's own ARN: the swap that is common.
    let swapped =
        json!([allow("s3:GetObject", &format!("arn:aws:s3:::{BUCKET}")), allow("s3:ListBucket", &objects)]);
    check(statements(BUCKET, "policy", swapped), &["S3001"], &[]);
    check(statements(BUCKET, "policy", json!([allow("s3:GetObject", &objects)])), &[], &[]);
    check(
        statements(
            BUCKET,
            "policy",
            json!([allow("s3:GetObject", &format!("arn:aws:s3:::{BUCKET}/MyFirstPipeline/*"))]),
        ),
        &[],
        &[],
    );
    let denied = json!([allow("s3:*", &objects), {"Sid": "Nobody", "Effect": "Deny", "NotPrincipal": {"AWS": "333333333333"}, "Action": "s3:*", "Resource": "*"}]);
    check(statements(BUCKET, "policy", denied), &["S3001"], &[]);
    // It spares the account, and whether that spares its role is not said.
    let denied = json!([allow("s3:*", &objects), {"Effect": "Deny", "NotPrincipal": {"AWS": B}, "Action": "s3:*", "Resource": "*"}]);
    check(statements(BUCKET, "policy", denied), &[], &["S3001"]);
    let denied = json!([allow("s3:*", &objects), {"Sid": "Nobody", "Effect": "Deny", "Principal": "*", "Action": "s3:Get*", "Resource": objects}]);
    let verdicts = check(statements(BUCKET, "policy", denied), &["S3001"], &[]);
    assert!(verdicts.findings[0].because.contains("`Nobody`"), "{}", verdicts.findings[0].because);
}

#[test]
fn ia001_evaluates_the_service_role() {
    let assume =
        |resource: &str| json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": resource});
    check(statements(SERVICE_ROLE, "assume", json!([])), &["IA001"], &[]);
    check(
        statements(SERVICE_ROLE, "assume", json!([assume("arn:aws:iam::*:role/CrossAccount_*")])),
        &[],
        &[],
    );
    let boundary = |snapshot: &mut Value| {
        snapshot["roles"][SERVICE_ROLE]["permissionsBoundary"] =
            json!({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}});
    };
    let verdicts = check(boundary, &["IA001"], &[]);
    assert!(verdicts.findings[0].because.contains("permissions boundary"));
}

#[test]
fn ia002_evaluates_the_trust_policy() {
    let trust = |principal: Value, condition: Value| {
        statements(
            TARGET_ROLE,
            "trustPolicy",
            json!([{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition}]),
        )
    };
    check(trust(json!({"AWS": "AROAEXAMPLEEXAMPLE12"}), json!({})), &["IA002"], &[]);
    check(
        trust(json!({"AWS": SERVICE_ROLE}), json!({"StringEquals": {"sts:ExternalId": "x"}})),
        &["IA002"],
        &[],
    );
    check(
        set("/roles/arn:aws:iam::222222222222:role~1CrossAccount_Role", Value::Null),
        &["IA002"],
        &["IA004", "IA005"],
    );
    // Traps: the account by number, by root with a condition, and a condition that CodePipeline meets.
    check(trust(json!({"AWS": A}), json!({})), &[], &[]);
    check(
        trust(
            json!({"AWS": "*"}),
            json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/service-role/Code*"}}),
        ),
        &[],
        &[],
    );
    check(trust(json!({"AWS": SERVICE_ROLE}), json!({"Bool": {"aws:ViaAWSService": false}})), &[], &[]);
}

#[test]
fn ia004_and_ia005_evaluate_the_action_role() {
    let allow =
        |action: &str, resource: &str| json!([{"Effect": "Allow", "Action": action, "Resource": resource}]);
    // The key's ARN with the target account's id is the classic slip.
    check(statements(TARGET_ROLE, "key", allow("kms:*", &KEY.replace(A, B))), &["IA004"], &[]);
    check(
        statements(TARGET_ROLE, "artifacts", allow("s3:GetObject", &format!("arn:aws:s3:::{BUCKET}"))),
        &["IA005"],
        &[],
    );
    check(statements(TARGET_ROLE, "artifacts", allow("s3:*", "*")), &[], &[]);
    let unread = |snapshot: &mut Value| {
        statements(TARGET_ROLE, "key", json!([]))(snapshot);
        snapshot["roles"][TARGET_ROLE].as_object_mut().unwrap().remove("attachedPolicies");
    };
    // What was not read could also deny.
    check(unread, &[], &["IA004", "IA005"]);
}
