//! What AWS would refuse by its own service models is refused here, and fails the test that sent it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;

use crosspipe_e2e::{Account, CallError, LocalAws, Venv};
use serde_json::{Value, json};

fn account() -> Account<'static> {
    let aws = LocalAws::shared();
    let [id] = aws.new_accounts();
    aws.account(id)
}

/// The call is refused, with one violation at `member` of `operation`, which the error names too.
fn assert_refused(account: &Account<'_>, answer: Result<Value, CallError>, operation: &str, member: &str) {
    let error = answer.unwrap_err();
    assert_eq!(error.status, 400, "{error}");
    assert!(error.message.contains(operation) && error.message.contains(member), "{error}");
    let taken = account.take_violations().unwrap();
    let places: Vec<_> = taken.iter().map(|one| (one.operation.as_str(), one.member.as_str())).collect();
    assert_eq!(places, [(operation, member)], "{taken:?}");
}

#[test]
fn json_members_are_checked() {
    let account = account();
    let send = |target: &str, body: Value| account.call_raw("kms", &format!("TrentService.{target}"), body);
    for (operation, body, member) in [
        ("DescribeKey", json!({}), "KeyId"),
        ("DescribeKey", json!({"KeyId": 7}), "KeyId"),
        ("DescribeKey", json!({"KeyId": "x".repeat(2_049)}), "KeyId"),
        ("DescribeKey", json!({"KeyId": "x", "KeyName": "y"}), "KeyName"),
        ("GetKeyPolicy", json!({"KeyId": "x", "PolicyName": "with space"}), "PolicyName"),
        ("Decrypt", json!({"CiphertextBlob": "?"}), "CiphertextBlob"),
        ("CreateKey", json!({"KeyUsage": "ANYTHING"}), "KeyUsage"),
        ("CreateKey", json!({"Tags": [{"TagKey": "only"}]}), "Tags[0].TagValue"),
        ("ListKeys", json!({"Limit": 0}), "Limit"),
    ] {
        assert_refused(&account, send(operation, body), operation, member);
    }
    let unknown = send("DescribeKeys", json!({}));
    assert_refused(&account, unknown, "TrentService.DescribeKeys", "(top level)");
}

#[test]
fn content_type_is_the_protocols() {
    let account = account();
    let send = |content_type: &str| {
        let params =
            json!({"target": "DynamoDB_20120810.ListTables", "body": {}, "content_type": content_type});
        account.call("dynamodb", "raw", params)
    };
    send("application/x-amz-json-1.0").unwrap();
    assert_refused(&account, send("application/x-amz-json-1.1"), "ListTables", "Content-Type");
    assert_refused(&account, send("application/cbor"), "ListTables", "Content-Type");
}

#[test]
fn forms_and_rest_are_checked() {
    let account = account();
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    for (service, call, request, operation, member) in [
        (
            "iam",
            "create_role",
            json!({"RoleName": "no spaces", "AssumeRolePolicyDocument": policy}),
            "CreateRole",
            "RoleName",
        ),
        (
            "iam",
            "create_role",
            json!({"RoleName": "tagged", "AssumeRolePolicyDocument": policy, "Tags": [{"Key": "a", "Value": "b".repeat(257)}]}),
            "CreateRole",
            "Tags[0].Value",
        ),
        (
            "cloudformation",
            "create_stack",
            json!({"StackName": "s", "TemplateBody": "{}", "Capabilities": ["CAPABILITY_ALL"]}),
            "CreateStack",
            "Capabilities[0]",
        ),
        (
            "s3",
            "put_bucket_versioning",
            json!({"Bucket": "some-bucket", "VersioningConfiguration": {"Status": "On"}}),
            "PutBucketVersioning",
            "VersioningConfiguration.Status",
        ),
        (
            "s3",
            "put_object",
            json!({"Bucket": "some-bucket", "Key": "k", "ServerSideEncryption": "kms"}),
            "PutObject",
            "x-amz-server-side-encryption",
        ),
        ("lambda", "get_function", json!({"FunctionName": "no spaces"}), "GetFunction", "FunctionName"),
    ] {
        assert_refused(&account, account.call(service, call, request), operation, member);
    }
}

#[test]
fn a_violation_fails_its_test() {
    let failed = catch_unwind(AssertUnwindSafe(|| {
        let account = account();
        let refused = account.call_raw("kms", "TrentService.DescribeKey", json!({"KeyName": "x"}));
        refused.unwrap_err();
    }))
    .unwrap_err();
    let said = failed.downcast_ref::<String>().unwrap();
    assert!(said.contains("kms:DescribeKey") && said.contains("'KeyName': no such member"), "{said}");
    assert!(said.contains("'KeyId': is required and missing"), "{said}");
}

#[test]
fn new_members_are_let_through() {
    let [old, new] = LocalAws::shared().new_accounts().map(|id| LocalAws::shared().account(id));
    new.add_new_members("kms", &["KeyName"]).unwrap();
    let list =
        |account: &Account<'_>| account.call_raw("kms", "TrentService.ListKeys", json!({"KeyName": "x"}));
    list(&new).unwrap();
    assert_refused(&old, list(&old), "ListKeys", "KeyName");
}

#[test]
fn operations_seen_are_listed() {
    account().call("kms", "list_aliases", json!({})).unwrap();
    let seen = LocalAws::shared().control("operations", &json!({})).unwrap();
    assert!(seen["operations"]["kms"]["ListAliases"].as_u64() > Some(0), "{seen}");
}

#[test]
fn answers_are_checked_by_shape() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("local-aws");
    let output = Command::new(Venv::ensure().unwrap().python())
        .args(["-m", "unittest", "-v", "unit_tests.test_answers"])
        .env("PYTHONPATH", &source)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(&source)
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && printed.contains("Ran 6 tests"), "{printed}");
}
