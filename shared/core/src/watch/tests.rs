//! Checks of the walkthrough's pipeline, changed in one place each.

use crosspipe_testing::walkthrough::{A, B, BUCKET, KEY, SERVICE_ROLE, TARGET_ROLE, corrected};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::alerts::{Alert, email};
use crate::diagnosis::{Outcome, Remediation};
use crate::pipeline::Pipeline;
use crate::rules::{RuleId, lint};
use crate::snapshot::Snapshot;

fn call(source: &str, name: &str, parameters: Value, resources: Value) -> Value {
    json!({
        "version": "0", "detail-type": "AWS API Call via CloudTrail", "source": format!("aws.{source}"),
        "account": A, "region": "us-east-2", "time": "2024-05-01T10:00:03Z",
        "detail": {
            "eventVersion": "1.09", "eventTime": "2024-05-01T10:00:00Z", "awsRegion": "us-east-2",
            "eventSource": format!("{source}.amazonaws.com"), "eventName": name,
            "userIdentity": {"type": "AssumedRole", "arn": format!("arn:aws:sts::{A}:assumed-role/Admin/alice"), "accountId": A},
            "requestParameters": parameters, "responseElements": null, "resources": resources, "recipientAccountId": A
        }
    })
}

fn key_resource() -> Value {
    json!([{"accountId": A, "type": "AWS::KMS::Key", "ARN": KEY}])
}

fn pipeline() -> Pipeline {
    Snapshot::from_value(corrected()).unwrap().pipeline().unwrap()
}

/// The diff of a check of the corrected walkthrough after `change`, and what is known then.
fn check(known: &[FindingKey], change: impl FnOnce(&mut Value)) -> FindingsDiff {
    let mut snapshot = corrected();
    change(&mut snapshot);
    let snapshot = Snapshot::from_value(snapshot).unwrap();
    compare_findings(known, &lint(&snapshot).unwrap(), &snapshot, &snapshot.pipeline().unwrap())
}

fn rules(diff: &FindingsDiff) -> (Vec<&str>, Vec<&str>) {
    let found = diff.detected.iter().map(|finding| finding.rule.as_str()).collect();
    (found, diff.resolved.iter().map(|fault| fault.rule.as_str()).collect())
}

fn without_bucket_grant(snapshot: &mut Value) {
    snapshot["buckets"][BUCKET]["policy"]["Statement"].as_array_mut().unwrap().truncate(2);
}

#[test]
fn triggers_have_a_time() {
    let trigger = |time: &str| Trigger { time: Some(time.to_owned()), ..Trigger::default() };
    assert_eq!(trigger("1970-01-01T00:01:00Z").epoch_seconds(), Some(60));
    assert_eq!(trigger("2024-05-01T10:00:00Z").epoch_seconds(), Some(1_714_557_600));
    for unreadable in ["", "yesterday", "1969-12-31T23:00:00Z"] {
        assert_eq!(trigger(unreadable).epoch_seconds(), None, "{unreadable}");
    }
    assert_eq!(Trigger::default().epoch_seconds(), None);
}

/// The next invocation knows what started the check, and who is left.
#[test]
fn continuation_survives_its_event() {
    let change = call("s3", "PutBucketPolicy", json!({"bucketName": BUCKET}), json!([]));
    let scheduled = json!({"detail-type": "Scheduled Event", "source": "aws.events", "time": "2024-05-01T06:00:00Z", "detail": {}});
    for event in [change, scheduled] {
        let event = WatchEvent::from_event(&event).unwrap();
        let left = Continuation { event, after: "orders".into(), failed: vec!["billing".into()] };
        let sent = json!({"detail-type": "Crosspipe Check Continued", "source": "crosspipe", "account": A, "detail": left.to_detail()});
        assert!(WatchEvent::is_watch_event(&sent) && Continuation::is_continuation(&sent));
        assert_eq!(Continuation::from_event(&sent).unwrap(), left);
    }
    let forged = json!({"detail-type": "Crosspipe Check Continued", "source": "shop", "detail": {}});
    assert!(!WatchEvent::is_watch_event(&forged));
    assert!(Continuation::from_event(&forged).is_err());
}

