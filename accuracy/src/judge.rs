//! What the diagnosis makes of a case.

use crosspipe_core::diagnosis::{Confidence, Remediation, Report, diagnose};
use crosspipe_core::incident::Failure;
use crosspipe_core::rules::Severity;
use crosspipe_core::snapshot::Snapshot;
use serde_json::{Map, Value, json};

use crate::case::Case;
use crate::names::resolve;
use crate::world::{healthy, remove, set};

/// What came of a case.
#[derive(Debug)]
pub struct Judged {
    /// The case.
    pub case: Case,
    /// The rule of the root cause, and how sure the diagnosis is; none where it names no cause.
    pub cause: Option<(&'static str, Confidence)>,
    /// Every finding, the best explanation first.
    pub findings: Vec<Found>,
    /// The rules that could not judge.
    pub unknown: Vec<&'static str>,
}

/// A finding.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    /// The rule.
    pub rule: &'static str,
    /// Whether the action fails by it.
    pub severity: Severity,
    /// How surely it is the cause.
    pub confidence: Confidence,
}

impl Judged {
    /// Whether the first cause is the right one, and none is named where no rule names it.
    pub fn first_is_right(&self) -> bool {
        self.cause.map_or("none", |(rule, _)| rule) == self.case.cause
    }

    /// Whether the right one is among the first three.
    pub fn is_among_three(&self) -> bool {
        let named = self.findings.iter().take(3).any(|found| found.rule == self.case.cause);
        if self.case.cause == "none" { self.cause.is_none() } else { named }
    }

    /// Whether it is as sure as it should be.
    pub fn is_as_sure(&self) -> bool {
        let Some(wanted) = &self.case.confidence else { return true };
        self.cause.is_some_and(|(_, confidence)| name(confidence) == wanted)
    }

    /// Findings that are said to be sure or likely, and that neither failed this action nor are true of it.
    pub fn false_alarms(&self) -> impl Iterator<Item = &Found> {
        self.findings.iter().filter(|found| {
            found.severity == Severity::Error
                && found.confidence != Confidence::Possible
                && !self.is_true(found.rule)
        })
    }

    /// Findings that are said to be the cause for sure, and are not.
    pub fn false_confirmed(&self) -> impl Iterator<Item = &Found> {
        self.findings
            .iter()
            .filter(|found| found.confidence == Confidence::Confirmed && found.rule != self.case.cause)
    }

    /// Findings that are not true of this world.
    pub fn untrue(&self) -> impl Iterator<Item = &Found> {
        self.findings.iter().filter(|found| !self.is_true(found.rule))
    }

    fn is_true(&self, rule: &str) -> bool {
        rule == self.case.cause || self.case.also.iter().any(|also| also == rule)
    }
}

/// A confidence as the report writes it.
pub fn name(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Confirmed => "confirmed",
        Confidence::Likely => "likely",
        Confidence::Possible => "possible",
    }
}

/// Has the diagnosis explain a case, from the event as EventBridge delivers it to the report.
///
/// # Errors
/// When the case is none: an unknown provider or place, a change of nothing, an action that is not there.
pub fn judge(case: Case) -> Result<Judged, String> {
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", case.name);
    let report = explain(&case).map_err(|error| failed(&error))?;
    let Some(report) = report else {
        return Ok(Judged { case, cause: None, findings: vec![], unknown: vec![] });
    };
    let findings = report.findings.iter().map(|ranked| Found {
        rule: ranked.finding.rule,
        severity: ranked.finding.severity,
        confidence: ranked.confidence,
    });
    Ok(Judged {
        cause: report.root_cause.as_ref().map(|cause| (cause.rule, cause.confidence)),
        findings: findings.collect(),
        unknown: report.unknown.iter().map(|unknown| unknown.rule).collect(),
        case,
    })
}

/// The report on a case; none where the action does not reach into another account.
///
/// # Errors
/// As [`judge`].
pub fn explain(case: &Case) -> Result<Option<Report>, String> {
    let (mut world, (mut stage, mut name)) = healthy(&case.provider)?;
    for path in &case.remove {
        remove(&mut world, path)?;
    }
    for (path, value) in &case.set {
        set(&mut world, path, value.clone())?;
    }
    if let Some((of_case, action)) = case.fails.as_ref().and_then(|fails| fails.split_once('/')) {
        (stage, name) = (of_case.to_owned(), action.to_owned());
    }
    let stages = world.pointer("/pipeline/pipeline/stages").and_then(|stages| named(stages, &stage));
    let action = stages.and_then(|stage| named(stage.get("actions")?, &name));
    let action = action.ok_or_else(|| format!("there is no action {stage}/{name}"))?;
    let event = event(case, &stage, &name, action);
    let failure = Failure::from_event(&event).map_err(|error| error.to_string())?;
    let failure = failure.with_details(&[details(case, &stage, &name, action)]);
    let snapshot = Snapshot::from_value(world).map_err(|error| error.to_string())?;
    diagnose(&failure, &snapshot, Remediation::off()).map_err(|error| error.to_string())
}

fn named<'a>(list: &'a Value, name: &str) -> Option<&'a Value> {
    list.as_array()?.iter().find(|it| it.get("name").and_then(Value::as_str) == Some(name))
}

/// The event as EventBridge delivers it: without the action's role, and without the message.
fn event(case: &Case, stage: &str, name: &str, action: &Value) -> Value {
    let mut result = Map::new();
    let mut add = |member: &str, value: Option<&String>| {
        result.extend(value.map(|value| (member.to_owned(), json!(value))));
    };
    add("external-execution-id", case.external.id.as_ref());
    add("external-execution-summary", case.external.summary.as_ref());
    add("error-code", case.error.as_ref().map(|error| &error.code));
    json!({
        "version": "0", "id": "01234567-0123-0123-0123-012345678901",
        "detail-type": "CodePipeline Action Execution State Change", "source": "aws.codepipeline",
        "account": resolve("$A"), "time": "2024-01-31T18:55:43Z", "region": "us-east-2", "resources": [resolve("$PIPELINE")],
        "detail": {
            "pipeline": "shop", "execution-id": "12345678-1234-5678-abcd-12345678abcd", "start-time": "2024-01-31T18:54:09.981Z",
            "stage": stage, "action": name, "action-execution-id": "47f821c5-a902-44b2-ae61-b878d31ecd21", "state": "FAILED",
            "region": action.get("region").cloned().unwrap_or_else(|| json!("us-east-2")), "type": action.get("actionTypeId"),
            "execution-result": result, "version": 4.0, "pipeline-execution-attempt": 1.0
        }
    })
}

/// The detail of `ListActionExecutions`.
fn details(case: &Case, stage: &str, name: &str, action: &Value) -> Value {
    let error = case.error.as_ref();
    json!({
        "pipelineExecutionId": "12345678-1234-5678-abcd-12345678abcd", "actionExecutionId": "47f821c5-a902-44b2-ae61-b878d31ecd21",
        "pipelineVersion": 4, "stageName": stage, "actionName": name, "status": "Failed",
        "input": {"actionTypeId": action.get("actionTypeId"), "configuration": action.get("configuration"), "roleArn": action.get("roleArn"), "inputArtifacts": []},
        "output": {"outputArtifacts": [], "executionResult": {
            "externalExecutionId": case.external.id, "externalExecutionSummary": case.external.summary,
            "errorDetails": {"code": error.map(|error| &error.code), "message": error.and_then(|error| error.message.as_ref())}
        }}
    })
}
