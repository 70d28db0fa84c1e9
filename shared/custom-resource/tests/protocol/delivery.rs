//! The answer gets through, or the error says why not.

use futures_util::future::join_all;

use super::*;
use crate::logs::assert_told_without_secrets;
use crate::server::Act;

/// Serves a request against this script: the answer arrives once, with this number of attempts.
async fn delivered(script: &[Act], attempts: u32) {
    logs::capture();
    let server = Server::start(script).await;
    let event = create(&server);
    let delivered = serve_grant(event.clone()).await.unwrap();
    assert_eq!(delivered.attempts, attempts, "{script:?}");
    let answer = only_answer(&server, &event);
    assert_eq!((&answer["Status"], &answer["Data"]["PolicyBytes"]), (&json!("SUCCESS"), &json!(17)));
    assert_told_without_secrets(event["RequestId"].as_str().unwrap());
}

#[tokio::test]
async fn accepted_at_once() {
    for act in [Act::Status(200), Act::Status(204), Act::AcceptHttp10, Act::AcceptWithoutEnd] {
        delivered(&[act], 1).await;
    }
}

#[tokio::test]
async fn sent_again_after_passing_faults() {
    for status in [500, 502, 503, 429, 408] {
        delivered(&[Act::Status(status), Act::Status(status), Act::Status(200)], 3).await;
    }
    for act in [Act::ResetMidReply, Act::ResetAtOnce, Act::Close, Act::Stall, Act::Garbage] {
        delivered(&[act, Act::Status(200)], 2).await;
    }
    let all = [Act::ResetAtOnce, Act::Status(503), Act::Stall, Act::Close, Act::Garbage, Act::ResetMidReply];
    delivered(&[&all[..], &[Act::AcceptHttp10]].concat(), 7).await;
}

#[tokio::test]
async fn refused_answer_is_retried_once() {
    delivered(&[Act::Status(403), Act::Status(200)], 2).await;
}

#[tokio::test]
async fn refused_answer_ends_as_error() {
    logs::capture();
    for status in [403, 400, 404, 301, 307] {
        let server = Server::start(&[Act::Status(status)]).await;
        let error = serve_grant(create(&server)).await.unwrap_err();
        assert!(
            matches!(error, ServeError::Refused { status: s, attempts: 2, .. } if s == status),
            "{error}"
        );
        assert_eq!(server.received().len(), 2);
        assert_names_only_the_host(&error);
    }
    assert_told_without_secrets("HTTP status 403");
}

#[tokio::test]
async fn persistent_faults_end_at_deadline() {
    logs::capture();
    let acts = [Act::Status(503), Act::ResetAtOnce, Act::ResetMidReply, Act::Close, Act::Stall, Act::Garbage];
    join_all(acts.map(async |act| {
        let server = Server::start(&[act]).await;
        let (event, deadline) = (create(&server), Deadline::after(Duration::from_secs(3)));
        let responder = patient(Duration::from_millis(100));
        let error =
            serve(event, deadline, &Does(|| Ok(Success::new("grant"))), &responder).await.unwrap_err();
        assert!(matches!(error, ServeError::Undelivered { attempts: 2.., .. }), "{act:?}: {error}");
        assert!(server.received().iter().all(|put| !put.accepted));
        assert_names_only_the_host(&error);
    }))
    .await;
    assert_told_without_secrets("no reply within 100 ms");
}

#[tokio::test]
async fn answer_is_tried_after_deadline() {
    let server = Server::start(&[Act::Status(200)]).await;
    let event = create(&server);
    let passed = Deadline::at_epoch_millis(1);
    let delivered = serve(event.clone(), passed, &Does(|| panic!("not to be run")), responder()).await;
    assert_eq!(delivered.unwrap().attempts, 1);
    let answer = only_answer(&server, &event);
    assert_eq!(answer["Status"], "FAILED");
    assert!(answer["Reason"].as_str().unwrap().contains("no time left"), "{answer}");
}

#[tokio::test]
async fn nobody_listens_or_speaks_tls() {
    logs::capture();
    let server = Server::start(&[Act::Status(200)]).await;
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for base in [format!("http://{free}"), server.url().replace("http:", "https:")] {
        let mut event = create(&server);
        event["ResponseURL"] = json!(format!("{base}/stack%7CKey?{QUERY}"));
        let deadline = Deadline::after(Duration::from_millis(800));
        let error =
            serve(event, deadline, &Does(|| Ok(Success::new("grant"))), responder()).await.unwrap_err();
        assert!(matches!(error, ServeError::Undelivered { .. }), "{error}");
        assert_names_only_the_host(&error);
    }
    assert_told_without_secrets("the answer was not accepted");
}

fn assert_names_only_the_host(error: &ServeError) {
    let told = format!("{error} {error:?}");
    assert!(told.contains("127.0.0.1"), "{told}");
    assert!(!told.contains("Signature") && !told.contains("stack%7CKey"), "{told}");
}
