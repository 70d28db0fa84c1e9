//! What others have changed since, and other owners, stay.

use crosspipe_core::pipeline::patch::{Desired, KeyChoice};
use serde_json::json;

use crate::live::*;

#[test]
fn what_somebody_else_changed_since_stays() {
    let mut live = Live::new();
    live.apply("one", &walkthrough(), None);
    live.document["pipeline"]["artifactStores"]["us-east-2"]["encryptionKey"]["id"] = "alias/new".into();
    live.action("Production", "Deploy")["roleArn"] = "arn:aws:iam::444444444444:role/x".into();
    live.action("External", "ExternalDeploy")["configuration"] = json!({"ApplicationName": "edited"});

    let left = live.revert("one", &[&walkthrough()]);
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(
        left[0].starts_with("the encryption key of `artifactStores.us-east-2` was changed by somebody else")
    );
    assert!(left[1].starts_with("the role of action `Deploy` in stage `Production` was changed"));
    assert!(!live.stages().contains(&"External".to_owned()), "an edited action of ours is still ours");
    assert_eq!(live.tags, Live::new().tags);
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
        live.apply("one", &desired, None);
        live.action("Production", "Deploy")[field] = value;

        let dropped = live.plan("one", &Desired::default(), Some(&desired));
        assert_eq!(dropped.tags_to_remove.len(), 1, "an Update still remembers what had to stay");
        let left = live.revert("one", &[&desired]);
        assert!(
            left[0].starts_with("action `Maker` in stage `Build` stays, because action `Deploy` in stage")
        );
        assert!(left[0].contains(reason), "{left:?}");
        assert!(left[1].contains("`Feeder`") && left[1].contains("output artifact `Raw`"), "{left:?}");
        assert_eq!(left.len(), 2);
        assert_eq!(live.tags, Live::new().tags);
        assert_eq!(live.pipeline().stages().nth(1).unwrap().actions().count(), 4, "only the loner went");
    }
}

#[test]
fn a_stage_with_foreign_actions_stays() {
    let mut live = Live::new();
    live.apply("one", &walkthrough(), None);
    let stages = live.document["pipeline"]["stages"].as_array_mut().unwrap();
    stages[3]["actions"].as_array_mut().unwrap().push(deploy("Theirs"));
    assert!(live.plan("one", &walkthrough(), None).is_none());
    live.revert("one", &[&walkthrough()]);
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
    live.apply("one", &one, None);
    live.apply("two", &two, None);
    assert_eq!(live.revert("one", &[&one]), [""; 0]);
    assert_eq!(live.action("Staging", "DeployDublin")["roleArn"], ROLE);
    assert_eq!(live.document["pipeline"]["artifactStores"]["eu-west-1"]["encryptionKey"]["id"], KEY);
    assert_eq!(live.revert("two", &[&two]), [""; 0]);
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
    live.apply("one", &first, None);
    live.apply("two", &other, None);
    live.apply("one", &second, Some(&first));
    assert_eq!(live.action("External", "ExternalDeploy")["roleArn"], ROLE);
    live.revert("two", &[&other]);
    assert_eq!(live.action("External", "ExternalDeploy")["roleArn"], "arn:aws:iam::222222222222:role/b");
    live.revert("one", &[&second]);
    live.assert_original();
}

#[test]
fn long_arns_and_damaged_state() {
    let long = format!("arn:aws:iam::333333333333:role/{}/r", "p".repeat(500));
    let mut live = Live::new();
    live.action("Staging", "DeployDublin")["roleArn"] = long.clone().into();
    let desired = Desired { roles: vec![role("Staging", "DeployDublin", ROLE)], ..Desired::default() };
    live.apply("one", &desired, None);
    let part = live.tags.keys().find(|key| key.ends_with(":1")).unwrap().clone();

    let mut damaged = Live { document: live.document.clone(), tags: live.tags.clone() };
    damaged.tags.remove(&part);
    let left = damaged.revert("one", &[&desired]);
    assert!(left[0].ends_with("can't be read, so what it remembered is not put back"), "{left:?}");
    assert_eq!(damaged.action("Staging", "DeployDublin")["roleArn"], ROLE);

    live.revert("one", &[&desired]);
    assert_eq!(live.action("Staging", "DeployDublin")["roleArn"], long);
    assert_eq!(live.tags, Live::new().tags);
}
