//! What others have changed since, and other owners, stay.

use crosspipe_core::owner::Owner;
use crosspipe_core::pipeline::patch::{Desired, KeyChoice, plan};
use serde_json::json;

use crate::live::*;

#[test]
fn what_somebody_else_changed_since_stays() {
    let mut live = Live::new();
    live.apply("one", &walkthrough());
    live.document["pipeline"]["artifactStores"]["us-east-2"]["encryptionKey"]["id"] = "alias/new".into();
    live.action("Production", "Deploy")["roleArn"] = "arn:aws:iam::444444444444:role/x".into();
    live.action("External", "ExternalDeploy")["configuration"] = json!({"ApplicationName": "edited"});

    let left = live.revert("one");
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(
        left[0].starts_with("the encryption key of `artifactStores.us-east-2` was changed by somebody else")
    );
    assert!(left[1].starts_with("the role of action `Deploy` in stage `Production` was changed"));
    assert!(!live.stages().contains(&"External".to_owned()), "an edited action of ours is still ours");
    assert_eq!(live.states, Live::new().states);
    assert_eq!(live.action("Production", "Deploy")["roleArn"], "arn:aws:iam::444444444444:role/x");
}

#[test]
fn added_action_stays_while_used() {
    for (field, value, reason) in [
        ("inputArtifacts", json!([{"name": "Made"}]), "output artifact `Made`"),
        ("configuration", json!({"X": "#{ours.Id}"}), "variables `#{ours.…}`"),
    ] {
        let mut maker = deploy("Maker");
        maker["outputArtifacts"] = json!([{"name": "Made"}]);
        maker["namespace"] = "ours".into();
        let mut feeder = deploy("Feeder");
        feeder["outputArtifacts"] = json!([{"name": "Raw"}]);
        maker["inputArtifacts"] = json!([{"name": "Raw"}]);
        let actions = vec![
            new_action("Build", None, feeder),
            new_action("Build", None, maker),
            new_action("Build", None, deploy("Loner")),
        ];
        let desired = Desired { actions, ..Desired::default() };
        let mut live = Live::new();
        live.apply("one", &desired);
        live.action("Production", "Deploy")[field] = value;

        let dropped = serde_json::to_value(live.plan("one", &Desired::default()).after).unwrap().to_string();
        assert!(dropped.contains("Build/Maker") && dropped.contains("Build/Feeder"), "{dropped}");
        assert!(!dropped.contains("Build/Loner"), "{dropped}");
        let left = live.revert("one");
        assert!(
            left[0].starts_with("action `Maker` in stage `Build` stays, because action `Deploy` in stage")
        );
        assert!(left[0].contains(reason), "{left:?}");
        assert!(left[1].contains("`Feeder`") && left[1].contains("output artifact `Raw`"), "{left:?}");
        assert_eq!(left.len(), 2);
        assert_eq!(live.states, Live::new().states);
        assert_eq!(live.pipeline().stages().nth(1).unwrap().actions().count(), 4, "only the loner went");
    }
}

#[test]
fn a_stage_with_foreign_actions_stays() {
    let mut live = Live::new();
    live.apply("one", &walkthrough());
    let stages = live.document["pipeline"]["stages"].as_array_mut().unwrap();
    stages[3]["actions"].as_array_mut().unwrap().push(deploy("Theirs"));
    assert!(live.is_settled("one", &walkthrough()));
    live.revert("one");
    assert_eq!(live.stages(), ["Source", "Build", "Staging", "External", "Production"]);
}

#[test]
fn later_owner_restores_original() {
    let with_role = |role_arn: &str| Desired {
        encryption_keys: KeyChoice::All(KEY.into()),
        roles: vec![role("Staging", "DeployDublin", role_arn)],
        ..Desired::default()
    };
    let (one, two) = (with_role("arn:aws:iam::222222222222:role/one"), with_role(ROLE));
    let mut live = Live::new();
    live.apply("one", &one);
    live.apply("two", &two);
    assert_eq!(live.revert("one"), [""; 0]);
    assert_eq!(live.action("Staging", "DeployDublin")["roleArn"], ROLE);
    assert_eq!(live.document["pipeline"]["artifactStores"]["eu-west-1"]["encryptionKey"]["id"], KEY);
    assert_eq!(live.revert("two"), [""; 0]);
    live.assert_original();
}

#[test]
fn other_owners_role_survives_redeclaration() {
    let adds = |role: &str| {
        let mut action = deploy("ExternalDeploy");
        action["roleArn"] = role.into();
        Desired { actions: vec![new_action("External", None, action)], ..Desired::default() }
    };
    let (first, second) =
        (adds("arn:aws:iam::222222222222:role/a"), adds("arn:aws:iam::222222222222:role/b"));
    let other = Desired { roles: vec![role("External", "ExternalDeploy", ROLE)], ..Desired::default() };
    let mut live = Live::new();
    live.apply("one", &first);
    live.apply("two", &other);
    live.apply("one", &second);
    assert_eq!(live.action("External", "ExternalDeploy")["roleArn"], ROLE);
    live.revert("two");
    assert_eq!(live.action("External", "ExternalDeploy")["roleArn"], "arn:aws:iam::222222222222:role/b");
    live.revert("one");
    live.assert_original();
}

/// Whatever is on record: a human's approval goes by a human's hand.
#[test]
fn approvals_are_never_removed() {
    let approval = json!({
        "name": "Approve",
        "actionTypeId": {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"},
    });
    let desired = Desired {
        actions: vec![
            new_action("Build", None, approval.clone()),
            new_action("Build", None, deploy("Other")),
        ],
        ..Desired::default()
    };
    let mut live = Live::new();
    live.apply("one", &desired);
    let left = live.revert("one");
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(
        left[0].starts_with("action `Approve` in stage `Build` stays, because it is an approval"),
        "{left:?}"
    );
    assert_eq!(*live.action("Build", "Approve"), approval);

    // An action of ours that somebody made an approval.
    let mut live = Live::new();
    let desired = Desired { actions: vec![new_action("Build", None, deploy("Gate"))], ..Desired::default() };
    live.apply("one", &desired);
    live.action("Build", "Gate")["actionTypeId"]["category"] = "Approval".into();
    let refused = plan(&live.pipeline(), &live.states, &Owner::new("stack", "one"), &desired).unwrap_err();
    assert!(refused.to_string().contains("is an approval now"), "{refused}");
    assert_eq!(live.revert("one").len(), 1);
    assert_eq!(live.action("Build", "Gate")["actionTypeId"]["category"], "Approval");
}

/// A record that says nothing of the live value does not put anything in its place.
#[test]
fn only_what_was_set_is_put_back() {
    let desired = Desired { roles: vec![role("Production", "Deploy", ROLE)], ..Desired::default() };
    let mut live = Live::new();
    live.action("Production", "Deploy")["roleArn"] = ROLE.into();
    live.revert("one");
    assert_eq!(
        live.action("Production", "Deploy")["roleArn"],
        ROLE,
        "without a record nothing is taken back"
    );
    live.action("Production", "Deploy")["roleArn"] = "arn:aws:iam::222222222222:role/theirs".into();
    live.apply("one", &desired);
    live.revert("one");
    assert_eq!(live.action("Production", "Deploy")["roleArn"], "arn:aws:iam::222222222222:role/theirs");
}
