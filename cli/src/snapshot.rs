//! `crosspipe snapshot`: the facts about a pipeline as they are in AWS now.

use clap::Args;
use crosspipe_aws::gather::{self, Gathered};
use crosspipe_aws::{Aws, AwsError, ErrorKind};
use crosspipe_core::incident::Failure;
use crosspipe_core::pipeline::Pipeline;
use serde_json::json;

use crate::output::{Answer, count, json as to_json};

/// Shows up in the target account's CloudTrail.
const SESSION_NAME: &str = "crosspipe-snapshot";

const EXAMPLES: &str = "\
Examples:
  crosspipe snapshot --pipeline my-pipeline > snapshot.json
  crosspipe snapshot --pipeline my-pipeline --diagnostics-role CrosspipeDiagnostics > snapshot.json
  crosspipe snapshot --pipeline my-pipeline --execution 12345678-1234-5678-abcd-12345678abcd > failed.json

Credentials, Region and profile come from where the AWS CLI takes them. It only reads. What can't be
read is left out, which makes it unknown; the reasons are on standard error.";

/// Reads what a pipeline's cross-account actions depend on, in both accounts, and writes it as one JSON object
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The pipeline's name
    #[arg(long, value_name = "NAME")]
    pipeline: String,
    /// The role to take on in target accounts, by name; without it their roles stay unknown
    #[arg(long, value_name = "NAME")]
    diagnostics_role: Option<String>,
    /// The pipeline's Region
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Adds what the actions of this pipeline execution did, and what the providers of those that failed say,
    /// for `crosspipe diagnose`
    #[arg(long, value_name = "ID")]
    execution: Option<String>,
}

/// Takes the snapshot.
pub fn run(arguments: &Arguments) -> Answer {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(take(arguments)),
        Err(error) => Answer::unusable(format!("no connection can be made: {error}")),
    }
}

async fn take(arguments: &Arguments) -> Answer {
    let aws = Aws::connect().await;
    let aws = arguments.region.as_deref().map_or_else(|| aws.clone(), |region| aws.in_region(region));
    let live = match aws.codepipeline().get_pipeline(&arguments.pipeline).await {
        Ok(live) => live,
        Err(error) => return Answer::unusable(no_pipeline(&arguments.pipeline, &aws, &error)),
    };
    let pipeline = match Pipeline::parse(live.clone()) {
        Ok(pipeline) => pipeline,
        Err(error) => {
            return Answer::unusable(format!("pipeline `{}` can't be read: {error}", arguments.pipeline));
        }
    };
    let lookout = gather::GatherOptions {
        tools: &aws,
        diagnostics_role: arguments.diagnostics_role.as_deref(),
        session_name: SESSION_NAME,
        until: None,
    };
    let executions = match &arguments.execution {
        Some(execution) => aws.codepipeline().list_action_executions(&arguments.pipeline, execution).await,
        None => Ok(vec![]),
    };
    let failures = executions.as_deref().map(|details| Failure::among(details, &pipeline));
    let failures = failures.unwrap_or_default();
    let Gathered { mut snapshot, unreadable: mut notes } =
        gather::snapshot(lookout, live, &pipeline, None, &failures).await;
    match executions {
        Ok(details) => snapshot.action_executions = details,
        Err(error) => notes.push(error.to_string()),
    }
    snapshot.unreadable.clone_from(&notes);
    if arguments.diagnostics_role.is_none() && pipeline.cross_account_actions().next().is_some() {
        notes.push(
            "roles in target accounts were not read; name one to take on there with `--diagnostics-role`"
                .into(),
        );
    }
    if !notes.is_empty() {
        notes.push(format!(
            "the snapshot is complete but for {} above; `crosspipe lint` names what that leaves unjudged",
            count(notes.len(), "part")
        ));
    }
    Answer { notes, ..Answer::of(to_json(&json!(snapshot))) }
}

/// Without the pipeline there is nothing to know about it.
fn no_pipeline(name: &str, aws: &Aws, error: &AwsError) -> String {
    let region = aws.region();
    let next = match (region, error.kind) {
        (None, _) => "set AWS_REGION, or give `--region`".to_owned(),
        (Some(region), ErrorKind::NotFound) => {
            format!("give the name of a pipeline of this account in {region}, or another `--region`")
        }
        (_, ErrorKind::AccessDenied) => {
            "use credentials of the pipeline's account that allow codepipeline:GetPipeline".to_owned()
        }
        _ => "check credentials (`aws sts get-caller-identity`) and network, then try again".to_owned(),
    };
    format!("pipeline `{name}` can't be read: {error}\n  next: {next}")
}
