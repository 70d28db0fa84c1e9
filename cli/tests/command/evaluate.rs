use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::{command, file, run, run_on};

const ROLE: &str = "arn:aws:iam::222222222222:role/CrossAccount_Role";

fn allow(principal: Value, action: &str) -> Value {
    let mut statement = json!({"Sid": "Let", "Effect": "Allow", "Action": action, "Resource": "*"});
    if !principal.is_null() {
        statement["Principal"] = principal;
    }
    json!({"Version": "2012-10-17", "Statement": [statement]})
}

fn question() -> Value {
    json!({
        "principal": ROLE, "action": "s3:GetObject", "resource": "arn:aws:s3:::artifacts/app.zip",
        "resourceAccount": "111111111111",
        "identityPolicies": [allow(json!(null), "s3:Get*")],
        "resourcePolicy": allow(json!({"AWS": "222222222222"}), "s3:GetObject"),
    })
}

/// The question with one member changed; null takes it out.
fn but(member: &str, value: Value) -> Value {
    let mut question = question();
    question[member] = value;
    question
}

fn answer(question: &Value) -> Value {
    let ran = run_on(&["evaluate"], question.to_string().as_bytes());
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    ran.json()
}

#[track_caller]
fn check(question: &Value, decision: &str) {
    let answer = answer(question);
    assert_eq!(answer["decision"], decision, "{question}\n{answer}");
}

#[test]
fn a_decision_comes_with_its_reason() {
    let answer = answer(&question());
    assert_eq!(answer["decision"], "allowed");
    let members: Vec<&String> = answer.as_object().unwrap().keys().collect();
    assert_eq!(members, ["decision", "because"]);
    let first = &answer["because"]["allowedBy"][0];
    assert_eq!(
        (&first["policy"], &first["statement"]),
        (&json!("identityPolicies[0]"), &json!("statement `Let`"))
    );
}

#[test]
fn every_policy_has_a_say() {
    check(&but("identityPolicies", json!([])), "implicitlyDenied");
    check(&but("identityPolicies", json!(null)), "implicitlyDenied");
    check(&but("resourcePolicy", json!(null)), "implicitlyDenied");
    check(&but("resourceAccount", json!("222222222222")), "allowed");
    check(&but("permissionsBoundary", allow(json!(null), "kms:*")), "implicitlyDenied");
    check(&but("permissionsBoundary", allow(json!(null), "s3:*")), "allowed");
    let full = json!([allow(json!(null), "*")]);
    check(&but("serviceControlPolicies", json!([full, full])), "allowed");
    check(&but("serviceControlPolicies", json!([full, []])), "implicitlyDenied");
    let mut deny = allow(json!(null), "s3:*");
    deny["Statement"][0]["Effect"] = json!("Deny");
    check(&but("serviceControlPolicies", json!([full, [full[0], deny]])), "explicitlyDenied");
    let as_text = but("resourcePolicy", json!(question()["resourcePolicy"].to_string()));
    check(&as_text, "allowed");
}

#[test]
fn the_context_is_whole() {
    let mut conditional = question();
    conditional["resourcePolicy"]["Statement"][0]["Condition"] =
        json!({"Bool": {"aws:SecureTransport": "true"}});
    check(&conditional, "implicitlyDenied");
    for (value, decision) in [
        (json!(true), "allowed"),
        (json!("true"), "allowed"),
        (json!(["true"]), "allowed"),
        (json!(false), "implicitlyDenied"),
        (json!(null), "implicitlyDenied"),
    ] {
        conditional["context"] = json!({"aws:securetransport": value});
        check(&conditional, decision);
    }
}

#[test]
fn principal_forms_are_accepted() {
    let trust = |principal: Value| allow(principal, "sts:AssumeRole");
    let ask = |principal: &str, policy: Value| json!({"principal": principal, "action": "sts:AssumeRole", "resource": ROLE, "resourcePolicy": policy});
    let service = "codepipeline.amazonaws.com";
    check(&ask(service, trust(json!({"Service": service}))), "allowed");
    check(&ask(service, trust(json!({"Service": "ec2.amazonaws.com"}))), "implicitlyDenied");
    check(&ask("*", trust(json!("*"))), "allowed");
    check(&ask("*", trust(json!({"AWS": "222222222222"}))), "implicitlyDenied");
    let session = "arn:aws:sts::222222222222:assumed-role/CrossAccount_Role/session";
    check(&but("principal", json!(session)), "allowed");
    let only = |session: &str| but("resourcePolicy", allow(json!({"AWS": session}), "s3:GetObject"));
    let mut of_session = only(session);
    of_session["principal"] = json!(session);
    check(&of_session, "allowed");
    of_session["principal"] = json!(format!("{session}2"));
    check(&of_session, "implicitlyDenied");
    check(&but("principal", json!("222222222222")), "allowed");
    check(&but("principal", json!("arn:aws:iam::222222222222:root")), "allowed");
    check(&but("principal", json!("arn:aws:iam::222222222222:user/u")), "allowed");
    check(&but("principal", json!("arn:aws:iam::333333333333:user/u")), "implicitlyDenied");
}

