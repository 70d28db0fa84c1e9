//! Cases from AWS's own documentation, each table with its page.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use crosspipe_core::evaluation::{Question, Side, Ternary};
use serde_json::{Map, Value, json};

mod evaluation_cases;

const A: &str = "111111111111";
const B: &str = "222222222222";
const ROLE: &str = "arn:aws:iam::111111111111:role/Deploy";
const SESSION: &str = "arn:aws:sts::111111111111:assumed-role/Deploy/s1";
const USER: &str = "arn:aws:iam::111111111111:user/alice";
const OBJECT: &str = "arn:aws:s3:::artifacts/key";
const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/k";

/// A question with these members in place of, or beside, those of a user's read of an object in its own
/// account.
fn question(members: &Value) -> Question {
    let mut question =
        json!({"principal": USER, "action": "s3:GetObject", "resource": OBJECT, "resourceAccount": A});
    question.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    serde_json::from_value(question).unwrap()
}

fn check(members: Value, expected: &str) {
    let question = question(&members);
    let evaluation = question.evaluate();
    let decision = serde_json::to_value(evaluation.decision).unwrap();
    assert_eq!(decision, expected, "{members:#}\n{:?}", evaluation.because());
}

/// A policy of one statement.
fn policy(effect: &str, more: Value) -> Value {
    let mut statement = Map::from_iter([
        ("Effect".to_owned(), json!(effect)),
        ("Action".to_owned(), json!("*")),
        ("Resource".to_owned(), json!("*")),
    ]);
    statement.extend(more.as_object().unwrap().clone());
    if statement.contains_key("NotResource") {
        statement.remove("Resource");
    }
    json!({"Version": "2012-10-17", "Statement": statement})
}

fn allow() -> Value {
    policy("Allow", json!({}))
}

fn nothing() -> Value {
    policy("Allow", json!({"Action": "ec2:*"}))
}

