use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::is_placeholder_id;

const URL: &str = "https://responses.example/key?Expires=1&Signature=0123456789abcdef0123";

fn envelope(request_type: &str, physical_id: Option<&str>) -> Envelope {
    Envelope::open(&json!({
        "ResponseURL": URL, "RequestType": request_type, "PhysicalResourceId": physical_id,
        "StackId": "arn:aws:cloudformation:us-east-2:111111111111:stack/pipeline/1",
        "RequestId": "unique \"id\"", "LogicalResourceId": "Key",
    }))
    .unwrap()
}

fn answer(envelope: &Envelope, outcome: Result<Success, Failure>) -> (Answer, Value) {
    let answer = Answer::new(envelope, outcome);
    let body = serde_json::from_str(&answer.body).unwrap();
    (answer, body)
}

fn failed(envelope: &Envelope, failure: Failure) -> Value {
    let (answer, body) = answer(envelope, Err(failure));
    assert_eq!((answer.status, &body["Status"]), (Status::Failed, &json!("FAILED")));
    body
}

#[test]
fn a_success_in_full() {
    let success =
        Success { no_echo: true, ..Success::new("grant").with("PolicyBytes", 17).with("Ids", json!(["a"])) };
    let (_, body) = answer(&envelope("Create", None), Ok(success));
    assert_eq!(
        body,
        json!({"Status": "SUCCESS", "PhysicalResourceId": "grant", "RequestId": "unique \"id\"", "LogicalResourceId": "Key",
            "StackId": "arn:aws:cloudformation:us-east-2:111111111111:stack/pipeline/1",
            "NoEcho": true, "Data": {"Ids": ["a"], "PolicyBytes": 17}})
    );
}

#[test]
fn a_failure_in_full() {
    let body =
        failed(&envelope("Create", None), Failure::new("`KeyArn` is an alias", "use the ARN").see("PL003"));
    assert_eq!(body["Reason"], "`KeyArn` is an alias. Next: use the ARN [PL003]");
    assert!(is_placeholder_id(body["PhysicalResourceId"].as_str().unwrap()), "{body}");
    assert!(body.get("Data").is_none() && body.get("NoEcho").is_none());
}

#[test]
fn reasons_read_well() {
    let fits = |cause, next, reference| fit_reason(cause, next, reference, 1_000);
    assert_eq!(fits("It broke.", "mend it", None), "It broke. Next: mend it");
    assert_eq!(fits("", "mend it", None), "no cause was given. Next: mend it");
    assert_eq!(fits("it broke", "", Some("IA001")), "it broke [IA001]");
    assert_eq!(fits("it broke", "", None), "it broke");
    assert_eq!(
        fit_reason("it broke into pieces", "mend it", Some("IA001"), 33),
        "it broke… Next: mend it [IA001]"
    );
    assert_eq!(fit_reason("it broke", "mend it", Some("https://long.example"), 20), "it… Next: mend it");
    assert_eq!(fit_reason("it broke", "mend it all", None, 12), "Next: men…");
    assert_eq!(fit_reason("it broke", "mend it", None, 2), "");
}

#[test]
fn failures_keep_physical_id() {
    for request_type in ["Update", "Delete", "Odd"] {
        let body = failed(&envelope(request_type, Some("old")), Failure::new("c", "n").made("new"));
        assert_eq!(body["PhysicalResourceId"], "old");
    }
}

#[test]
fn failed_create_names_partial_resource() {
    let body = failed(&envelope("Create", None), Failure::new("c", "n").made("grant"));
    assert_eq!(body["PhysicalResourceId"], "grant");
    // Something was made under an id that can't be sent: its Delete must not be skipped.
    let body = failed(&envelope("Create", None), Failure::new("c", "n").made("x".repeat(1_025)));
    assert!(!is_placeholder_id(body["PhysicalResourceId"].as_str().unwrap()), "{body}");
}

#[test]
fn oversized_attributes_fail() {
    let success = Success::new("grant").with("Ids", "x".repeat(4_096));
    let body = failed(&envelope("Create", None), success_failure(&success));
    assert_eq!(body["PhysicalResourceId"], "grant");
    assert!(body["Reason"].as_str().unwrap().contains("limit is 4096"), "{body}");
}

fn success_failure(success: &Success) -> Failure {
    Answer::success(&envelope("Create", None), success.clone()).unwrap_err()
}

#[test]
fn long_notice_stays_success() {
    let success =
        Success { reason: Some("é".repeat(5_000)), ..Success::new("grant").with("Ids", "x".repeat(2_000)) };
    let (answer, body) = answer(&envelope("Create", None), Ok(success));
    assert_eq!((answer.status, body["Data"]["Ids"].as_str().unwrap().len()), (Status::Success, 2_000));
    assert!(
        answer.body.len() <= MAX_BODY_BYTES && answer.body.len() > MAX_BODY_BYTES - 4,
        "{}",
        answer.body.len()
    );
}

