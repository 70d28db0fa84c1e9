//! Policies that AWS would never have saved.

use serde_json::{Value, json};

use super::super::{B, KEY, ROLE, allow, check, grant, question};

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>: neither the Allow nor
/// the Deny of such a policy counts.
#[test]
fn what_cannot_be_saved_is_unknown() {
    for statement in [
        json!({"Effect": "allow", "Action": "*", "Resource": "*"}),
        json!({"Effect": "deny", "Action": "*", "Resource": "*"}),
        json!({"Action": "*", "Resource": "*"}),
        json!({"Effect": "Allow", "Resource": "*"}),
        json!({"Effect": "Allow", "Action": "*"}),
        json!({"Effect": "Deny", "Action": "*"}),
        json!({"Effect": "Allow", "Action": [], "Resource": "*"}),
        json!({"Effect": "Allow", "Action": "GetObject", "Resource": "*"}),
        json!({"Effect": "Allow", "Action": 1, "Resource": "*"}),
        json!({"Effect": "Allow", "Action": "*", "NotAction": "s3:*", "Resource": "*"}),
        json!({"Effect": "Allow", "Action": "*", "Resource": "*", "NotResource": "arn:aws:s3:::b"}),
        json!({"Effect": "Allow", "Action": "*", "Resource": "artifacts"}),
        json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"}),
        json!({"Effect": "Allow", "action": "*", "Resource": "*"}),
        json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"aws:SourceIp": "10.0.0.0/8"}}),
        json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": "none"}),
        json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringAlmost": {"k": "v"}}}),
        json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"k": null}}}),
    ] {
        let identity = json!({"Version": "2012-10-17", "Statement": [allow()["Statement"], statement]});
        check(json!({"identityPolicies": [identity]}), "unknown");
        check(json!({"identityPolicies": [allow()], "serviceControlPolicies": [[identity]]}), "unknown");
        check(json!({"identityPolicies": [allow()], "permissionsBoundary": identity}), "unknown");
    }
    let future = json!({"Version": "2031-01-01", "Statement": allow()["Statement"]});
    check(json!({"identityPolicies": [future]}), "unknown");
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>
#[test]
fn resource_policies_need_a_principal() {
    let statement = |more: Value| {
        let mut statement = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        statement.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"Version": "2012-10-17", "Statement": statement})
    };
    for faulty in [
        statement(json!({})),
        statement(json!({"Principal": ROLE})),
        statement(json!({"Principal": {}})),
        statement(json!({"Principal": {"aws": "*"}})),
        statement(json!({"Principal": "*", "NotPrincipal": "*"})),
        json!({"Statement": {"Effect": "Allow", "Action": "*", "Principal": "*"}}),
    ] {
        check(json!({"principal": "*", "resourcePolicy": faulty}), "unknown");
        check(json!({"principal": ROLE, "resourcePolicy": faulty}), "unknown");
        // The requester's side is missing, whatever the policy says.
        check(json!({"principal": ROLE, "resourceAccount": B, "resourcePolicy": faulty}), "implicitlyDenied");
    }
}

/// <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html>
#[test]
fn key_statement_needs_resource() {
    let mut policy = grant(ROLE);
    let asked = |policy: &Value, expected| {
        check(
            json!({"principal": ROLE, "action": "kms:Decrypt", "resource": KEY, "resourcePolicy": policy}),
            expected,
        );
    };
    asked(&policy, "allowed");
    policy["Statement"].as_object_mut().unwrap().remove("Resource");
    asked(&policy, "implicitlyDenied");
}

#[test]
fn the_fault_is_named() {
    let faulty = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*"}]});
    let question = question(&json!({"identityPolicies": [allow(), faulty]}));
    let because = question.evaluate().because();
    let [refused] = because.refused_policies.as_slice() else { unreachable!("{because:?}") };
    assert_eq!(refused.policy, "identityPolicies[1]");
    assert_eq!(refused.fault, "`Statement[0]` has no `Resource`");
}
