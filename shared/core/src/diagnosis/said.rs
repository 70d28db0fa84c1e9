//! What was said about a failure: by CodePipeline first, then by the provider in the target account.

use serde_json::Value;

use super::failure::Failure;
use super::message::{Claim, claim};
use crate::snapshot::{DeploymentFacts, Snapshot};

/// Every text on why it failed, the execution's own message first.
pub fn messages(failure: &Failure, snapshot: &Snapshot) -> Vec<String> {
    let mut messages = vec![failure.message().to_owned()];
    if let Some(id) = &failure.external_execution_id {
        let deployment = snapshot.deployments.get(id).and_then(|deployment| deployment.known());
        messages.extend(deployment.and_then(lifecycle));
    }
    let events = snapshot.stack_events.values().filter_map(|events| events.known());
    messages.extend(events.filter_map(|events| stack(events)));
    messages.retain(|message| !message.is_empty());
    messages
}

/// What these texts claim, without what says nothing.
///
/// That instances failed is dropped where another text says how: it is what the others amount to.
pub fn claims(messages: &[String]) -> Vec<Claim> {
    let mut claims: Vec<Claim> = vec![];
    for claim in messages.iter().map(|message| claim(message)).filter(|claim| *claim != Claim::Nothing) {
        if !claims.contains(&claim) {
            claims.push(claim);
        }
    }
    if claims.iter().any(|claim| *claim != Claim::Instances) {
        claims.retain(|claim| *claim != Claim::Instances);
    }
    claims
}

/// The first lifecycle event that failed. Not the log: what a script prints is the script's own affair.
fn lifecycle(deployment: &DeploymentFacts) -> Option<String> {
    // `instanceTarget`, `ecsTarget`, …: the kind is the member.
    let kinds =
        deployment.targets.known()?.iter().flat_map(|target| target.as_object().into_iter().flatten());
    let mut events = kinds.flat_map(|(_, target)| {
        target.get("lifecycleEvents").and_then(Value::as_array).into_iter().flatten()
    });
    let failed = events.find(|event| event.get("status").and_then(Value::as_str) == Some("Failed"))?;
    let parts = ["/lifecycleEventName", "/diagnostics/errorCode", "/diagnostics/message"];
    let texts = parts.into_iter().filter_map(|part| failed.pointer(part)?.as_str());
    Some(texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(": "))
}

/// The reason of the resource that failed first; events come last first, and what was cancelled only followed.
fn stack(events: &[Value]) -> Option<String> {
    let text = |event: &Value, member: &str| event.get(member).and_then(Value::as_str).map(str::to_owned);
    let failed = events
        .iter()
        .rev()
        .filter(|event| text(event, "ResourceStatus").is_some_and(|status| status.ends_with("_FAILED")));
    failed
        .filter_map(|event| text(event, "ResourceStatusReason"))
        .find(|reason| !reason.contains("cancelled"))
}