#[test]
fn invalid_physical_id_fails() {
    for id in ["", "  ", &"x".repeat(1_025)] {
        let body = failed(&envelope("Create", None), success_failure(&Success::new(id)));
        assert!(is_usable(body["PhysicalResourceId"].as_str().unwrap()), "{body}");
    }
}

#[test]
fn delete_answers_without_attributes() {
    let success = Success::new("").with("Ids", "x".repeat(5_000));
    let (answer, body) = answer(&envelope("Delete", Some("old")), Ok(success));
    assert_eq!((answer.status, &body["PhysicalResourceId"]), (Status::Success, &json!("old")));
    assert!(body.get("Data").is_none());
}

#[test]
fn reasons_never_hold_the_response_url() {
    let leaky =
        || Failure::new(format!("PUT {URL}"), format!("see {URL}")).see("Signature=0123456789abcdef0123");
    let body = failed(&envelope("Create", None), leaky()).to_string();
    assert!(!body.contains("0123456789abcdef") && !body.contains("responses.example"), "{body}");
    let success = Success { reason: Some(URL.to_owned()), ..Success::new("grant") };
    assert!(!answer(&envelope("Create", None), Ok(success)).0.body.contains("0123456789abcdef"));
}

/// Text of every kind: plain, escaped in JSON, several bytes a character.
fn text(longest: usize) -> impl Strategy<Value = String> {
    let char = prop_oneof![
        proptest::char::range('a', 'z'),
        prop_oneof![Just('"'), Just('\\'), Just('\n'), Just('\0'), Just('\u{1f}'), Just('\u{7f}')],
        any::<char>(),
    ];
    // Repetition makes it long: generating each character of a long text takes a test its time for nothing.
    let start = proptest::collection::vec(char, 0..40).prop_map(String::from_iter);
    (start, 0..longest).prop_map(|(start, length)| start.chars().cycle().take(length).collect())
}

proptest! {
    #[test]
    fn the_encoded_length_is_serde_jsons(text in text(200)) {
        prop_assert_eq!(encoded_len(&text) + 2, serde_json::to_string(&text).unwrap().len());
    }

    #[test]
    fn cut_text_is_a_prefix(text in text(200), room in 0..400_usize) {
        let cut = cut_to_json_bytes(&text, room);
        prop_assert!(encoded_len(&cut) <= room);
        prop_assert!(text.starts_with(cut.strip_suffix(ELLIPSIS).unwrap_or(&cut)));
    }

    #[test]
    fn long_failure_keeps_next_step(
        cause in text(6_000), next_step in text(300), reference in proptest::option::of(text(300)),
        made in proptest::option::of(text(2_000)), request_type in prop_oneof![Just("Create"), Just("Update"), Just("?")],
        physical_id in proptest::option::of(text(1_100)),
    ) {
        let failure = Failure { physical_id: made, cause, next_step: next_step.clone(), reference };
        let (answer, body) = answer(&envelope(request_type, physical_id.as_deref()), Err(failure));
        prop_assert!(answer.body.len() <= MAX_BODY_BYTES, "{} bytes", answer.body.len());
        prop_assert!(is_usable(body["PhysicalResourceId"].as_str().unwrap()));
        let reason = body["Reason"].as_str().unwrap();
        prop_assert!(!reason.is_empty());
        // 300 characters of six bytes each can be more than there is room for; up to that, all of it is kept.
        if encoded_len(&next_step) <= 1_000 {
            prop_assert!(reason.contains(next_step.trim()), "{reason:?}");
        }
    }

    #[test]
    fn endless_next_step_fits(next_step in text(9_000), cause in text(20)) {
        let (answer, body) = answer(&envelope("Create", None), Err(Failure::new(cause, next_step)));
        prop_assert!(answer.body.len() <= MAX_BODY_BYTES);
        prop_assert!(!body["Reason"].as_str().unwrap().is_empty());
    }

    #[test]
    fn every_success_fits_whole_or_fails(
        physical_id in text(1_500), no_echo: bool, reason in proptest::option::of(text(5_000)),
        data in proptest::collection::btree_map(text(40), text(800).prop_map(Value::from), 0..8),
    ) {
        let success = Success { physical_id: physical_id.clone(), data: data.clone(), no_echo, reason };
        let (answer, body) = answer(&envelope("Create", None), Ok(success));
        prop_assert!(answer.body.len() <= MAX_BODY_BYTES, "{} bytes", answer.body.len());
        match answer.status {
            Status::Success => {
                prop_assert_eq!(body["PhysicalResourceId"].as_str(), Some(physical_id.as_str()));
                let sent = body.get("Data").cloned().unwrap_or_else(|| json!({}));
                prop_assert_eq!(sent, json!(data));
            }
            Status::Failed => {
                let id = body["PhysicalResourceId"].as_str().unwrap();
                prop_assert!(!is_placeholder_id(id));
                prop_assert!(id == physical_id || !is_usable(&physical_id));
                prop_assert!(body["Reason"].as_str().unwrap().contains("Next: "));
            }
        }
    }
}
