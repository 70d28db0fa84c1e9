//! Whom boundaries and the organization's policies limit at all.

use serde_json::{Value, json};

use super::super::{ROLE, SESSION, USER, allow, check, nothing, policy};

fn everyone(more: Value) -> Value {
    let mut statement = json!({"Principal": "*"});
    statement.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    policy("Allow", statement)
}

/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html>
#[test]
fn scps_limit_users_and_roles() {
    for (principal, deny_all, allow_nothing) in [
        (USER, "explicitlyDenied", "implicitlyDenied"),
        (ROLE, "explicitlyDenied", "implicitlyDenied"),
        ("arn:aws:iam::111111111111:root", "explicitlyDenied", "implicitlyDenied"),
        ("*", "allowed", "allowed"),
        ("codepipeline.amazonaws.com", "allowed", "allowed"),
        ("arn:aws:iam::111111111111:saml-provider/ADFS", "allowed", "allowed"),
    ] {
        for (control, expected) in
            [(policy("Deny", json!({})), deny_all), (nothing(), allow_nothing), (allow(), "allowed")]
        {
            check(
                json!({"principal": principal, "resourcePolicy": everyone(json!({})), "serviceControlPolicies": [[allow()], [allow(), control]]}),
                if control == nothing() { "allowed" } else { expected },
            );
            check(
                json!({"principal": principal, "resourcePolicy": everyone(json!({})), "serviceControlPolicies": [[control]]}),
                expected,
            );
        }
    }
}

/// The same page, and <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html>
#[test]
fn service_linked_roles_are_not_limited() {
    let linked =
        "arn:aws:iam::111111111111:role/aws-service-role/support.amazonaws.com/AWSServiceRoleForSupport";
    let session = "arn:aws:sts::111111111111:assumed-role/AWSServiceRoleForSupport/s";
    let deny = policy("Deny", json!({}));
    let deny_everyone = policy("Deny", json!({"Principal": "*"}));
    let as_linked = json!({"aws:PrincipalArn": linked});
    for (principal, context, expected) in [
        (linked, json!({}), "allowed"),
        (session, as_linked, "allowed"),
        // The name alone is not reserved.
        (session, json!({}), "unknown"),
        (session, json!({"aws:PrincipalArn": ROLE}), "explicitlyDenied"),
        ("arn:aws:iam::111111111111:role/AWSServiceRoleForSupport", json!({}), "explicitlyDenied"),
        (ROLE, json!({}), "explicitlyDenied"),
    ] {
        for guardrail in [
            json!({"serviceControlPolicies": [[deny]]}),
            json!({"resourceControlPolicies": [[deny_everyone]]}),
        ] {
            let mut members =
                json!({"principal": principal, "context": context, "identityPolicies": [allow()]});
            members.as_object_mut().unwrap().extend(guardrail.as_object().unwrap().clone());
            check(members, expected);
        }
    }
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html>
#[test]
fn principal_arn_condition_skips_boundary() {
    let given = |operator: &str| {
        everyone(json!({"Condition": {operator: {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/*"}}}))
    };
    for (operator, expected) in
        [("ArnLike", "allowed"), ("StringLike", "allowed"), ("ArnNotLike", "implicitlyDenied")]
    {
        for limit in ["permissionsBoundary", "sessionPolicies"] {
            let limiting = if limit == "sessionPolicies" { json!([nothing()]) } else { nothing() };
            check(
                json!({"principal": SESSION, "context": {"aws:PrincipalArn": ROLE}, "resourcePolicy": given(operator), limit: limiting}),
                expected,
            );
        }
    }
    // A Deny of the boundary counts all the same.
    check(
        json!({"principal": SESSION, "context": {"aws:PrincipalArn": ROLE}, "resourcePolicy": given("ArnLike"), "permissionsBoundary": policy("Deny", json!({}))}),
        "explicitlyDenied",
    );
}
