//! Leases and claims over replayed HTTP.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crosspipe_aws::idempotency::{Claimed, IdempotencyClaim};
use crosspipe_aws::lease::{LeaseError, Leases, Notes};
use crosspipe_aws::{AwsError, ErrorKind};
use serde_json::{Value, json};

use crate::replay::{Replay, Reply};

const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/1";

fn refused() -> Reply {
    held_by("other#0123")
}

fn held_by(holder: &str) -> Reply {
    let item = json!({"LockKey": {"S": KEY}, "Holder": {"S": holder}, "HeldUntil": {"N": "4000000000"}, "Note:outcome": {"S": "it worked"}});
    Reply::new(
        400,
        json!({
            "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
            "message": "The conditional request failed", "Item": item
        }),
    )
}

fn taken() -> Reply {
    Reply::new(200, "{}")
}

fn ours(claimed: Result<Claimed, AwsError>) -> IdempotencyClaim {
    match claimed {
        Ok(Claimed::Ours(claim)) => claim,
        other => panic!("{other:?}"),
    }
}

fn in_a_minute() -> SystemTime {
    SystemTime::now() + Duration::from_secs(60)
}

fn value<'a>(request: &'a Value, name: &str) -> &'a Value {
    &request["ExpressionAttributeValues"][name]
}

#[tokio::test]
async fn free_lease_is_taken_and_released() {
    let replay = Replay::start([taken(), taken()]).await;
    let leases = Leases::new(&replay.aws, "locks");
    let expires = UNIX_EPOCH + Duration::from_millis(4_000_000_000_500);
    let lease = leases.acquire(KEY, "stack", expires, UNIX_EPOCH).await.unwrap();
    lease.release().await;

    let requests = replay.requests();
    assert!(requests.iter().all(|request| request.operation() == "UpdateItem"), "the only permission needed");
    let (acquire, release) = (requests[0].json(), requests[1].json());
    assert_eq!(acquire["TableName"], "locks");
    assert_eq!(acquire["Key"], json!({"LockKey": {"S": KEY}}));
    assert_eq!(
        acquire["ConditionExpression"],
        "attribute_not_exists(Holder) OR HeldUntil < :now OR Holder = :me"
    );
    assert_eq!(
        acquire["UpdateExpression"], "SET Holder = :me, HeldUntil = :until",
        "its row is not tidied up"
    );
    assert_eq!(value(&acquire, ":until"), &json!({"N": "4000000001"}), "rounded up");
    assert!(value(&acquire, ":me")["S"].as_str().unwrap().starts_with("stack#"));

    assert_eq!(release["Key"], acquire["Key"]);
    assert_eq!(release["ConditionExpression"], "Holder = :me");
    assert_eq!(release["UpdateExpression"], "REMOVE Holder, HeldUntil");
    assert_eq!(value(&release, ":me"), value(&acquire, ":me"));
}

#[tokio::test]
async fn a_held_lease_is_waited_for() {
    let replay = Replay::start([refused(), refused(), taken()]).await;
    let leases = Leases::new(&replay.aws, "locks");
    let lease = leases.acquire(KEY, "stack", in_a_minute(), in_a_minute()).await;
    assert!(lease.is_ok());
    assert_eq!(replay.requests().len(), 3);
}

#[tokio::test]
async fn giving_up_says_who_holds_it() {
    let replay = Replay::start([refused(), taken()]).await;
    let leases = Leases::new(&replay.aws, "locks");
    let error = leases.acquire(KEY, "stack", in_a_minute(), UNIX_EPOCH).await.unwrap_err();
    let LeaseError::Held(held) = error else { panic!("{error}") };
    assert_eq!((held.key.as_str(), held.holder.as_str()), (KEY, "other"));
    assert_eq!(held.expires, UNIX_EPOCH + Duration::from_secs(4_000_000_000));
    assert_eq!(replay.requests().len(), 1, "one attempt although it was already time to give up");
}

