//! Any JSON whatsoever as an event.

use proptest::prelude::*;
use serde_json::Map;

use super::*;
use crate::server::Act;

const FIELDS: [&str; 9] = [
    "RequestType",
    "ResponseURL",
    "StackId",
    "RequestId",
    "LogicalResourceId",
    "ResourceType",
    "PhysicalResourceId",
    "ResourceProperties",
    "OldResourceProperties",
];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-z]{0,3}".prop_map(|text| Value::from(text.repeat(700))),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|entries| Value::Object(Map::from_iter(entries))),
        ]
    })
}

/// A create of which any field may be missing or anything, and which may have fields of its own.
fn odd_request(url: Option<String>) -> impl Strategy<Value = Value> {
    let change = proptest::option::weighted(0.3, proptest::option::of(any_json()));
    let changes = proptest::collection::vec(change, FIELDS.len());
    let request_type = prop_oneof![Just("Create"), Just("Update"), Just("Delete"), Just("create")];
    (request_type, changes, any::<String>(), any_json()).prop_map(move |(request_type, changes, name, value)| {
        let mut event = json!({
            "RequestType": request_type, "StackId": "stack", "RequestId": "request", "LogicalResourceId": "Key",
            "ResourceType": "Custom::Key", "PhysicalResourceId": "existing", "ResourceProperties": {},
        });
        event[&name] = value;
        let event_fields = event.as_object_mut().unwrap();
        for (field, change) in FIELDS.iter().zip(changes) {
            match change {
                Some(Some(odd)) => drop(event_fields.insert((*field).to_owned(), odd)),
                Some(None) => drop(event_fields.remove(*field)),
                None => {}
            }
        }
        if let Some(url) = &url {
            event["ResponseURL"] = json!(url);
        }
        event
    })
}

/// Runs the check on a runtime with a server that accepts everything.
fn with_server(check: impl FnOnce(tokio::runtime::Runtime, Server)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = runtime.block_on(Server::start(&[Act::Status(200)]));
    check(runtime, server);
}

#[test]
fn arbitrary_events_are_answered_once() {
    with_server(|runtime, server| {
        let url = format!("{}/stack%7CKey?{QUERY}", server.url());
        proptest!(|(event in odd_request(Some(url.clone())))| {
            let before = server.received().len();
            let delivered = runtime.block_on(serve_grant(event.clone())).unwrap();
            let received = server.received().split_off(before);
            prop_assert_eq!((received.len(), delivered.attempts), (1, 1));
            received[0].assert_well_formed(&url);
            let answer: Value = serde_json::from_slice(&received[0].body).unwrap();
            prop_assert!(answer["PhysicalResourceId"].as_str().is_some_and(|id| !id.is_empty()));
            for field in ["StackId", "RequestId", "LogicalResourceId"] {
                // None of the generated texts lies between what is echoed and what is too long for it.
                let usable = event[field].as_str().filter(|id| !id.is_empty() && id.len() < 400);
                if let Some(id) = usable.filter(|id| !id.chars().any(char::is_control)) {
                    prop_assert_eq!(answer[field].as_str(), Some(id));
                }
            }
            if answer["Status"] == "FAILED" {
                prop_assert!(answer["Reason"].as_str().unwrap().contains("Next: "));
            }
        });
    });
}

#[test]
fn every_other_event_is_an_error() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    proptest!(|(event in prop_oneof![any_json(), odd_request(None)])| {
        let error = runtime.block_on(serve_grant(event)).unwrap_err();
        prop_assert!(matches!(error, ServeError::Unanswerable(_)), "{error}");
    });
}
