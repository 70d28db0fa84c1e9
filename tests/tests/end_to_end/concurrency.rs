//! Many writers on one key and one bucket: none loses another's statement.
//!
//! The first stack has the two denials already; twenty more pairs of them would not fit into a bucket policy.

use std::thread;

use crosspipe_e2e::concurrency::Crowd;
use crosspipe_e2e::workbench::Workbench;
use serde_json::json;

use crate::scene::Scene;

const WRITERS: usize = 20;

#[test]
fn twenty_concurrent_grants() {
    let account = |writer: usize| format!("7{writer:011}");
    let scene = Scene::deployed_with(|world, parameters| {
        let accounts: Vec<String> = (0..WRITERS).map(account).chain([world.target.id().to_owned()]).collect();
        parameters.insert("AllowedAccounts", accounts.join(","));
    });
    let before = scene.live();
    let stack = |writer: usize| format!("writer-{writer}");
    let token = &scene.outputs["AccessProviderArn"];
    thread::scope(|threads| {
        for writer in 0..WRITERS {
            let scene = &scene;
            threads.spawn(move || {
                let with_token = |mut properties: serde_json::Value| {
                    properties["ServiceToken"] = json!(token);
                    properties
                };
                let accounts = [account(writer)];
                let accounts: Vec<&str> = accounts.iter().map(String::as_str).collect();
                let mut bucket = with_token(scene.bucket_grant(&accounts));
                bucket["DenyUnencryptedUploads"] = json!(false);
                bucket["DenyInsecureTransport"] = json!("false");
                let template = json!({"Resources": {
                    "Key": {"Type": "Custom::ArtifactKeyGrant", "Properties": with_token(scene.key_grant(&accounts))},
                    "Bucket": {"Type": "Custom::ArtifactBucketGrant", "Properties": bucket},
                }});
                let deployed = scene.world.tools.deploy_stack(&stack(writer), &template.to_string(), &[], &[]);
                deployed.unwrap_or_else(|error| panic!("{error}"));
            });
        }
    });
    let granted = scene.live();
    for writer in 0..WRITERS {
        for policy in [&granted.key_policy, &granted.bucket_policy] {
            assert!(policy.to_string().contains(&account(writer)), "the grant of writer {writer} is lost");
        }
    }
    thread::scope(|threads| {
        for writer in 0..WRITERS {
            let scene = &scene;
            threads.spawn(move || scene.delete(&stack(writer)));
        }
    });
    scene.assert_unchanged(&before);
    scene.remove();
}

/// A small run of `cargo concurrency`.
#[test]
fn nothing_is_lost_between_killed_writers() {
    const WRITERS: usize = 16;
    let bench = Workbench::build().unwrap();
    let tally = Crowd::gather(&bench, WRITERS).unwrap().run("crowd", 0).unwrap();
    assert!(tally.succeeded + tally.failed == WRITERS && tally.killed > 0 && tally.edits > 0, "{tally:?}");
}