#[tokio::test]
async fn missing_table_fails_at_once() {
    let missing = json!({"__type": "ResourceNotFoundException", "message": "Requested resource not found"});
    let replay = Replay::start([Reply::new(400, missing), taken()]).await;
    let leases = Leases::new(&replay.aws, "locks");
    let error = leases.acquire(KEY, "stack", in_a_minute(), in_a_minute()).await.unwrap_err();
    assert!(matches!(error, LeaseError::Aws(_)), "{error}");
    assert_eq!(replay.requests().len(), 1);
}

#[tokio::test]
async fn one_holder_takes_no_second_lease() {
    let replay = Replay::start([taken(), taken()]).await;
    let leases = Leases::new(&replay.aws, "locks");
    for _ in 0..2 {
        let _lease = leases.acquire(KEY, "stack", in_a_minute(), UNIX_EPOCH).await.unwrap();
    }
    let requests = replay.requests();
    assert_ne!(value(&requests[0].json(), ":me"), value(&requests[1].json(), ":me"));
}

#[tokio::test]
async fn a_failed_release_is_survived() {
    let replay = Replay::start([taken(), refused()]).await;
    let leases = Leases::new(&replay.aws, "locks");
    leases.acquire(KEY, "stack", in_a_minute(), UNIX_EPOCH).await.unwrap().release().await;
    assert_eq!(replay.requests().len(), 2);
}

#[tokio::test]
async fn work_is_claimed_once_and_kept() {
    let replay = Replay::start([taken(), held_by("event-1#01"), taken(), held_by("done")]).await;
    let leases = Leases::new(&replay.aws, "locks");
    let claim = ours(leases.begin("alert", "event-1", in_a_minute()).await);
    let handled = leases.begin("alert", "event-2", in_a_minute()).await.unwrap();
    let Claimed::Busy(held) = handled else { panic!("{handled:?}") };
    assert_eq!((held.holder.as_str(), held.outcome()), ("event-1", Some("it worked")));
    claim.finish(UNIX_EPOCH + Duration::from_secs(4_000_000_000)).await.unwrap();
    assert!(matches!(leases.begin("alert", "event-3", in_a_minute()).await.unwrap(), Claimed::Done));

    let requests = replay.requests();
    let begin = requests[0].json();
    assert_eq!(begin["UpdateExpression"], "SET Holder = :me, HeldUntil = :until, ExpiresAt = :until");
    let finish = requests[2].json();
    assert_eq!(finish["UpdateExpression"], "SET Holder = :name, HeldUntil = :until, ExpiresAt = :until");
    assert_eq!(finish["ConditionExpression"], "Holder = :me");
    assert_eq!(value(&finish, ":name"), &json!({"S": "done"}));
    assert_eq!(value(&finish, ":until"), &json!({"N": "4000000000"}));
    assert_eq!(value(&finish, ":me"), value(&requests[0].json(), ":me"));
}

#[tokio::test]
async fn abandoned_work_is_free_again() {
    let replay = Replay::start([taken(), taken()]).await;
    let leases = Leases::new(&replay.aws, "locks");
    ours(leases.begin("alert", "event-1", in_a_minute()).await).abandon().await;
    assert_eq!(replay.requests()[1].json()["UpdateExpression"], "REMOVE Holder, HeldUntil");
}

#[tokio::test]
async fn finished_parts_are_recorded() {
    let row = json!({"Attributes": {"LockKey": {"S": "alert"}, "Holder": {"S": "me"}, "HeldUntil": {"N": "4"}, "Note:chat": {"S": ""}}});
    let replay = Replay::start([Reply::new(200, row), taken()]).await;
    let leases = Leases::new(&replay.aws, "locks");
    let claim = ours(leases.begin("alert", "event-1", in_a_minute()).await);
    assert!(claim.has_done("chat") && !claim.has_done("bus"));
    claim.leave(&["bus", "topic"], UNIX_EPOCH + Duration::from_secs(4_000_000_000)).await.unwrap();
    let left = replay.requests()[1].json();
    assert_eq!(
        left["UpdateExpression"],
        "REMOVE Holder, HeldUntil SET ExpiresAt = :until, #note0 = :mark, #note1 = :mark"
    );
    assert_eq!(left["ExpressionAttributeNames"], json!({"#note0": "Note:bus", "#note1": "Note:topic"}));
    assert_eq!(left["ConditionExpression"], "Holder = :me");
    assert_eq!(value(&left, ":until"), &json!({"N": "4000000000"}));
}

