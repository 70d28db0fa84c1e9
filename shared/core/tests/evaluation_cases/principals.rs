//! Whom a statement names.

use serde_json::{Value, json};

use super::super::{A, B, ROLE, SESSION, USER, allow, check, grant, policy};

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>
#[test]
fn principals() {
    let by = |principal: &str, element: Value, expected| {
        check(
            json!({"principal": principal, "resourcePolicy": policy("Allow", json!({"Principal": element}))}),
            expected,
        );
    };
    by(USER, json!("*"), "allowed");
    by("*", json!("*"), "allowed");
    by("*", json!({"AWS": A}), "implicitlyDenied");
    by(SESSION, json!({"AWS": ROLE}), "allowed");
    by(SESSION, json!({"AWS": "arn:aws:iam::111111111111:role/path/Deploy"}), "allowed");
    by(SESSION, json!({"AWS": "arn:aws:sts::111111111111:assumed-role/Deploy/s2"}), "implicitlyDenied");
    by(SESSION, json!({"AWS": "arn:aws-cn:iam::111111111111:role/Deploy"}), "implicitlyDenied");
    // AWS shows an id in place of a deleted role; one re-created under its name is another.
    by(ROLE, json!({"AWS": "AROAEXAMPLEEXAMPLE123"}), "implicitlyDenied");
    by(
        "codepipeline.amazonaws.com",
        json!({"Service": ["codepipeline.amazonaws.com", "x.amazonaws.com"]}),
        "allowed",
    );
    by("codepipeline.amazonaws.com", json!({"AWS": A}), "implicitlyDenied");
    by("arn:aws:sts::111111111111:federated-user/alice", json!({"AWS": USER}), "allowed");
    let provider = "arn:aws:iam::111111111111:oidc-provider/idp.example.com";
    by(provider, json!({"Federated": provider}), "allowed");
    by(provider, json!({"AWS": A}), "implicitlyDenied");
    // The account's own root user is the account, and needs no identity policy.
    by("arn:aws:iam::111111111111:root", json!({"AWS": A}), "allowed");
    check(json!({"principal": "arn:aws:iam::111111111111:root", "resourcePolicy": grant(B)}), "allowed");
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-federated-web-identity>
#[test]
fn identity_providers_are_no_services() {
    let trusted = |asking: &str, element: Value, expected| {
        let trust = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": element, "Action": "sts:AssumeRoleWithWebIdentity"}});
        check(
            json!({"principal": asking, "action": "sts:AssumeRoleWithWebIdentity", "resource": ROLE, "resourcePolicy": trust}),
            expected,
        );
    };
    for provider in [
        "accounts.google.com",
        "cognito-identity.amazonaws.com",
        "www.amazon.com",
        "arn:aws:iam::111111111111:saml-provider/ADFS",
    ] {
        trusted(provider, json!({"Federated": provider}), "allowed");
        trusted(provider, json!({"Service": provider}), "implicitlyDenied");
        trusted(provider, json!({"Federated": "graph.facebook.com"}), "implicitlyDenied");
    }
    trusted("cognito-idp.amazonaws.com", json!({"Service": "cognito-idp.amazonaws.com"}), "allowed");
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>
#[test]
fn incomplete_arns_are_completed() {
    let queue = "arn:aws:sqs:us-east-1:111111111111:q";
    let asked = |effect: &str, more: Value, expected| {
        let statement = policy(effect, more);
        check(
            json!({"action": "sqs:SendMessage", "resource": queue, "identityPolicies": [allow(), statement]}),
            expected,
        );
    };
    for incomplete in ["arn:aws:sqs", "arn:aws:sqs:us-east-1", "arn:aws:sqs:*:111111111111", "arn:*:sqs"] {
        asked("Deny", json!({"Resource": incomplete}), "explicitlyDenied");
        asked("Deny", json!({"NotResource": incomplete}), "allowed");
    }
    for other in ["arn:aws:sns", "arn:aws:sqs:eu-west-1", "arn:aws:sqs:us-east-1:222222222222", "arn:aws-cn"]
    {
        asked("Deny", json!({"Resource": other}), "allowed");
        asked("Deny", json!({"NotResource": other}), "explicitlyDenied");
    }
    // The page speaks of identity policies only.
    let denied = policy("Deny", json!({"Principal": "*", "Resource": "arn:aws:sqs"}));
    check(
        json!({"action": "sqs:SendMessage", "resource": queue, "identityPolicies": [allow()], "resourcePolicy": denied}),
        "unknown",
    );
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html#aws-managed-policies>
#[test]
fn what_aws_owns_is_not_foreign() {
    for resource in ["arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/job-function/Billing"]
    {
        let asked = |policy: Value, expected| {
            let members = json!({"action": "iam:GetPolicy", "resource": resource, "resourceAccount": null, "identityPolicies": [policy]});
            check(members, expected);
        };
        asked(allow(), "allowed");
        asked(policy("Allow", json!({"Action": "s3:*"})), "implicitlyDenied");
    }
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html>
#[test]
fn not_principal_spares_listed_principals() {
    let root = "arn:aws:iam::111111111111:root";
    let listing = |principal: &str, listed: &[&str], expected| {
        let deny = policy("Deny", json!({"NotPrincipal": {"AWS": listed}}));
        check(
            json!({"principal": principal, "identityPolicies": [allow()], "resourcePolicy": deny}),
            expected,
        );
    };
    listing(USER, &[USER, root], "allowed");
    listing(SESSION, &[SESSION, ROLE, root], "allowed");
    listing(
        USER,
        &["arn:aws:iam::222222222222:user/bob", "arn:aws:iam::222222222222:root"],
        "explicitlyDenied",
    );
    // The page says that it "might" deny here.
    listing(USER, &[USER], "unknown");
    listing(USER, &[root], "unknown");
    listing(SESSION, &[ROLE, root], "unknown");
    // Whoever has a boundary is denied, listed or not.
    let deny = policy("Deny", json!({"NotPrincipal": {"AWS": [USER, root]}}));
    check(
        json!({"identityPolicies": [allow()], "permissionsBoundary": allow(), "resourcePolicy": deny}),
        "explicitlyDenied",
    );
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>
/// and <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>
#[test]
fn resources() {
    let on = |resource: &str, statement: Value, expected| {
        check(json!({"resource": resource, "identityPolicies": [policy("Allow", statement)]}), expected);
    };
    let home = "arn:aws:s3:::b/home/alice/x";
    on(home, json!({"Resource": "arn:aws:s3:::b/home/${aws:username}/*"}), "allowed");
    on(
        "arn:aws:s3:::b/home/bob/x",
        json!({"Resource": "arn:aws:s3:::b/home/${aws:username}/*"}),
        "implicitlyDenied",
    );
    on(
        "arn:aws:s3:::b/none",
        json!({"Resource": "arn:aws:s3:::b/${aws:PrincipalTag/team, 'none'}"}),
        "allowed",
    );
    on("arn:aws:s3:::b/*", json!({"Resource": "arn:aws:s3:::b/${*}"}), "allowed");
    on("arn:aws:s3:::b/x", json!({"Resource": "arn:aws:s3:::b/${*}"}), "implicitlyDenied");
    on(
        "arn:aws:s3:::b/x",
        json!({"Resource": "arn:aws:s3:::b/${aws:PrincipalTag/team}"}),
        "implicitlyDenied",
    );
    on("arn:aws:s3:::b/a\nb", json!({"Resource": "arn:aws:s3:::b/*"}), "allowed");
    on("arn:aws:s3:::b/a:b.txt", json!({"Resource": "arn:aws:s3:::b/*.txt"}), "allowed");
    on("arn:aws:s3:::b/x", json!({"Resource": "arn:aws:s3:*"}), "allowed");
    on("arn:aws:s3:::b/x", json!({"Resource": "ARN:aws:s3:::b/x"}), "implicitlyDenied");
    on("arn:aws:s3:::b/x", json!({"NotResource": "arn:aws:s3:::c/*"}), "allowed");
    on("arn:aws:s3:::b/x", json!({"Action": "S3:gET*"}), "allowed");
    // Before 2012 there are no variables.
    let old = json!({"Version": "2008-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::b/${aws:username}"}});
    check(json!({"resource": "arn:aws:s3:::b/alice", "identityPolicies": [old.clone()]}), "implicitlyDenied");
    check(json!({"resource": "arn:aws:s3:::b/${aws:username}", "identityPolicies": [old]}), "allowed");
}
