//! Functions that are asked something.

use std::time::Duration;

use crosspipe_aws::ErrorKind;
use serde_json::json;

use crate::replay::{Replay, Reply};

const WAIT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_function_is_asked_and_answers() {
    let replay = Replay::start([Reply::new(200, json!({"resources": []}))]).await;
    let answer = replay.aws.invoke("provider", &json!({"crosspipe": "reapply"}), WAIT).await.unwrap();
    assert_eq!(answer, json!({"resources": []}));
    let requests = replay.requests();
    assert_eq!(requests[0].target, "/2015-03-31/functions/provider/invocations");
    assert_eq!(requests[0].body, r#"{"crosspipe":"reapply"}"#);
}

#[tokio::test]
async fn a_function_that_failed_says_why() {
    let failed = json!({"errorType": "Error", "errorMessage": "out of luck"});
    let failed = Reply::new(200, failed).header("x-amz-function-error", "Unhandled");
    let replay = Replay::start([failed, Reply::new(200, "")]).await;
    let error = replay.aws.invoke("provider", &json!({}), WAIT).await.unwrap_err();
    assert_eq!(error.to_string(), "`lambda:Invoke` failed: `provider` failed: out of luck");
    let error = replay.aws.invoke("provider", &json!({}), WAIT).await.unwrap_err();
    assert!(error.to_string().contains("is not JSON"), "{error}");
}

/// A second invocation would run beside the first.
#[tokio::test]
async fn it_is_asked_once_only() {
    let busy =
        || Reply::new(500, json!({"Message": "try again"})).header("x-amzn-errortype", "ServiceException");
    let replay = Replay::start([busy(), Reply::new(200, "{}")]).await;
    let error = replay.aws.invoke("provider", &json!({}), WAIT).await.unwrap_err();
    assert_eq!((error.kind, replay.requests().len()), (ErrorKind::Unavailable, 1));
}