fn grant(principal: &str) -> Value {
    policy("Allow", json!({"Principal": {"AWS": principal}}))
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html>:
/// what a resource policy grants to a session's or a user's ARN is not limited by implicit denials, what it
/// grants to a role's ARN is limited by boundary and session policies.
#[test]
fn boundaries_limit_by_named_principal() {
    for (principal, named, expected) in [
        (SESSION, SESSION, "allowed"),
        (SESSION, ROLE, "implicitlyDenied"),
        (SESSION, "*", "unknown"),
        (USER, USER, "allowed"),
        (ROLE, ROLE, "implicitlyDenied"),
        (ROLE, SESSION, "unknown"),
    ] {
        check(
            json!({"principal": principal, "resourcePolicy": grant(named), "permissionsBoundary": nothing()}),
            expected,
        );
    }
    for (named, expected) in [(SESSION, "allowed"), (ROLE, "implicitlyDenied")] {
        check(
            json!({"principal": SESSION, "resourcePolicy": grant(named), "sessionPolicies": [nothing()]}),
            expected,
        );
    }
    check(
        json!({"principal": SESSION, "resourcePolicy": grant(ROLE), "permissionsBoundary": allow()}),
        "allowed",
    );
    check(json!({"identityPolicies": [allow()], "permissionsBoundary": nothing()}), "implicitlyDenied");
    check(
        json!({"principal": SESSION, "identityPolicies": [allow()], "sessionPolicies": [nothing()]}),
        "implicitlyDenied",
    );
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html>
#[test]
fn across_accounts_both_sides_allow() {
    let both = |identity: Value, resource: Value, expected| {
        check(
            json!({"resourceAccount": B, "identityPolicies": [identity], "resourcePolicy": resource}),
            expected,
        );
    };
    both(allow(), grant(A), "allowed");
    both(allow(), grant(USER), "allowed");
    both(nothing(), grant(USER), "implicitlyDenied");
    both(allow(), grant(B), "implicitlyDenied");
    // The whole limit counts across accounts, whoever is named.
    check(
        json!({"principal": SESSION, "resourceAccount": B, "identityPolicies": [allow()], "resourcePolicy": grant(SESSION), "permissionsBoundary": nothing()}),
        "implicitlyDenied",
    );
}

/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html>
#[test]
fn every_scp_level_must_allow() {
    let levels = |levels: Value, expected| {
        check(json!({"identityPolicies": [allow()], "serviceControlPolicies": levels}), expected);
    };
    levels(json!([[allow()], [allow()]]), "allowed");
    levels(json!([[allow()], [nothing()]]), "implicitlyDenied");
    levels(json!([[allow(), policy("Deny", json!({"Action": "s3:*"}))]]), "explicitlyDenied");
    let members = json!({"identityPolicies": [allow()], "serviceControlPolicies": [[allow()], [nothing()]]});
    let question = question(&members);
    let evaluation = question.evaluate();
    assert_eq!(evaluation.because().not_allowed_by, [Side::Resource, Side::ServiceControl]);
    assert_eq!(evaluation.permits(Side::ServiceControl), Ternary::No);
}

/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html>
#[test]
fn resource_control_policies_only_deny() {
    let deny = policy(
        "Deny",
        json!({"Principal": "*", "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}}),
    );
    let with = |organization: &str, expected| {
        check(
            json!({"identityPolicies": [allow()], "context": {"aws:PrincipalOrgID": organization}, "resourceControlPolicies": [[deny]]}),
            expected,
        );
    };
    with("o-1", "allowed");
    with("o-2", "explicitlyDenied");
}

/// <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#key-policy-default-allow-root-enable-iam>
/// and <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html>
#[test]
fn keys_need_delegation_or_grant() {
    let use_key = |action: &str, more: Value, expected| {
        let mut members = json!({"principal": ROLE, "action": action, "resource": KEY});
        members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        check(members, expected);
    };
    let root = "arn:aws:iam::111111111111:root";
    use_key("kms:Decrypt", json!({"identityPolicies": [allow()], "resourcePolicy": grant(root)}), "allowed");
    use_key(
        "kms:Decrypt",
        json!({"identityPolicies": [allow()], "resourcePolicy": grant(B)}),
        "implicitlyDenied",
    );
    use_key("kms:Decrypt", json!({"resourcePolicy": grant(root)}), "implicitlyDenied");
    use_key("kms:Decrypt", json!({"resourcePolicy": grant(ROLE)}), "allowed");
    // Another partition's account is another account.
    use_key(
        "kms:Decrypt",
        json!({"identityPolicies": [allow()], "resourcePolicy": grant("arn:aws-cn:iam::111111111111:root")}),
        "implicitlyDenied",
    );
    // No key is meant, so there is no key policy.
    use_key("kms:ListKeys", json!({"resource": "*", "identityPolicies": [allow()]}), "allowed");

    let granted = |grantee: &str, operations: &[&str]| json!({"resourcePolicy": grant(B), "keyGrants": [{"GranteePrincipal": grantee, "Operations": operations}]});
    use_key("kms:Decrypt", granted(ROLE, &["Decrypt"]), "allowed");
    use_key("kms:Encrypt", granted(ROLE, &["Decrypt"]), "implicitlyDenied");
    use_key("kms:GenerateDataKeyWithoutPlaintext", granted(ROLE, &["GenerateDataKey"]), "implicitlyDenied");
    use_key("kms:ReEncryptTo", granted(ROLE, &["ReEncryptFrom", "ReEncryptTo"]), "allowed");
    use_key("kms:ReEncrypt", granted(ROLE, &["ReEncryptFrom"]), "implicitlyDenied");
    use_key("kms:Decrypt", granted(USER, &["Decrypt"]), "implicitlyDenied");
    use_key("kms:Decrypt", granted(root, &["Decrypt"]), "unknown");
    let denied = json!({"resourcePolicy": policy("Deny", json!({"Principal": "*"})), "keyGrants": [{"GranteePrincipal": ROLE, "Operations": ["Decrypt"]}]});
    use_key("kms:Decrypt", denied, "explicitlyDenied");
}
