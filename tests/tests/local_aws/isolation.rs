//! The test's own hand: faults, calls that were made, servers that end.

use std::fs;
use std::net::TcpStream;
use std::process::Command;

use crosspipe_e2e::{CallError, LocalAws, Venv};
use serde_json::json;

#[test]
fn faults_strike_as_often_as_asked() {
    let aws = LocalAws::shared();
    let [a, b] = aws.new_accounts().map(|id| aws.account(id));
    let throttled = CallError {
        code: "ThrottlingException".to_owned(),
        message: "Rate exceeded".to_owned(),
        status: 400,
    };
    aws.fault(a.id(), "kms", "ListKeys", 2, &throttled).unwrap();
    let list = |account: &crosspipe_e2e::Account<'_>| account.call("kms", "list_keys", json!({}));
    assert_eq!(list(&a).unwrap_err(), throttled);
    list(&b).unwrap();
    assert_eq!(list(&a).unwrap_err(), throttled);
    list(&a).unwrap();

    // The XML services answer in their own form.
    let conflict =
        CallError { code: "OperationAborted".to_owned(), message: "conflict".to_owned(), status: 409 };
    aws.fault(a.id(), "s3", "PutBucketPolicy", 1, &conflict).unwrap();
    let put = a.call("s3", "put_bucket_policy", json!({"Bucket": "none", "Policy": "{}"}));
    assert_eq!(put.unwrap_err(), conflict);
    let failure = CallError { code: "ServiceFailure".to_owned(), message: "later".to_owned(), status: 500 };
    aws.fault(a.id(), "iam", "ListRoles", 1, &failure).unwrap();
    assert_eq!(a.call("iam", "list_roles", json!({})).unwrap_err(), failure);
}

#[test]
fn late_fault_loses_only_the_answer() {
    let aws = LocalAws::shared();
    let [id] = aws.new_accounts();
    let account = aws.account(id);
    let fault = json!({
        "account": account.id(), "service": "sns", "operation": "CreateTopic", "status": 500,
        "code": "InternalError", "after": true,
    });
    aws.control("fault", &fault).unwrap();
    assert_eq!(
        account.call("sns", "create_topic", json!({"Name": "made"})).unwrap_err().code,
        "InternalError"
    );
    let listed = account.call("sns", "list_topics", json!({})).unwrap();
    assert_eq!(listed["Topics"].as_array().map(Vec::len), Some(1));

    let calls = aws.control("calls", &json!({"account": account.id()})).unwrap();
    let made: Vec<_> =
        calls["calls"].as_array().unwrap().iter().map(|call| call["operation"].clone()).collect();
    assert_eq!(made, ["CreateTopic", "ListTopics"]);
    let error = aws.control("fault", &json!({"service": "sns"})).unwrap_err();
    assert!(error.message.contains("'operation' is missing"), "{error}");
}

#[test]
fn own_server_ends_when_dropped() {
    let aws = LocalAws::start().unwrap();
    let address = aws.endpoint().trim_start_matches("http://").to_owned();
    aws.account("123456789012").call("sts", "get_caller_identity", json!({})).unwrap();
    assert!(aws.log_path().is_file());
    drop(aws);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn only_loopback_is_listened_on() {
    let port: u16 = LocalAws::shared().endpoint().rsplit(':').next().unwrap().parse().unwrap();
    // `local_address` is the second column: hexadecimal, the address in network order.
    let listening = |table: &str| {
        let lines = fs::read_to_string(table).unwrap_or_default();
        let columns = lines.lines().filter_map(|line| line.split_whitespace().nth(1).map(str::to_owned));
        columns.filter(|address| address.ends_with(&format!(":{port:04X}"))).collect::<Vec<_>>()
    };
    let loopback = format!("0100007F:{port:04X}");
    let found = listening("/proc/net/tcp");
    assert!(found.contains(&loopback));
    assert!(!found.iter().any(|address| address.starts_with("00000000")), "{found:?}");
    assert_eq!(listening("/proc/net/tcp6"), Vec::<String>::new());
}

#[test]
fn cfn_lint_is_there() {
    let output = Command::new(Venv::ensure().unwrap().cfn_lint()).arg("--version").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("1.58"), "{output:?}");
}
