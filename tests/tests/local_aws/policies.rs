//! Policies: what AWS refuses is refused, what it rewrites is rewritten, and keys cross accounts.

use crosspipe_e2e::CallError;
use serde_json::{Value, json};

use crate::support::{Scene, allow, create_role, put_role_policy};

fn code(result: Result<Value, CallError>) -> String {
    result.unwrap_err().code
}

#[test]
fn deleted_principals_are_refused() {
    let scene = Scene::with_grants();
    let with = |mut statement: Value, principal: &str| {
        statement["Principal"] = json!({"AWS": principal});
        statement
    };
    let missing = format!("arn:aws:iam::{}:role/Nobody", scene.b.id());
    for dead in [missing.as_str(), "AROAEXAMPLEEXAMPLE123"] {
        assert_eq!(code(scene.put_bucket_policy(&with(scene.bucket_grant(), dead))), "MalformedPolicy");
        assert_eq!(
            code(scene.put_key_policy(&with(scene.key_grant(), dead))),
            "MalformedPolicyDocumentException"
        );
    }

    let doomed = create_role(&scene.b, "Doomed", &json!({"AWS": scene.service_role}));
    scene.put_bucket_policy(&with(scene.bucket_grant(), &doomed)).unwrap();
    scene.b.call("iam", "delete_role", json!({"RoleName": "Doomed"})).unwrap();
    let policy = scene.a.call("s3", "get_bucket_policy", json!({"Bucket": scene.bucket})).unwrap();
    let policy: Value = serde_json::from_str(policy["Policy"].as_str().unwrap()).unwrap();
    let principal = policy["Statement"][0]["Principal"]["AWS"].as_str().unwrap();
    assert!(principal.starts_with("AROA"), "{principal}");
}

#[test]
fn policies_come_back_rewritten() {
    let scene = Scene::with_grants();
    let policy = scene.a.call("s3", "get_bucket_policy", json!({"Bucket": scene.bucket})).unwrap();
    let policy: Value = serde_json::from_str(policy["Policy"].as_str().unwrap()).unwrap();
    assert_eq!(policy["Statement"][0]["Principal"]["AWS"], format!("arn:aws:iam::{}:root", scene.b.id()));
    assert_eq!(policy["Statement"][0]["Action"], "s3:GetObject");
}

#[test]
fn sizes_are_limited() {
    let scene = Scene::with_grants();
    let long = |size: usize| json!({"StringLike": {"aws:PrincipalArn": "x".repeat(size)}});
    let mut statement = scene.bucket_grant();
    statement["Condition"] = long(20 * 1024);
    assert_eq!(code(scene.put_bucket_policy(&statement)), "PolicyTooLarge");
    let mut statement = scene.key_grant();
    statement["Condition"] = long(32_768);
    assert_eq!(code(scene.put_key_policy(&statement)), "LimitExceededException");

    let half = |name: &str| put_role_policy(&scene.b, "XR", name, &allow("s3:GetObject", &"x".repeat(6_000)));
    half("half").unwrap();
    let error = half("other-half").unwrap_err();
    assert_eq!(error.code, "LimitExceeded");
    assert_eq!(error.message, "Maximum policy size of 10240 bytes exceeded for role XR");
}

#[test]
fn key_lockout_is_refused() {
    let scene = Scene::with_grants();
    let policy = json!({"Version": "2012-10-17", "Statement": [scene.key_grant()]}).to_string();
    let request = json!({"KeyId": scene.key_arn, "PolicyName": "default", "Policy": policy});
    let error = scene.a.call("kms", "put_key_policy", request).unwrap_err();
    assert_eq!(
        error.message,
        "The new key policy will not allow you to update the key policy in the future."
    );
}

#[test]
fn cross_account_key_needs_both_sides() {
    let scene = Scene::with_grants();
    let role = scene.a.assume(&scene.service_role).unwrap().assume(&scene.target_role).unwrap();
    let sealed =
        scene.a.call("kms", "encrypt", json!({"KeyId": scene.key_arn, "Plaintext": "c2VjcmV0"})).unwrap();
    let decrypt = || {
        role.call(
            "kms",
            "decrypt",
            json!({"KeyId": scene.key_arn, "CiphertextBlob": sealed["CiphertextBlob"]}),
        )
    };
    let opened = decrypt();
    assert!(opened.is_ok(), "{opened:?}");

    scene.b.call("iam", "delete_role_policy", json!({"RoleName": "XR", "PolicyName": "key"})).unwrap();
    assert_eq!(code(decrypt()), "AccessDeniedException");
    put_role_policy(&scene.b, "XR", "key", &allow("kms:*", &scene.key_arn)).unwrap();
    let describe = role.call("kms", "describe_key", json!({"KeyId": scene.key_arn})).unwrap_err();
    let words =
        format!("kms:DescribeKey on resource: {} because no resource-based policy allows", scene.key_arn);
    assert!(describe.message.contains(&words), "the key policy allows Decrypt only: {describe}");
    let policy = role.call("kms", "get_key_policy", json!({"KeyId": scene.key_arn, "PolicyName": "default"}));
    assert!(policy.is_err(), "key policies are read in their own account only");
}