/// Target accounts forward what happens to their roles; nothing else of theirs is a pipeline's.
#[test]
fn other_accounts_change_their_roles_only() {
    let role = |account: &str| Resource::Role { account: account.into(), name: "R".into() };
    assert!(role(A).can_be_changed_in(A, A) && role(B).can_be_changed_in(B, A));
    assert!(!role(A).can_be_changed_in(B, A));
    for resource in
        [Resource::Bucket(BUCKET.into()), Resource::Key(KEY.into()), Resource::Pipeline("orders".into())]
    {
        assert!(resource.can_be_changed_in(A, A) && !resource.can_be_changed_in(B, A), "{resource}");
    }
}

#[test]
fn call_names_resource_and_actor() {
    let role = |name: &str| Resource::Role { account: A.into(), name: name.into() };
    let name = json!({"roleName": "CodePipeline_Service_Role"});
    let key_id = KEY.rsplit('/').next().unwrap();
    for (event, expected) in [
        (
            call("s3", "PutBucketPolicy", json!({"bucketName": BUCKET, "bucketPolicy": {}}), json!([])),
            Resource::Bucket(BUCKET.into()),
        ),
        (
            // Too large a policy is left out with all other parameters.
            call(
                "s3",
                "PutBucketPolicy",
                Value::Null,
                json!([{"type": "AWS::S3::Bucket", "ARN": format!("arn:aws:s3:::{BUCKET}")}]),
            ),
            Resource::Bucket(BUCKET.into()),
        ),
        (
            call("kms", "PutKeyPolicy", json!({"keyId": key_id, "policyName": "default"}), key_resource()),
            Resource::Key(KEY.into()),
        ),
        (call("kms", "DisableKey", json!({"keyId": key_id}), json!([])), Resource::Key(key_id.into())),
        (call("kms", "RetireGrant", json!({"grantToken": "t"}), key_resource()), Resource::Key(KEY.into())),
        (call("iam", "PutRolePolicy", name, json!(null)), role("CodePipeline_Service_Role")),
        (
            call(
                "codepipeline",
                "UpdatePipeline",
                json!({"pipeline": {"name": "MyFirstPipeline"}}),
                json!(null),
            ),
            Resource::Pipeline("MyFirstPipeline".into()),
        ),
        (
            call("codepipeline", "DeletePipeline", json!({"name": "MyFirstPipeline"}), json!(null)),
            Resource::Pipeline("MyFirstPipeline".into()),
        ),
    ] {
        let Ok(WatchEvent::Change(resource, trigger)) = WatchEvent::from_event(&event) else {
            panic!("no watch event: {event}")
        };
        assert_eq!(resource, expected);
        assert!(resource.is_used_by(&pipeline()), "{resource}");
        assert_eq!(trigger.actor.unwrap(), format!("arn:aws:sts::{A}:assumed-role/Admin/alice"));
        assert_eq!(trigger.time.unwrap(), "2024-05-01T10:00:00Z");
    }
}

#[test]
fn unrelated_calls_start_no_check() {
    let mut refused = call("s3", "PutBucketPolicy", json!({"bucketName": BUCKET}), json!([]));
    refused["detail"]["errorCode"] = json!("AccessDenied");
    assert_eq!(WatchEvent::from_event(&refused), Err(WatchEventError::Failed("AccessDenied".into())));
    let other = call("s3", "PutBucketTagging", json!({"bucketName": BUCKET}), json!([]));
    assert_eq!(
        WatchEvent::from_event(&other),
        Err(WatchEventError::OtherCall("s3.amazonaws.com:PutBucketTagging".into()))
    );
    let unsaid = call("iam", "DeleteRole", json!({}), json!([]));
    assert!(matches!(WatchEvent::from_event(&unsaid), Err(WatchEventError::Missing { .. })));
    assert!(!WatchEvent::is_watch_event(
        &json!({"detail-type": "CodePipeline Action Execution State Change"})
    ));
}

