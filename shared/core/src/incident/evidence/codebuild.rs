//! CodeBuild: the phases that failed, what they say, and where the log is.
//!
//! See <https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BuildPhase.html>.

use serde_json::Value;

use super::{Details, Failure, TargetFailure, items, joined, text};
use crate::snapshot::{Fact, Snapshot};

pub(super) fn read(failure: &Failure, snapshot: &Snapshot) -> Option<Details> {
    let id = failure.external_execution_id.as_deref()?;
    let build = match snapshot.builds.get(id)? {
        Fact::Known(build) => build,
        Fact::Absent => return Some(Details::missing(&format!("build {id}"))),
        Fact::Unknown => return None,
    };
    let failed = items(build, "/phases").filter(|phase| {
        text(phase, "/phaseStatus").is_some_and(|it| matches!(it, "FAILED" | "FAULT" | "TIMED_OUT"))
    });
    let failures: Vec<TargetFailure> = failed.map(|phase| of_phase(id, phase)).collect();
    let first = failures.first().map(|it| {
        let step = it.step.as_deref().unwrap_or("a phase");
        format!("{step} failed: {}", it.message.as_deref().unwrap_or("it says no more"))
    });
    let status = text(build, "/buildStatus").map(|status| format!("the build is {status}"));
    Some(Details {
        reason: first.or(status),
        failures,
        log: text(build, "/logs/deepLink").map(str::to_owned),
        ..Details::default()
    })
}

fn of_phase(build: &str, phase: &Value) -> TargetFailure {
    let contexts = items(phase, "/contexts")
        .filter_map(|context| joined([text(context, "/statusCode"), text(context, "/message")]));
    let contexts: Vec<String> = contexts.collect();
    TargetFailure {
        target: build.to_owned(),
        step: text(phase, "/phaseType").map(str::to_owned),
        message: Some(contexts.join("; ")).filter(|text| !text.is_empty()),
        log_tail: None,
    }
}
