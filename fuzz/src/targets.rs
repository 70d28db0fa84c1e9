//! What is done with an input, and what has to hold for each.

use crosspipe_core::alerts::{Alert, chat, email, slack};
use crosspipe_core::arn::Arn;
use crosspipe_core::diagnosis::{Remediation, diagnose};
use crosspipe_core::evaluation::{
    Context, Decision, Policies, PolicySet, Request, Requester, ResourcePolicy, evaluate,
};
use crosspipe_core::incident::Failure;
use crosspipe_core::incident::event::{self, Incoming};
use crosspipe_core::incident::message::{claim, denial};
use crosspipe_core::pipeline::Pipeline;
use crosspipe_core::policy::PolicyDocument;
use crosspipe_core::rules::lint;
use crosspipe_core::snapshot::Snapshot;
use crosspipe_core::watch::WatchEvent;
use serde_json::{Value, json};

/// What is done with an input; it panics where something does not hold.
pub type Target = fn(&[u8]);

/// Every target by its name, which is that of its folder of seeds.
pub const ALL: [(&str, Target); 5] = [
    ("policy", policy),
    ("pipeline", pipeline),
    ("snapshot", snapshot),
    ("event", event),
    ("message", message),
];

const ROLE: &str = "arn:aws:iam::222222222222:role/CrossAccount_Role";

/// A policy document loses nothing, and is judged: a policy that is its own boundary limits nothing.
pub fn policy(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(document) = PolicyDocument::parse(text) else { return };
    assert_eq!(PolicyDocument::parse(&document.to_json()), Ok(document.clone()), "it reads what it writes");
    for statement in document.statements() {
        let _ = (statement.label(), statement.effect(), statement.conditions().count());
    }
    let Ok(role) = Arn::parse(ROLE) else { return };
    for (action, resource) in [
        ("s3:GetObject", "arn:aws:s3:::b/k"),
        ("kms:Decrypt", "arn:aws:kms:us-east-2:111111111111:key/1"),
        ("sts:AssumeRole", ROLE),
    ] {
        for context in [Context::partial(), Context::complete().with("aws:SecureTransport", "true")] {
            let requester = Requester::Role(role.clone());
            let request =
                Request { requester, action, resource, resource_account: Some("111111111111"), context };
            let set = || PolicySet::Known(vec![("policy".into(), &document)]);
            let policies = |boundary: Option<PolicySet<'_>>| {
                let policies = Policies {
                    identity: set(),
                    resource: ResourcePolicy::Known(&document),
                    permissions_boundary: boundary.map(|_| set()),
                    service_control_policies: vec![],
                    key_grants: vec![],
                };
                evaluate(&request, &policies).decision
            };
            let (without, with) = (policies(None), policies(Some(set())));
            assert!(without == with || without != Decision::Allowed, "{without:?} became {with:?}");
        }
    }
}

/// A pipeline that is accepted can be looked at from all sides.
pub fn pipeline(input: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(input) else { return };
    let Ok(pipeline) = Pipeline::parse(value) else { return };
    let _ = (pipeline.name(), pipeline.role_arn(), pipeline.arn(), pipeline.account(), pipeline.region());
    for action in pipeline.actions() {
        let _ = (action.path(), action.provider(), action.run_order(), pipeline.target_account(&action));
        let _ = (action.input_artifacts().count(), action.output_artifacts().count());
        let _ =
            pipeline.store_for(action.region()).map(|store| (store.path(), store.bucket(), store.key_id()));
    }
    let again = Pipeline::parse(pipeline.as_value().clone());
    assert!(again.is_ok_and(|again| again.as_value() == pipeline.as_value()), "it reads what it shows");
}

/// A snapshot that is accepted is judged, loses nothing, and is judged the same from its own JSON.
pub fn snapshot(input: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(input) else { return };
    let Ok(snapshot) = Snapshot::from_value(value) else { return };
    let Ok(diagnostics) = lint(&snapshot) else { return };
    let again = Snapshot::from_value(json!(snapshot)).map(|again| lint(&again));
    let same = |again: crosspipe_core::rules::Diagnostics| {
        again.findings == diagnostics.findings && again.unknown == diagnostics.unknown
    };
    assert!(again.is_ok_and(|again| again.is_ok_and(same)), "it judges what it writes the same");
}

/// Any event says what is to be done about it, and a failure makes a report that everybody can be told.
pub fn event(input: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(input) else { return };
    if let Ok(WatchEvent::Change(resource, _)) = WatchEvent::from_event(&value) {
        assert!(!resource.to_string().is_empty());
    }
    for incoming in event::read(&value) {
        match incoming {
            // What `ListActionExecutions` says is put into the same input.
            Ok(Incoming::Failed(execution)) => {
                let details = value.get("details").and_then(Value::as_array);
                let details = details.map(Vec::as_slice).unwrap_or_default();
                let failures = execution.failures(details);
                assert!(failures.is_empty() || execution.is_listed(details), "{value}");
                assert!(failures.is_empty() || execution.contradiction(details).is_none(), "{value}");
                failures.into_iter().for_each(told_of);
            }
            Ok(Incoming::PassedOver(reason)) => assert!(!reason.to_string().is_empty()),
            Err(error) => assert!(error.pointer().starts_with('/'), "{error}"),
        }
    }
}

fn told_of(failure: Failure) {
    told(&Alert::own_action(&failure));
    report(failure);
}

/// A message is read, and a report made of it.
pub fn message(input: &[u8]) {
    let message = String::from_utf8_lossy(input);
    let _ = claim(&message);
    if let Some(denial) = denial(&message) {
        assert!(denial.action.contains(':'), "{denial:?}");
        assert!(denial.resource.is_none_or(|resource| !resource.is_empty()), "{message}");
    }
    let failure = Failure {
        stage: "Staging".into(),
        action: "ExternalDeploy".into(),
        error_message: Some(message.into_owned()),
        ..Failure::default()
    };
    report(failure);
}

fn report(failure: Failure) {
    const SNAPSHOT: &str = include_str!("../seeds/snapshot/without-key-grant.json");
    let Ok(snapshot) = serde_json::from_str(SNAPSHOT).map(Snapshot::from_value) else { return };
    let Ok(snapshot) = snapshot else { return };
    let Ok(Some(report)) = diagnose(&failure, &snapshot, Remediation::propose()) else { return };
    told(&Alert::from(&report));
}

/// Every receiver takes the alert.
fn told(alert: &Alert) {
    let subject = email::subject(alert);
    assert!(subject.len() <= 100 && subject.is_ascii() && !subject.starts_with(' '), "SNS takes `{subject}`");
    assert!(email::body(alert).len() < 256 * 1024, "SNS takes the text");
    let chat = chat::message(alert);
    let length = |pointer: &str| chat.pointer(pointer).and_then(Value::as_str).map(|it| it.chars().count());
    assert!(length("/content/title").is_some_and(|length| (1..=250).contains(&length)), "{chat}");
    assert!(length("/content/description").is_some_and(|length| (1..=8_000).contains(&length)), "{chat}");
    let message = slack::message(alert);
    let blocks = message.get("blocks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    assert!((2..=50).contains(&blocks.len()), "{message}");
    for block in blocks {
        let text = block.pointer("/text/text").and_then(Value::as_str).unwrap_or_default();
        let limit = if block.get("type") == Some(&json!("header")) { 150 } else { 3_000 };
        assert!((1..=limit).contains(&text.chars().count()), "{block}");
    }
}
