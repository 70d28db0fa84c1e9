//! CodeDeploy: the deployment's error, and the lifecycle event that failed on each target, with the end of its
//! script's log. Targets are instances, ECS services or Lambda functions; all of them have lifecycle events.
//!
//! See <https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentInfo.html> and
//! <https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentTarget.html>.

use serde_json::Value;

use super::{Details, Failure, TargetFailure, items, joined, text};
use crate::snapshot::{Fact, Snapshot};

pub(super) fn read(failure: &Failure, snapshot: &Snapshot) -> Option<Details> {
    let id = failure.deployment_id()?;
    let deployment = match snapshot.deployments.get(id)? {
        Fact::Known(deployment) => deployment,
        Fact::Absent => return Some(Details::missing(&format!("deployment {id}"))),
        Fact::Unknown => return None,
    };
    // `instanceTarget`, `ecsTarget`, …: the kind is the member.
    let kinds = deployment.targets.known().into_iter().flatten();
    let kinds = kinds.flat_map(|target| target.as_object().into_iter().flatten());
    let failures = kinds.filter_map(|(_, target)| failed(target)).collect();
    let info = deployment.deployment_info.known();
    let message = info.and_then(|info| text(info, "/errorInformation/message"));
    Some(Details {
        reason: info.and_then(reason),
        code: info.and_then(|info| text(info, "/errorInformation/code")).map(str::to_owned),
        failures,
        messages: message.map(str::to_owned).into_iter().collect(),
        log: None,
    })
}

fn reason(info: &Value) -> Option<String> {
    let (code, message) = (text(info, "/errorInformation/code"), text(info, "/errorInformation/message"));
    let count = |status: &str| info.pointer(&format!("/deploymentOverview/{status}")).and_then(Value::as_u64);
    let all =
        ["Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Ready"].into_iter().filter_map(count);
    let failed = count("Failed").filter(|failed| *failed > 0);
    let failed = failed.map(|failed| format!("{failed} of {} targets failed", all.sum::<u64>()));
    let status = text(info, "/status").map(|status| format!("the deployment is {status}"));
    let said = joined([code, message]).or(status)?;
    Some(failed.map_or_else(|| said.clone(), |failed| format!("{failed}; {said}")))
}

/// A target that failed, with the first of its lifecycle events that did.
fn failed(target: &Value) -> Option<TargetFailure> {
    let id = text(target, "/targetId")?;
    let event = items(target, "/lifecycleEvents").find(|event| text(event, "/status") == Some("Failed"));
    if event.is_none() && text(target, "/status") != Some("Failed") {
        return None;
    }
    let said = |member: &str| event.and_then(|event| text(event, &format!("/diagnostics/{member}")));
    Some(TargetFailure {
        target: id.to_owned(),
        step: event.and_then(|event| text(event, "/lifecycleEventName")).map(str::to_owned),
        message: joined([said("errorCode"), said("scriptName"), said("message")]),
        log_tail: said("logTail").map(str::to_owned),
    })
}
