//! The shape of a snapshot: what was read is printed as it was, and what is missing stays missing.

#![allow(clippy::unwrap_used, reason = "a test that can't read its snapshot has failed")]

use crosspipe_core::snapshot::{Fact, Snapshot};
use crosspipe_testing::walkthrough::{INSTANCE_ROLE, corrected};
use serde_json::{Value, json};

/// Every part of the contract.
fn whole() -> Value {
    let mut snapshot = corrected();
    let more = json!({
        "buildProjects": {"app": {"encryptionKey": "alias/app", "serviceRole": "r", "timeoutInMinutes": 60}, "gone": null},
        "actionExecutions": [{"actionExecutionId": "a-1"}],
        "deployments": {"d-ABC": {"deploymentInfo": {"status": "Failed"}, "targets": [{"instanceTarget": {"targetId": "i-1"}}]}},
        "stackEvents": {"app": [{"ResourceStatus": "CREATE_FAILED"}]},
        "organization": {"id": "o-a1b2c3d4e5", "accounts": {"222222222222": {
            "paths": ["o-a1b2c3d4e5/r-1/ou-1/"],
            "serviceControlPolicies": [[{"Version": "2012-10-17", "Statement": []}]]
        }}},
        "partOfTheFuture": {"kept": true}
    });
    let parts = snapshot.as_object_mut().unwrap();
    parts.extend(more.as_object().unwrap().clone());
    snapshot
}

#[test]
fn snapshot_round_trips() {
    let snapshot = Snapshot::from_value(whole()).unwrap();
    assert_eq!(serde_json::to_value(&snapshot).unwrap(), whole());
    assert_eq!(snapshot.instance_roles, Fact::Known(vec![INSTANCE_ROLE.to_owned()]));
    assert!(matches!(snapshot.build_projects.get("gone"), Some(Fact::Absent)));
}

#[test]
fn what_is_missing_stays_missing() {
    let bare = Snapshot::from_value(json!({"pipeline": corrected()["pipeline"]})).unwrap();
    assert!(bare.instance_roles.is_unknown() && bare.organization.is_unknown());
    let printed = serde_json::to_value(&bare).unwrap();
    for part in ["instanceRoles", "organization", "buildProjects", "deployments", "stackEvents"] {
        assert!(printed.get(part).is_none(), "{part}");
    }
}

#[test]
fn wrong_shape_is_refused() {
    let mut snapshot = whole();
    *snapshot.pointer_mut("/organization/accounts").unwrap() = json!("none");
    let error = Snapshot::from_value(snapshot).unwrap_err().to_string();
    assert!(error.starts_with("a part of the snapshot does not have the shape"), "{error}");
}
