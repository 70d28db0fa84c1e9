//! `crosspipe snapshot`: the facts about a pipeline as they are in AWS now.

use clap::Args;
use serde_json::json;

use crate::live::{self, Live, Reach};
use crate::output::{Answer, count_of, to_json};

/// Shows up in the target account's CloudTrail.
const SESSION_NAME: &str = "crosspipe-snapshot";

const EXAMPLES: &str = "\
Examples:
  crosspipe snapshot --pipeline my-pipeline > snapshot.json
  crosspipe snapshot --pipeline my-pipeline --diagnostics-role CrosspipeDiagnosticsRole > snapshot.json
  crosspipe snapshot --pipeline my-pipeline --execution 12345678-1234-5678-abcd-12345678abcd > failed.json

Credentials, Region and profile come from where the AWS CLI takes them. It only reads. What can't be
read is left out, which makes it unknown; the reasons are on standard error. CrosspipeDiagnosticsRole, which
target-account.yaml makes, trusts only the failure reporter's role: run as that role, or name a role of your own
that may read there.";

/// Reads what a pipeline's cross-account actions depend on, in both accounts, and writes it as one JSON object
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The pipeline's name
    #[arg(long, value_name = "NAME")]
    pipeline: String,
    #[command(flatten)]
    reach: Reach,
    /// Adds what the actions of this pipeline execution did, and what the providers of those that failed say,
    /// for `crosspipe diagnose`
    #[arg(long, value_name = "ID")]
    execution: Option<String>,
}

/// Takes the snapshot.
pub(crate) fn run(arguments: &Arguments) -> Answer {
    let execution = arguments.execution.as_deref();
    let Live { snapshot, mut notes } =
        match live::read_pipeline(&arguments.pipeline, execution, &arguments.reach, SESSION_NAME) {
            Ok(live) => live,
            Err(problem) => return Answer::unusable(problem),
        };
    if !notes.is_empty() {
        notes.push(format!(
            "the snapshot is complete but for {} above; `crosspipe lint` names what that leaves unjudged",
            count_of(notes.len(), "part")
        ));
    }
    Answer { notes, ..Answer::of(to_json(&json!(snapshot))) }
}
