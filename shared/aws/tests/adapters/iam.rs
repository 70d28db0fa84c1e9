//! Roles.

use crosspipe_aws::ErrorKind;
use serde_json::json;

use crate::replay::{Replay, query_answer, query_error};

#[tokio::test]
async fn role_documents_are_decoded() {
    let role = |boundary: &str| {
        format!(
            "<Role><Path>/team/</Path><RoleName>deploy</RoleName><RoleId>AROAEXAMPLE</RoleId>\
             <Arn>arn:aws:iam::222222222222:role/team/deploy</Arn><CreateDate>2024-01-01T00:00:00Z</CreateDate>\
             <AssumeRolePolicyDocument>%7B%22Statement%22%3A%5B%7B%22Sid%22%3A%22a%2Bb%20c%22%7D%5D%7D</AssumeRolePolicyDocument>\
             <Tags><member><Key>team</Key><Value>web</Value></member></Tags>{boundary}</Role>"
        )
    };
    let boundary = "<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType>\
         <PermissionsBoundaryArn>arn:aws:iam::222222222222:policy/edge</PermissionsBoundaryArn></PermissionsBoundary>";
    let replay = Replay::start([
        query_answer("GetRole", &role(boundary)),
        query_answer("GetRole", &role("")),
        query_answer("GetPolicy", "<Policy><DefaultVersionId>v3</DefaultVersionId></Policy>"),
        query_answer(
            "GetPolicyVersion",
            "<PolicyVersion><Document>%7B%22Version%22%3A%222012-10-17%22%7D</Document></PolicyVersion>",
        ),
    ])
    .await;
    let iam = replay.aws.iam();
    let deploy = iam.role("deploy").await.unwrap();
    assert_eq!(deploy.arn, "arn:aws:iam::222222222222:role/team/deploy");
    assert_eq!((deploy.path.as_str(), deploy.unique_id.as_str()), ("/team/", "AROAEXAMPLE"));
    assert_eq!(deploy.trust_policy, json!({"Statement": [{"Sid": "a+b c"}]}));
    assert_eq!(deploy.permissions_boundary_arn.as_deref(), Some("arn:aws:iam::222222222222:policy/edge"));
    assert_eq!(deploy.tags["team"], "web");
    assert_eq!(iam.role("deploy").await.unwrap().permissions_boundary_arn, None);

    let document = iam.managed_policy_document("arn:aws:iam::aws:policy/X").await.unwrap();
    assert_eq!(document, json!({"Version": "2012-10-17"}));
    assert!(replay.requests()[3].body.contains("VersionId=v3"));
}

#[tokio::test]
async fn role_policies_come_from_all_pages() {
    let replay = Replay::start([
        query_answer(
            "ListRolePolicies",
            "<PolicyNames><member>a</member></PolicyNames><IsTruncated>true</IsTruncated><Marker>more</Marker>",
        ),
        query_answer(
            "ListRolePolicies",
            "<PolicyNames><member>b</member></PolicyNames><IsTruncated>false</IsTruncated>",
        ),
        query_answer(
            "GetRolePolicy",
            "<RoleName>r</RoleName><PolicyName>a</PolicyName><PolicyDocument>%7B%7D</PolicyDocument>",
        ),
        query_error(404, "NoSuchEntity"),
        query_error(404, "NoSuchEntity"),
        query_error(403, "AccessDenied"),
    ])
    .await;
    let iam = replay.aws.iam();
    assert_eq!(iam.role_policy_names("r").await.unwrap(), ["a", "b"]);
    assert_eq!(iam.role_policy("r", "a").await.unwrap().as_deref(), Some("{}"));
    assert_eq!(iam.role_policy("r", "gone").await.unwrap(), None);
    iam.delete_role_policy("r", "gone").await.unwrap();
    assert_eq!(iam.delete_role_policy("r", "a").await.unwrap_err().kind, ErrorKind::AccessDenied);
    assert!(replay.requests()[1].body.contains("Marker=more"));
}
