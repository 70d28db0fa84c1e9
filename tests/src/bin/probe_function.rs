//! A Lambda function for testing local AWS itself.
//!
//! As a custom resource it answers `FAILED` to the request types listed in its property `Fail`, otherwise `SUCCESS`;
//! with its property `Silent` it never answers.
//! Any other event is an error of the function.

use std::error::Error;

use crosspipe_e2e::loopback;
use serde_json::{Value, json};

const INVOCATION: &str = "/2018-06-01/runtime/invocation";

fn main() -> Result<(), Box<dyn Error>> {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API")?;
    let port = api.rsplit(':').next().unwrap_or_default().parse()?;
    loop {
        let next = loopback::request(port, "GET", &format!("{INVOCATION}/next"), "")?;
        let id = next.header("Lambda-Runtime-Aws-Request-Id").unwrap_or_default();
        let (outcome, body) = match handle(&serde_json::from_str(&next.body)?) {
            Ok(()) => ("response", json!({})),
            Err(error) => ("error", json!({"errorType": "Probe", "errorMessage": error.to_string()})),
        };
        loopback::request(port, "POST", &format!("{INVOCATION}/{id}/{outcome}"), &body.to_string())?;
    }
}

fn handle(event: &Value) -> Result<(), Box<dyn Error>> {
    let member = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
    let (port, path) = loopback::split_url(member("ResponseURL")).ok_or("not a custom resource request")?;
    if event.pointer("/ResourceProperties/Silent").is_some() {
        return Ok(());
    }
    let failing = event.pointer("/ResourceProperties/Fail").and_then(Value::as_str).unwrap_or_default();
    let failed = failing.split(',').any(|kind| kind == member("RequestType"));
    let known = member("PhysicalResourceId");
    let physical_id =
        if known.is_empty() { format!("probe-{}", member("LogicalResourceId")) } else { known.to_owned() };
    let answer = json!({
        "Status": if failed { "FAILED" } else { "SUCCESS" },
        "Reason": format!("{} was to fail", member("RequestType")),
        "PhysicalResourceId": physical_id,
        "StackId": member("StackId"),
        "RequestId": member("RequestId"),
        "LogicalResourceId": member("LogicalResourceId"),
        "Data": {"Said": physical_id},
    });
    loopback::request(port, "PUT", &path, &answer.to_string())?;
    Ok(())
}
