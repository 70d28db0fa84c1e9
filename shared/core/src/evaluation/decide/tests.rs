//! Cases from AWS's evaluation pages, one line each.

use serde_json::{Value, json};

use super::*;
use crate::evaluation::{Context, PolicySet, ResourcePolicy};
use crate::policy::PolicyDocument;

const A: &str = "111111111111";
const B: &str = "222222222222";

fn document(statements: Value) -> PolicyDocument {
    PolicyDocument::from_value(json!({"Version": "2012-10-17", "Statement": statements})).unwrap()
}

/// A role in B asks for something in A.
fn check(action: &str, resource: &str, requester: &str, identity: Value, policy: Value, expected: Decision) {
    let (identity, policy) = (document(identity), document(policy));
    let request = Request {
        requester: Requester::Role(Arn::parse(requester).unwrap()),
        action,
        resource,
        resource_account: Some(A),
        context: Context::partial(),
    };
    let policies = Policies {
        identity: PolicySet::Known(vec![("inline".into(), &identity)]),
        resource: ResourcePolicy::Known(&policy),
        permissions_boundary: None,
        service_control_policies: vec![],
        key_grants: vec![],
    };
    let evaluation = evaluate(&request, &policies);
    assert_eq!(evaluation.decision, expected, "{action} by {requester}: {:?}", evaluation.because());
}

fn role(account: &str) -> String {
    format!("arn:aws:iam::{account}:role/x")
}

#[test]
fn cross_account_needs_both_sides() {
    let object = "arn:aws:s3:::b/k";
    let allow = json!({"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*"});
    let grant = |principal: Value| json!({"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"});
    let get = |identity: Value, policy: Value, expected| {
        check("s3:GetObject", object, &role(B), identity, policy, expected)
    };
    get(allow.clone(), grant(json!({"AWS": B})), Decision::Allowed);
    get(allow.clone(), grant(json!({"AWS": role(B)})), Decision::Allowed);
    get(allow.clone(), grant(json!("*")), Decision::Allowed);
    get(allow.clone(), grant(json!({"AWS": A})), Decision::ImplicitlyDenied);
    get(allow.clone(), grant(json!({"AWS": "AROAEXAMPLEEXAMPLE12"})), Decision::ImplicitlyDenied);
    get(json!([]), grant(json!({"AWS": role(B)})), Decision::ImplicitlyDenied);
    let deny = json!({"Effect": "Deny", "NotAction": "s3:Put*", "Resource": "*"});
    get(json!([allow, deny]), grant(json!("*")), Decision::ExplicitlyDenied);
}

#[test]
fn same_account_needs_either_side() {
    let object = "arn:aws:s3:::b/k";
    let allow = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"});
    let name =
        |principal: Value| json!({"Effect": "Allow", "Principal": principal, "Action": "*", "Resource": "*"});
    check("s3:GetObject", object, &role(A), allow, json!([]), Decision::Allowed);
    check("s3:GetObject", object, &role(A), json!([]), name(json!({"AWS": role(A)})), Decision::Allowed);
    check("s3:GetObject", object, &role(A), json!([]), name(json!({"AWS": A})), Decision::ImplicitlyDenied);
}

#[test]
fn a_key_policy_names_or_delegates() {
    let key = "arn:aws:kms:eu-west-1:111111111111:key/k";
    let allow = json!({"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key});
    let root = |actions: &str| json!({"Effect": "Allow", "Principal": {"AWS": A}, "Action": actions, "Resource": "*"});
    let decrypt = |identity: Value, policy: Value, expected| {
        check("kms:Decrypt", key, &role(A), identity, policy, expected)
    };
    decrypt(allow.clone(), json!([]), Decision::ImplicitlyDenied);
    decrypt(allow.clone(), root("kms:*"), Decision::Allowed);
    decrypt(allow, root("kms:Put*"), Decision::ImplicitlyDenied);
    decrypt(json!([]), root("kms:*"), Decision::ImplicitlyDenied);
    let named = json!({"Effect": "Allow", "Principal": {"AWS": role(A)}, "Action": "kms:*", "Resource": "*"});
    decrypt(json!([]), named, Decision::Allowed);
}

#[test]
fn unknown_facts_stay_unknown() {
    let object = "arn:aws:s3:::b/k";
    let allow = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"});
    let from = |key: &str| json!({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {key: "x"}}});
    check("s3:GetObject", object, &role(B), allow.clone(), from("aws:SourceVpce"), Decision::Unknown);
    check(
        "s3:GetObject",
        object,
        &role(B),
        allow.clone(),
        from("aws:PrincipalAccount"),
        Decision::ImplicitlyDenied,
    );
    let variable = json!({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "arn:aws:s3:::b/${aws:userid}"});
    check("s3:GetObject", object, &role(B), allow.clone(), variable, Decision::Unknown);
    let session = json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:sts::222222222222:assumed-role/x/s"}, "Action": "*", "Resource": "*"});
    check("s3:GetObject", object, &role(B), allow.clone(), session, Decision::Unknown);
    // Nothing allows, so an unsettled Deny does not matter.
    let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:SourceVpce": "x"}}});
    check("s3:GetObject", object, &role(B), allow, deny, Decision::ImplicitlyDenied);
}