#[test]
fn bad_line_does_not_stop_others() {
    let good = question().to_string();
    let lines = [good.as_bytes(), b"nonsense", &[0xff, 0xfe, 0x00], b"", good.as_bytes()].join(&b"\n"[..]);
    let requests = file(&lines);
    for ran in [
        run_on(&["evaluate"], &lines),
        run_on(&["evaluate", "-"], &lines),
        run(&["evaluate", requests.path()]),
    ] {
        ran.unusable(&["2 of 4 lines", ":2:", "expected: one JSON object a line"]);
        let answers: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        // The blank line is skipped.
        assert_eq!(answers.len(), 4, "{}", ran.out);
        for (number, answer) in answers.iter().enumerate() {
            if [0, 3].contains(&number) {
                assert_eq!(answer["decision"], "allowed");
            } else {
                assert!(answer["error"].as_str().unwrap().contains(&format!(":{}:", number + 1)), "{answer}");
            }
        }
    }
}

#[test]
fn error_names_its_column() {
    for (line, says) in [
        (r#"[]"#, ":1:1: it is not a JSON object"),
        (r#"{"action": "s3:GetObject"}"#, ":1:1: `principal` is missing"),
        (r#"{"principal": 7}"#, ":1:15: `principal` is not a text"),
        (r#"{"principal": "me"}"#, ":1:15: `principal`: `me` is no requester"),
        (r#"{"principal": "*", "action": "s3"}"#, ":1:30: `action`: `s3` is not an action"),
        (
            r#"{"principal": "*", "identityPolicy": []}"#,
            ":1:38: `identityPolicy` is unknown; remove it; there are",
        ),
        (
            r#"{"principal": "*", "action": "a:b", "resource": "*", "resourceAccount": 5}"#,
            ":1:73: `resourceAccount`",
        ),
        (r#"{"principal": "*", "action": "a:b", "resource": "*", "context": 5}"#, ":1:65: `context`"),
        (
            r#"{"principal": "*", "action": "a:b", "resource": "*", "context": {"a:b": {}}}"#,
            ":1:73: `context[\"a:b\"]` is not the value of a condition key",
        ),
        (
            r#"{"principal": "*", "action": "a:b", "resource": "*", "resourcePolicy": {}}"#,
            ":1:72: `resourcePolicy`",
        ),
        (
            r#"{"principal": "*", "action": "a:b", "resource": "*", "identityPolicies": {}}"#,
            ":1:74: `identityPolicies`",
        ),
        (
            r#"{"principal": "*", "action": "a:b", "resource": "*", "serviceControlPolicies": [[{}]]}"#,
            ":1:82: `serviceControlPolicies[0][0]`",
        ),
    ] {
        let ran = run_on(&["evaluate"], line.as_bytes());
        ran.unusable(&[says]);
        assert!(ran.json()["error"].as_str().unwrap().contains(says), "{}", ran.out);
    }
}

#[test]
fn answers_are_not_buffered() {
    let mut command = command(&["evaluate"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut questions, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut answers = BufReader::new(answers).lines();
    for _ in 0..3 {
        writeln!(questions, "{}", question()).unwrap();
        assert!(answers.next().unwrap().unwrap().contains("allowed"));
    }
    drop(questions);
    assert!(child.wait().unwrap().success());
}

#[test]
fn answers_keep_order() {
    let lines: Vec<String> = (0..5000)
        .map(|number| {
            but("resourceAccount", json!(if number % 7 == 0 { "333333333333" } else { "222222222222" }))
        })
        .enumerate()
        .map(|(number, mut question)| {
            question["identityPolicies"] =
                if number % 3 == 0 { json!([]) } else { question["identityPolicies"].take() };
            question.to_string()
        })
        .collect();
    let ran = run_on(&["evaluate"], lines.join("\r\n").as_bytes());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(ran.out.lines().count(), lines.len());
    for (number, answer) in ran.out.lines().enumerate() {
        // Within one account the account's own name in the bucket policy allows nothing by itself.
        let expected = if number % 3 == 0 { "implicitlyDenied" } else { "allowed" };
        assert!(answer.contains(&format!("{{\"decision\":\"{expected}\"")), "{number}: {answer}");
    }
}
