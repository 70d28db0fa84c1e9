//! ECS: why tasks stopped, and what the service says of it.
//!
//! See <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html> and
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html>.

use serde_json::Value;

use super::{Details, Failure, TargetFailure, during_action, items, joined, text};
use crate::pipeline::Action;
use crate::snapshot::{Fact, Snapshot};

/// Service events that report a problem rather than progress.
const PROBLEMS: [&str; 5] = ["unable", "unhealthy", "failed", "was unable", "error"];

pub(super) fn read(failure: &Failure, action: &Action<'_>, snapshot: &Snapshot) -> Option<Details> {
    let of = |key| Failure::configuration(Some(failure), action, key);
    let name = format!("{}/{}", of("ClusterName")?, of("ServiceName")?);
    let facts = match snapshot.services.get(&name)? {
        Fact::Known(facts) => facts,
        Fact::Absent => return Some(Details::missing(&format!("service {name}"))),
        Fact::Unknown => return None,
    };
    let mut failures: Vec<TargetFailure> = vec![];
    let stopped = facts.stopped_tasks.known().into_iter().flatten();
    for task in stopped.filter(|task| during_action::happened_during_action(failure, task.get("stoppedAt"))) {
        let task = stopped_task(task);
        // A service starts task after task, which all stop for the same reason.
        if failures.iter().all(|seen| seen.message != task.message) {
            failures.push(task);
        }
    }
    let service = facts.service.known();
    let rollout = service.and_then(|service| {
        let reasons = items(service, "/deployments")
            .filter(|deployment| text(deployment, "/rolloutState") == Some("FAILED"))
            .filter(|deployment| during_action::happened_during_action(failure, deployment.get("updatedAt")));
        reasons.filter_map(|deployment| text(deployment, "/rolloutStateReason")).next()
    });
    let events = service.into_iter().flat_map(|service| items(service, "/events"));
    let events =
        events.filter(|event| during_action::happened_during_action(failure, event.get("createdAt")));
    let problem = events
        .filter_map(|event| text(event, "/message"))
        .find(|message| PROBLEMS.iter().any(|word| message.contains(word)));
    let of_task = failures.first().and_then(|task| task.message.as_deref());
    let reason = of_task.or(problem).or(rollout).map(str::to_owned);
    let messages = [problem, rollout].into_iter().flatten().map(str::to_owned).collect();
    Some(Details { reason, failures, messages, ..Details::default() })
}

fn stopped_task(task: &Value) -> TargetFailure {
    let id = text(task, "/taskArn").and_then(|arn| arn.rsplit('/').next()).unwrap_or("a task");
    let containers = items(task, "/containers").filter_map(|container| {
        let exit = container.get("exitCode").and_then(Value::as_i64).filter(|code| *code != 0);
        let exit = exit.map(|code| format!("exit code {code}"));
        joined([text(container, "/reason"), exit.as_deref()])
            .map(|said| format!("container {}: {said}", text(container, "/name").unwrap_or("?")))
    });
    let containers: Vec<String> = containers.collect();
    let containers = (!containers.is_empty()).then(|| containers.join("; "));
    TargetFailure {
        target: format!("task {id}"),
        step: text(task, "/stopCode").map(str::to_owned),
        message: joined([text(task, "/stoppedReason"), containers.as_deref()]),
        log_tail: None,
    }
}
