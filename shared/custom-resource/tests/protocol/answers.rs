//! What is answered, on every path through the handler and for every kind of request.

use crosspipe_custom_resource::{RequestType, is_placeholder_id};

use super::*;
use crate::logs::assert_told_without_secrets;
use crate::server::Act;

/// Serves the event with the handler and returns the one answer.
async fn answer(handler: &impl Handler, deadline: Deadline, change: impl Fn(&mut Value)) -> Value {
    logs::capture();
    let server = Server::start(&[Act::Status(200)]).await;
    let mut event = create(&server);
    change(&mut event);
    serve(event.clone(), deadline, handler, responder()).await.unwrap();
    only_answer(&server, &event)
}

fn unchanged(_: &mut Value) {}

fn update(event: &mut Value) {
    event["RequestType"] = json!("Update");
    event["PhysicalResourceId"] = json!("existing");
}

fn delete(event: &mut Value) {
    event["RequestType"] = json!("Delete");
    event["PhysicalResourceId"] = json!("existing");
}

fn reason(answer: &Value) -> &str {
    assert_eq!(answer["Status"], "FAILED", "{answer}");
    answer["Reason"].as_str().unwrap()
}

fn physical_id(answer: &Value) -> &str {
    answer["PhysicalResourceId"].as_str().unwrap()
}

#[tokio::test]
async fn the_handlers_failure() {
    let fails = Does(|| Err(Failure::new("`KeyArn` is an alias", "use the key's ARN").see("PL003")));
    let answered = answer(&fails, ample(), unchanged).await;
    assert_eq!(reason(&answered), "`KeyArn` is an alias. Next: use the key's ARN [PL003]");
    assert!(is_placeholder_id(physical_id(&answered)));
    for change in [update, delete] {
        assert_eq!(physical_id(&answer(&fails, ample(), change).await), "existing");
    }
}

/// Panics before it returns a future.
struct PanicsAtOnce;

impl Handler for PanicsAtOnce {
    #[allow(clippy::manual_async_fn, reason = "an async fn would panic later")]
    fn handle(&self, _: &Request, _: Deadline) -> impl Future<Output = Result<Success, Failure>> + Send {
        assert_eq!(1, 2, "secret of the panic");
        async { Ok(Success::new("grant")) }
    }
}

#[tokio::test]
async fn panic_is_answered_without_details() {
    let later = Does(|| panic!("secret of the panic"));
    let answers = [answer(&PanicsAtOnce, ample(), unchanged).await, answer(&later, ample(), unchanged).await];
    for answered in &answers {
        assert!(reason(answered).contains("internal error"), "{answered}");
        assert!(!answered.to_string().contains("secret of the panic"), "{answered}");
        // It may have made something: the Delete that follows has to look.
        assert!(!is_placeholder_id(physical_id(answered)), "{answered}");
    }
    assert_eq!(physical_id(&answer(&later, ample(), delete).await), "existing");
    assert_told_without_secrets("secret of the panic");
}

/// Works for ever, and panics when it is stopped.
struct NeverDone;

struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        assert_eq!(1, 2, "stopped");
    }
}

impl Handler for NeverDone {
    async fn handle(&self, request: &Request, _: Deadline) -> Result<Success, Failure> {
        let _guard = (request.request_type() == RequestType::Delete).then(|| PanicsOnDrop);
        std::future::pending().await
    }
}

#[tokio::test]
async fn endless_handler_is_stopped() {
    let deadline = || Deadline::after(Duration::from_secs(2));
    let answered = answer(&NeverDone, deadline(), unchanged).await;
    assert!(reason(&answered).contains("raise the function's timeout"), "{answered}");
    assert!(!is_placeholder_id(physical_id(&answered)), "{answered}");
    let answered = answer(&NeverDone, deadline(), delete).await;
    assert!(reason(&answered).contains("internal error"), "{answered}");
}

/// Fails with the time that it is given.
struct TellsItsTime;

impl Handler for TellsItsTime {
    async fn handle(&self, _: &Request, deadline: Deadline) -> Result<Success, Failure> {
        Err(Failure::new(deadline.remaining().as_secs().to_string(), ""))
    }
}

#[tokio::test]
async fn deadline_leaves_time_for_answer() {
    let answered = answer(&TellsItsTime, ample(), unchanged).await;
    // 60 s less the reserve of 2 s.
    assert!(reason(&answered).parse::<u64>().unwrap() < 58, "{answered}");
}

#[tokio::test]
async fn malformed_request_is_answered() {
    let not_run = Does(|| panic!("not to be run"));
    let cases: [(&str, Value, &str); 6] = [
        ("RequestType", json!("Upsert"), "`RequestType` is `Upsert`"),
        ("RequestType", json!(null), "`RequestType` is missing"),
        ("RequestType", json!("Update"), "`PhysicalResourceId` is missing"),
        ("ResourceType", json!(7), "`ResourceType` of the request is not a string"),
        ("ResourceProperties", json!("x"), "`ResourceProperties` of the request is not an object"),
        ("OldResourceProperties", json!([]), "`OldResourceProperties` of the request is not an object"),
    ];
    for (field, odd, expected) in cases {
        let answered = answer(&not_run, ample(), |event| event[field] = odd.clone()).await;
        assert!(reason(&answered).contains(expected), "{answered}");
        assert!(is_placeholder_id(physical_id(&answered)), "{answered}");
    }
}

#[tokio::test]
async fn missing_id_gets_a_fresh_one() {
    let server = Server::start(&[Act::Status(200)]).await;
    serve_grant(create(&server)).await.unwrap();
    for id in ["StackId", "RequestId", "LogicalResourceId"] {
        let mut event = create(&server);
        event.as_object_mut().unwrap().remove(id);
        serve_grant(event.clone()).await.unwrap();
        let answered: Value = serde_json::from_slice(&server.received().last().unwrap().body).unwrap();
        assert!(reason(&answered).contains(&format!("`{id}` is missing")), "{answered}");
        for field in ["StackId", "RequestId", "LogicalResourceId"] {
            assert_eq!(answered.get(field), event.get(field), "{answered}");
        }
    }
}

#[tokio::test]
async fn failed_create_id_is_deterministic() {
    let server = Server::start(&[Act::Status(200)]).await;
    let event = create(&server);
    let fails = Does(|| Err(Failure::new("cause", "next step")));
    for _ in 0..2 {
        serve(event.clone(), ample(), &fails, responder()).await.unwrap();
    }
    let received = server.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].body, received[1].body);
}

#[tokio::test]
async fn served_from_a_spawned_task() {
    let server = Server::start(&[Act::Status(200)]).await;
    let event = create(&server);
    let task = tokio::spawn(serve_grant(event.clone()));
    assert_eq!(task.await.unwrap().unwrap().attempts, 1);
    assert_eq!(only_answer(&server, &event)["Status"], "SUCCESS");
}