#[test]
fn pipeline_uses_only_named_resources() {
    let pipeline = pipeline();
    let role = |account: &str, name: &str| Resource::Role { account: account.into(), name: name.into() };
    for (resource, expected) in [
        (Resource::Bucket(BUCKET.into()), true),
        (Resource::Bucket(format!("{BUCKET}-logs")), false),
        (Resource::Key(KEY.into()), true),
        (Resource::Key(KEY.replace("1234abcd", "99999999")), false),
        (role(B, "CrossAccount_Role"), true),
        (role(A, "CrossAccount_Role"), false),
        (role(A, "CodePipeline_Service_Role"), true),
        (Resource::Pipeline("MySecondPipeline".into()), false),
    ] {
        assert_eq!(resource.is_used_by(&pipeline), expected, "{resource}");
    }
}

#[test]
fn finding_and_resolution_notified_once() {
    let sound = check(&[], |_| ());
    assert!(sound.is_empty() && sound.known.is_empty(), "{sound:?}");
    let broken = check(&[], without_bucket_grant);
    assert_eq!(rules(&broken), (vec!["S3001"], vec![]));
    let still = check(&broken.known, without_bucket_grant);
    assert!(still.is_empty(), "{still:?}");
    assert_eq!(still.known, broken.known);
    let resolved = check(&still.known, |_| ());
    assert_eq!(rules(&resolved), (vec![], vec!["S3001"]));
    assert!(resolved.known.is_empty() && check(&resolved.known, |_| ()).is_empty());
}

#[test]
fn unreadable_finding_stays_notified() {
    let broken = check(&[], without_bucket_grant);
    let unread = |snapshot: &mut Value| drop(snapshot["buckets"].as_object_mut().unwrap().remove(BUCKET));
    let blind = check(&broken.known, unread);
    assert!(blind.is_empty(), "{blind:?}");
    assert_eq!(blind.known, broken.known);
    assert!(check(&blind.known, without_bucket_grant).is_empty(), "it counts as notified");
    assert!(check(&[], unread).is_empty());
    // Another key that can't be read says nothing of this one.
    let key = |location: &str| FindingKey {
        rule: RuleId::Km001.to_string(),
        location: location.into(),
        who: [].into(),
        message: String::new(),
    };
    let unknown = |missing: &str| crate::rules::Unknown { rule: RuleId::Km001, missing: missing.into() };
    let one = key("keys[\"one\"].policy");
    for (missing, expected) in [
        ("keys[\"one\"].policy", true),
        ("keys[\"one\"].grants", true),
        ("keys[\"two\"].policy", false),
        ("roles[\"any\"]", true),
        ("organization", true),
    ] {
        assert_eq!(one.is_undecided_without(&unknown(missing)), expected, "{missing}");
    }
}