#[test]
fn cross_account_object_needs_both_sides() {
    let scene = Scene::with_grants();
    scene
        .a
        .call("s3", "put_object", json!({"Bucket": scene.bucket, "Key": "app.zip", "Body": "artifact"}))
        .unwrap();
    let role = scene.a.assume(&scene.service_role).unwrap().assume(&scene.target_role).unwrap();
    let read = || role.call("s3", "get_object", json!({"Bucket": scene.bucket, "Key": "app.zip"}));
    assert_eq!(read().unwrap()["Body"], "artifact");
    scene.a.call("s3", "delete_bucket_policy", json!({"Bucket": scene.bucket})).unwrap();
    assert_eq!(code(read()), "AccessDenied");
}

#[test]
fn the_expected_bucket_owner_is_checked() {
    let scene = Scene::with_grants();
    let list = |owner: &str| {
        scene.a.call("s3", "list_objects_v2", json!({"Bucket": scene.bucket, "ExpectedBucketOwner": owner}))
    };
    list(scene.a.id()).unwrap();
    let error = list(scene.b.id()).unwrap_err();
    assert_eq!((error.code.as_str(), error.status), ("AccessDenied", 403));
}

#[test]
fn requests_count_as_tls() {
    let scene = Scene::with_grants();
    let deny = json!({
        "Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": [format!("arn:aws:s3:::{}", scene.bucket), format!("arn:aws:s3:::{}/*", scene.bucket)],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    });
    let by_role = json!({
        "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{}/*", scene.bucket),
        "Condition": {"ArnLike": {"aws:PrincipalArn": scene.target_role}, "StringEquals": {"aws:PrincipalOrgID": "o-example"}},
    });
    let policy = json!({"Version": "2012-10-17", "Statement": [deny, by_role]}).to_string();
    scene.a.call("s3", "put_bucket_policy", json!({"Bucket": scene.bucket, "Policy": policy})).unwrap();
    scene.a.call("s3", "put_object", json!({"Bucket": scene.bucket, "Key": "k", "Body": "b"})).unwrap();
    let role = scene.a.assume(&scene.service_role).unwrap().assume(&scene.target_role).unwrap();
    let read = || role.call("s3", "get_object", json!({"Bucket": scene.bucket, "Key": "k"}));
    assert_eq!(code(read()), "AccessDenied", "the account is in no organization");
    let organization = json!({"account": scene.b.id(), "id": "o-example", "paths": ["o-example/r-1/"]});
    scene.a.aws().control("organization", &organization).unwrap();
    assert_eq!(read().unwrap()["Body"], "b");
}

#[test]
fn public_policies_are_blocked() {
    let scene = Scene::with_grants();
    let bucket = json!({"Bucket": scene.bucket});
    let put = |principal: Value, condition: Value| {
        let mut statement = scene.bucket_grant();
        statement["Principal"] = principal;
        statement["Condition"] = condition;
        scene.put_bucket_policy(&statement)
    };
    let anyone = || json!("*");
    let paths = json!({"aws:PrincipalOrgPaths": ["o-example/r-1/ou-1/*"]});
    let organization = json!({"aws:PrincipalOrgID": "o-example"});
    let by_paths = json!({"ForAnyValue:StringLike": paths});
    for (condition, why) in [
        (json!({}), "anyone"),
        (by_paths.clone(), "paths are no key that S3 takes for a limit"),
        (json!({"StringLike": {"aws:PrincipalOrgID": "o-*"}}), "the organization is not fixed"),
        (json!({"StringNotEquals": organization}), "all but the organization"),
        (json!({"IpAddress": {"aws:SourceIp": "0.0.0.0/1"}}), "half of the internet"),
        (json!({"Bool": {"aws:SecureTransport": "true"}}), "no limit at all"),
    ] {
        for principal in [anyone(), json!({"AWS": "*"})] {
            let error = put(principal, condition.clone()).expect_err(why);
            assert_eq!((error.code.as_str(), error.status), ("AccessDenied", 403), "{why}");
            assert!(error.message.contains("BlockPublicPolicy"), "{error}");
        }
    }
    for condition in [
        json!({"StringEquals": organization}),
        json!({"StringEquals": organization, "ForAnyValue:StringLike": paths}),
        json!({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}),
    ] {
        put(anyone(), condition).unwrap();
    }
    put(json!({"AWS": scene.b.id()}), by_paths.clone()).unwrap();
    scene.a.call("s3", "delete_public_access_block", bucket).unwrap();
    put(anyone(), by_paths).unwrap();
}

#[test]
fn other_regions_are_redirected() {
    let scene = Scene::with_grants();
    let elsewhere = scene.a.in_region("us-east-2");
    elsewhere.call("s3", "get_bucket_policy", json!({"Bucket": scene.bucket})).unwrap();
    let asked = json!({"account": scene.a.id(), "operation": "GetBucketPolicy"});
    let calls = scene.a.aws().control("calls", &asked).unwrap();
    let statuses: Vec<_> = calls["calls"].as_array().unwrap().iter().map(|call| &call["status"]).collect();
    assert_eq!(statuses, [301, 200], "the SDK follows to the Region that the first answer names");
}