#[tokio::test]
async fn outcome_is_recorded() {
    let replay = Replay::start([taken(), taken()]).await;
    let leases = Leases::new(&replay.aws, "locks");
    ours(leases.begin("fix-key", "event-1", in_a_minute()).await).keep("it worked").await.unwrap();
    let kept = replay.requests()[1].json();
    assert_eq!(kept["UpdateExpression"], "SET #note0 = :note0", "held as long as before");
    assert_eq!(kept["ExpressionAttributeNames"], json!({"#note0": "Note:outcome"}));
    assert_eq!(value(&kept, ":note0"), &json!({"S": "it worked"}));
}

#[tokio::test]
async fn notes_change_with_the_release() {
    let row = json!({"Attributes": {"LockKey": {"S": KEY}, "Holder": {"S": "me"}, "HeldUntil": {"N": "4"}, "Note:a": {"S": "one"}}});
    let invalid = Reply::new(400, json!({"__type": "ValidationException", "message": "Item size"}));
    let replies =
        [Reply::new(200, row), taken(), taken(), taken(), taken(), refused(), taken(), invalid, taken()];
    let replay = Replay::start(replies).await;
    let leases = Leases::new(&replay.aws, "locks");
    let lease = async || leases.acquire(KEY, "stack", in_a_minute(), UNIX_EPOCH).await.unwrap();
    let first = lease().await;
    assert_eq!(first.notes().iter().collect::<Vec<_>>(), [(&"a".to_owned(), &"one".to_owned())]);
    first.release_noting("b", Some("two")).await.unwrap();
    lease().await.release_noting("b", None).await.unwrap();
    let late = lease().await.release_noting("b", Some("two")).await.unwrap_err();
    assert_eq!(late.kind, ErrorKind::Conflict, "somebody else has it by now");
    let error = lease().await.release_noting("b", Some("too long")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid);

    let requests = replay.requests();
    assert_eq!(requests[0].json()["ReturnValues"], "ALL_NEW");
    let (left, struck) = (requests[1].json(), requests[3].json());
    assert_eq!(left["UpdateExpression"], "REMOVE Holder, HeldUntil SET #note0 = :note0");
    assert_eq!(value(&left, ":note0"), &json!({"S": "two"}));
    assert_eq!(struck["UpdateExpression"], "REMOVE Holder, HeldUntil, #note0");
    assert_eq!(requests[8].json()["UpdateExpression"], "REMOVE Holder, HeldUntil", "nobody waits for a note");
    for request in [left, struck] {
        assert_eq!(request["ConditionExpression"], "Holder = :me");
        assert_eq!(request["ExpressionAttributeNames"], json!({"#note0": "Note:b"}));
    }
}

/// The SDK sends a release again when its answer was lost, and finds the lease released.
#[tokio::test]
async fn release_whose_answer_was_lost_is_done() {
    let row = json!({"LockKey": {"S": KEY}, "Note:grant": {"S": "applied"}});
    let refused = |row: &Value| {
        let code = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
        Reply::new(400, json!({"__type": code, "message": "The conditional request failed", "Item": row}))
    };
    let note =
        |text: &str| Notes::from([("grant".to_owned(), Some(text.to_owned())), ("gone".to_owned(), None)]);
    for (text, is_done) in [("applied", true), ("newer", false)] {
        let replay = Replay::start([taken(), refused(&row)]).await;
        let leases = Leases::new(&replay.aws, "locks");
        let lease = leases.acquire(KEY, "stack", in_a_minute(), UNIX_EPOCH).await.unwrap();
        let released = lease.release_with_notes(note(text)).await;
        assert_eq!(released.is_ok(), is_done, "{released:?}");
    }
    // A lease that is to be kept is lost, whatever the notes say.
    let replay = Replay::start([taken(), refused(&row)]).await;
    let leases = Leases::new(&replay.aws, "locks");
    let mut lease = leases.acquire(KEY, "stack", in_a_minute(), UNIX_EPOCH).await.unwrap();
    lease.keep_with_notes(note("applied")).await.unwrap_err();
}