#[test]
fn replaced_finding_is_not_resolved() {
    let broken = check(&[], without_bucket_grant);
    let denies = |snapshot: &mut Value| {
        let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{BUCKET}/*")});
        snapshot["buckets"][BUCKET]["policy"]["Statement"].as_array_mut().unwrap().push(deny);
    };
    let other = check(&broken.known, denies);
    assert_eq!(rules(&other), (vec!["S3002"], vec![]));
    assert_eq!(other.known.len(), 1);
}

#[test]
fn undecided_finding_is_notified_again() {
    let statements = |snapshot: &mut Value, condition: Value| {
        let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Condition": condition,
            "Resource": format!("arn:aws:s3:::{BUCKET}/*")});
        snapshot["buckets"][BUCKET]["policy"]["Statement"].as_array_mut().unwrap().push(deny);
    };
    // Which endpoint a request comes through is not known here.
    let undecided = |snapshot: &mut Value| {
        statements(snapshot, json!({"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}))
    };
    let denied = |snapshot: &mut Value| {
        undecided(snapshot);
        statements(snapshot, json!({}));
    };
    let broken = check(&[], denied);
    assert_eq!(rules(&broken), (vec!["S3002"], vec![]));
    let open = check(&broken.known, undecided);
    assert!(open.is_empty() && open.known.is_empty(), "{open:?}");
    assert_eq!(rules(&check(&open.known, denied)), (vec!["S3002"], vec![]));

    // That nothing allows is another matter, and settled.
    let without = |snapshot: &mut Value| {
        without_bucket_grant(snapshot);
        undecided(snapshot);
    };
    let broken = check(&[], without);
    assert_eq!(rules(&broken), (vec!["S3001"], vec![]));
    assert_eq!(rules(&check(&broken.known, undecided)), (vec![], vec!["S3001"]));
}

#[test]
fn second_role_is_new_moved_stage_is_not() {
    let second = |snapshot: &mut Value| {
        without_bucket_grant(snapshot);
        let role = TARGET_ROLE.replace(B, "333333333333");
        snapshot["roles"][&role] = snapshot["roles"][TARGET_ROLE].clone();
        let actions = &mut snapshot["pipeline"]["pipeline"]["stages"][1]["actions"];
        let mut action = actions[0].clone();
        action["name"] = json!("Elsewhere");
        action["roleArn"] = json!(role);
        actions.as_array_mut().unwrap().push(action);
    };
    let broken = check(&[], without_bucket_grant);
    let more = check(&broken.known, second);
    assert!(more.detected.iter().filter(|finding| finding.rule == RuleId::S3001).count() == 1, "{more:?}");

    // PL008: found by position, remembered by name.
    let wrong_stack_role = |snapshot: &mut Value| {
        let action = &mut snapshot["pipeline"]["pipeline"]["stages"][1]["actions"][0];
        action["actionTypeId"]["provider"] = json!("CloudFormation");
        action["configuration"] =
            json!({"ActionMode": "CREATE_UPDATE", "StackName": "s", "RoleArn": SERVICE_ROLE});
    };
    let first = check(&[], wrong_stack_role);
    assert!(first.detected.iter().any(|finding| finding.rule == RuleId::Pl008), "{first:?}");
    let moved = check(&first.known, |snapshot| {
        wrong_stack_role(snapshot);
        let stages = snapshot["pipeline"]["pipeline"]["stages"].as_array_mut().unwrap();
        let mut stage = stages[1].clone();
        stage["name"] = json!("Build");
        stage["actions"][0].as_object_mut().unwrap().remove("roleArn");
        stage["actions"][0]["configuration"] = json!({});
        stages.insert(1, stage);
    });
    assert!(moved.is_empty(), "{moved:?}");
}

#[test]
fn notices_become_event_details() {
    let broken = check(&[], without_bucket_grant);
    let event = call("s3", "PutBucketPolicy", json!({"bucketName": BUCKET}), json!([]));
    let watch_event = WatchEvent::from_event(&event).unwrap();
    let notices = Notice::from_diff(&broken, &pipeline(), watch_event.trigger());
    let [notice] = notices.as_slice() else { panic!("{notices:?}") };
    assert_eq!(notice.detail_type(), "Crosspipe Finding Detected");
    let detail = serde_json::to_value(notice).unwrap();
    assert_eq!(
        (&detail["schemaVersion"], &detail["pipeline"], &detail["account"], &detail["region"]),
        (&json!("1"), &json!("MyFirstPipeline"), &json!(A), &json!("us-east-2"))
    );
    assert_eq!(detail["findings"][0]["rule"], "S3001");
    assert_eq!(
        detail["trigger"],
        json!({"event": "PutBucketPolicy", "resource": format!("bucket {BUCKET}"), "time": "2024-05-01T10:00:00Z",
               "actor": format!("arn:aws:sts::{A}:assumed-role/Admin/alice")})
    );
    let resolved = check(&broken.known, |_| ());
    let [notice] = &Notice::from_diff(&resolved, &pipeline(), watch_event.trigger())[..] else {
        panic!("{resolved:?}")
    };
    let detail = serde_json::to_value(notice).unwrap();
    assert_eq!(notice.detail_type(), "Crosspipe Finding Resolved");
    assert_eq!(detail["findings"][0]["who"], json!([TARGET_ROLE]));
}

#[test]
fn alert_names_finding_change_and_fix() {
    let event = call("s3", "PutBucketPolicy", json!({"bucketName": BUCKET}), json!([]));
    let watch_event = WatchEvent::from_event(&event).unwrap();
    let notify = |diff: &FindingsDiff, remediation: Option<Remediation>| {
        let notice = Notice::from_diff(diff, &pipeline(), watch_event.trigger()).remove(0);
        let notice = match remediation {
            Some(remediation) => notice.with_remediation(remediation),
            None => notice,
        };
        let alert = Alert::from(&notice);
        (email::subject(&alert), email::body(&alert), alert.thread)
    };
    let broken = check(&[], without_bucket_grant);
    let (subject, body, thread) = notify(&broken, None);
    assert_eq!(subject, "MyFirstPipeline: the next run will fail [S3001]");
    for part in [
        format!("Detected after PutBucketPolicy by arn:aws:sts::{A}:assumed-role/Admin/alice"),
        format!(
            "PutBucketPolicy on bucket {BUCKET} by arn:aws:sts::{A}:assumed-role/Admin/alice at 2024-05-01T10:00:00Z"
        ),
        "\"s3:GetObject\"".to_owned(),
    ] {
        assert!(body.contains(&part), "`{part}` is not in:\n{body}");
    }
    let resolved = check(&broken.known, |_| ());
    let (subject, body, same) = notify(&resolved, None);
    assert_eq!((subject.as_str(), same), ("MyFirstPipeline: resolved, S3001", thread));
    assert!(body.starts_with("Pipeline MyFirstPipeline: resolved: the bucket policy"), "{body}");
    let steps = vec!["`Grant` of stack `shop` put back the grant.".into()];
    let remediation = |outcome| Remediation { steps: steps.clone(), outcome, ..Remediation::apply() };
    let (_, body, _) = notify(&broken, Some(remediation(Outcome::Failed)));
    assert!(body.lines().next().unwrap().contains("; remediation failed"), "{body}");
    let (_, body, _) = notify(&resolved, Some(remediation(Outcome::Reapplied)));
    assert!(body.starts_with("Pipeline MyFirstPipeline: Crosspipe has remediated:"), "{body}");
    assert!(
        body.contains(
            "\nRemediation (reapplied)\n-----------------------\n`Grant` of stack `shop` put back the grant."
        ),
        "{body}"
    );
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z:/\\[\\]\"]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((any_member(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_member() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "resources",
        "ARN",
        "type",
        "requestParameters",
        "bucketName",
        "keyId",
        "roleName",
        "pipeline",
        "name",
        "userIdentity",
        "arn",
        "errorCode",
        "eventTime",
        "recipientAccountId",
    ]);
    prop_oneof![known.prop_map(str::to_owned), "[a-z]{1,5}"]
}

proptest! {
    #[test]
    fn any_record_parses(
        (service, name) in prop::sample::select(vec![
            ("s3", "PutBucketPolicy"), ("kms", "RetireGrant"), ("iam", "DeleteRole"), ("codepipeline", "UpdatePipeline"), ("x", "y"),
        ]),
        record in any_json(), event in any_json(),
    ) {
        let _ = (WatchEvent::is_watch_event(&event), WatchEvent::from_event(&event));
        let mut event = call(service, name, json!({}), json!([]));
        if let Value::Object(members) = record {
            for (member, value) in members {
                event["detail"][member] = value;
            }
        }
        if let Ok(WatchEvent::Change(resource, _)) = WatchEvent::from_event(&event) {
            prop_assert!(!resource.to_string().is_empty());
            let _ = resource.is_used_by(&pipeline());
        }
    }
}
