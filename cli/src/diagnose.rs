//! `crosspipe diagnose`: why a pipeline action failed, from its event and a snapshot.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use crosspipe_core::alerts::{Alert, email};
use crosspipe_core::diagnosis::{Remediation, Report, diagnose};
use crosspipe_core::incident::{EventError, Failure};
use crosspipe_core::rules::{Facts, Severity};
use crosspipe_core::snapshot::Snapshot;

use crate::causes::Entry;
use crate::input::{Document, InputError};
use crate::output::{Answer, to_json};
use crate::page;
use crate::statements::Statements;

const EVENT: &str =
    "an EventBridge event `CodePipeline Action Execution State Change` whose state is `FAILED`";
const SNAPSHOT: &str = "a snapshot of the pipeline that the event names";

const EXAMPLES: &str = "\
Examples:
  crosspipe diagnose --event event.json --snapshot snapshot.json
  crosspipe diagnose --event event.json --snapshot snapshot.json --format json
  crosspipe diagnose --event event.json --snapshot snapshot.json --format html > report.html

The event is what EventBridge sends when an action fails; a rule for source `aws.codepipeline` and detail-type
`CodePipeline Action Execution State Change` catches it, and CloudWatch Logs as its target keeps it. Without one:
`detail` needs `pipeline`, `execution-id`, `stage`, `action`, `state` and `type`, as
`aws codepipeline list-action-executions --pipeline-name my-pipeline` prints them. The snapshot is that of
`crosspipe snapshot --pipeline my-pipeline --execution ID`.

The error message comes from `actionExecutions` of the snapshot, where the event's action is among them.";

/// Explains a failed action: the same report as the failure reporter's, without AWS
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The event of the failed action
    #[arg(long, value_name = "FILE")]
    event: PathBuf,
    /// The snapshot of its pipeline
    #[arg(long, value_name = "FILE")]
    snapshot: PathBuf,
    /// How the report is shown
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    statements: Statements,
}

/// How the report is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
    /// One page that needs nothing else, with the access path drawn
    Html,
}

/// Explains a failed action.
pub(crate) fn run(arguments: &Arguments) -> Answer {
    diagnose_files(arguments).unwrap_or_else(Answer::unusable)
}

fn diagnose_files(arguments: &Arguments) -> Result<Answer, InputError> {
    let event = Document::read(&arguments.event, EVENT)?;
    let failure = Failure::from_event(event.value()).map_err(|error| unusable_event(&event, &error))?;
    let document = Document::read(&arguments.snapshot, SNAPSHOT)?;
    let snapshot = document.snapshot()?;
    check_pair(&failure, &snapshot, &document)?;
    let failure = failure.with_details(&snapshot.action_executions);
    let report = diagnose(&failure, &snapshot, Remediation::off())
        .map_err(|error| document.wrong_at("", error.to_string()))?;
    let report = report.map(|report| report.with_statement_form(arguments.statements.form()));
    Ok(match (report, arguments.format) {
        (Some(report), Format::Text) => answer_with(&report, email::body(&Alert::from(&report))),
        (Some(report), Format::Json) => answer_with(&report, to_json(&serde_json::json!(report))),
        (Some(report), Format::Html) => {
            answer_with(&report, html_page(&report, &failure, &snapshot, &document)?)
        }
        (None, Format::Text | Format::Html) => Answer::of(format!(
            "action `{}` works in the pipeline's own account: there is nothing across accounts to explain\n",
            failure.action
        )),
        (None, Format::Json) => Answer::of("null\n".to_owned()),
    })
}

fn html_page(
    report: &Report,
    failure: &Failure,
    snapshot: &Snapshot,
    document: &Document,
) -> Result<String, InputError> {
    let pipeline = snapshot.pipeline().map_err(|error| document.wrong_at("", error.to_string()))?;
    let facts = Facts::of_action(snapshot, &pipeline, &failure.stage, &failure.action);
    let entries = report.findings.iter();
    let entries: Vec<Entry<'_>> = entries
        .map(|ranked| Entry { finding: &ranked.finding, confidence: Some(ranked.confidence) })
        .collect();
    Ok(page::of_report(
        report,
        page::pipeline_section((0, document.name()), &facts, &entries, &report.unknown),
    ))
}

fn answer_with(report: &Report, text: String) -> Answer {
    let faulty = report.findings.iter().any(|ranked| ranked.finding.severity == Severity::Error);
    Answer { faulty, ..Answer::of(text) }
}

fn unusable_event(event: &Document, error: &EventError) -> InputError {
    event.wrong_at(error.pointer(), error.to_string())
}

/// A snapshot of another pipeline would explain nothing, and look as if all were well.
fn check_pair(failure: &Failure, snapshot: &Snapshot, document: &Document) -> Result<(), InputError> {
    let pipeline = snapshot.pipeline().map_err(|error| document.wrong_at("", error.to_string()))?;
    let Failure { pipeline: name, stage, action, .. } = failure;
    if pipeline.name() != name {
        let problem = format!("it is of pipeline `{}`, and the event of `{name}`", pipeline.name());
        return Err(document.wrong_at("name", problem));
    }
    let same =
        |found: crosspipe_core::pipeline::Action<'_>| found.stage().name() == stage && found.name() == action;
    if pipeline.actions().any(same) {
        Ok(())
    } else {
        Err(document
            .wrong_at("stages", format!("stage `{stage}` has no action `{action}`, which the event names")))
    }
}
