//! What was said about a failure: by CodePipeline first, then by the provider in the target account.

use serde_json::Value;

use super::failure::Failure;
use super::message::{Claim, Denial, claim, denial};
use crate::snapshot::{DeploymentFacts, Snapshot};

/// What the messages on a failure claim.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// What they claim, the execution's own message first, without what says nothing.
    pub claims: Vec<Claim>,
    /// The first denial that one of them tells of.
    pub denial: Option<Denial>,
}

impl Said {
    /// Reads the execution's message, and those of the provider.
    pub fn of(failure: &Failure, snapshot: &Snapshot) -> Self {
        let own = failure.message();
        let provider = of_provider(failure, snapshot);
        let messages = || [own].into_iter().chain(provider.iter().map(String::as_str));
        let others = provider.iter().map(|message| claim(message)).filter(is_of_provider);
        let mut claims: Vec<Claim> = vec![];
        for claim in [claim(own)].into_iter().chain(others).filter(|claim| *claim != Claim::Nothing) {
            if !claims.contains(&claim) {
                claims.push(claim);
            }
        }
        // That instances failed is what the others amount to.
        if claims.iter().any(|claim| *claim != Claim::Instances) {
            claims.retain(|claim| *claim != Claim::Instances);
        }
        // A refusal without words.
        if claims.is_empty() && failure.error_code.as_deref() == Some("PermissionError") {
            claims.push(Claim::Refused);
        }
        Said { claims, denial: messages().find_map(denial) }
    }
}

/// Whether a claim of the provider's says whom it is about. What it says of a denial otherwise is about the roles
/// that work there, of stacks, tasks and builds, not about the action's.
fn is_of_provider(claim: &Claim) -> bool {
    match claim {
        Claim::Denied(denial) => denial.actor.is_some(),
        Claim::StackBucket
        | Claim::InstanceBucket
        | Claim::Instances
        | Claim::OwnWork
        | Claim::NoAcls
        | Claim::LambdaSilent
        | Claim::StackSetAdmin => true,
        _ => false,
    }
}

/// What the provider says, the most telling first.
fn of_provider(failure: &Failure, snapshot: &Snapshot) -> Vec<String> {
    let deployment = failure.external_execution_id.as_ref().and_then(|id| snapshot.deployments.get(id));
    let deployment = deployment.and_then(|deployment| lifecycle(deployment.known()?));
    let events = snapshot.stack_events.values().filter_map(|events| stack(events.known()?));
    deployment.into_iter().chain(events).collect()
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
