//! A pipeline as it is in AWS now, for the subcommands that read it.

use clap::Args;
use crosspipe_aws::gather::{self, Gathered};
use crosspipe_aws::{Aws, AwsError, ErrorKind};
use crosspipe_core::incident::Failure;
use crosspipe_core::pipeline::Pipeline;
use crosspipe_core::snapshot::Snapshot;
use serde_json::Value;

use crate::input::InputError;

/// How AWS is reached beside what the environment says.
#[derive(Debug, Clone, Args)]
pub(crate) struct Reach {
    /// The role to take on in target accounts, by name; without it their roles stay unknown
    #[arg(long, value_name = "NAME")]
    pub diagnostics_role: Option<String>,
    /// The pipeline's Region
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
}

/// What was read, and what to know about what was not.
pub(crate) struct Live {
    /// The facts.
    pub snapshot: Snapshot,
    /// Why parts could not be read, a sentence each.
    pub notes: Vec<String>,
}

/// Why a pipeline can't be read: a sentence and the next step.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct LiveError(String);

impl From<InputError> for LiveError {
    fn from(error: InputError) -> Self {
        LiveError(error.to_string())
    }
}

/// Reads what a pipeline depends on, and with an execution's id what its actions did. `session_name` shows up
/// in the target account's CloudTrail.
///
/// # Errors
/// When the pipeline or the execution can't be read.
pub(crate) fn read_pipeline(
    pipeline: &str,
    execution: Option<&str>,
    reach: &Reach,
    session_name: &str,
) -> Result<Live, LiveError> {
    block_on(read_with(pipeline, execution, reach, session_name))
}

/// Reads a pipeline and what it uses in its own account.
///
/// # Errors
/// As [`read_pipeline`].
pub(crate) fn read_home(name: &str, region: Option<&str>) -> Result<Live, LiveError> {
    block_on(async {
        let (aws, live, pipeline) = get_pipeline(name, region).await?;
        let Gathered { snapshot, unreadable: notes } = gather::home_snapshot(&aws, live, &pipeline).await;
        Ok(Live { snapshot, notes })
    })
}

fn block_on(reading: impl Future<Output = Result<Live, LiveError>>) -> Result<Live, LiveError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| LiveError(format!("no connection can be made: {error}")))?;
    runtime.block_on(reading)
}

/// The pipeline as AWS answers it, and as it is read.
async fn get_pipeline(name: &str, region: Option<&str>) -> Result<(Aws, Value, Pipeline), LiveError> {
    let aws = Aws::connect().await;
    let aws = region.map_or_else(|| aws.clone(), |region| aws.in_region(region));
    let live =
        aws.codepipeline().get_pipeline(name).await.map_err(|error| no_pipeline(name, &aws, &error))?;
    let pipeline = Pipeline::parse(live.clone())
        .map_err(|error| LiveError(format!("pipeline `{name}` can't be read: {}", error.with_help())))?;
    Ok((aws, live, pipeline))
}

async fn read_with(
    name: &str,
    execution: Option<&str>,
    reach: &Reach,
    session_name: &str,
) -> Result<Live, LiveError> {
    let (aws, live, pipeline) = get_pipeline(name, reach.region.as_deref()).await?;
    let shared = gather::SharedFacts::default();
    let options = gather::GatherOptions {
        tools: &aws,
        diagnostics_role: reach.diagnostics_role.as_deref(),
        session_name,
        log_tails: true,
        until: None,
        shared: Some(&shared),
    };
    let executions = match execution {
        None => Ok(vec![]),
        Some(id) => match aws.codepipeline().list_action_executions(name, id).await {
            Ok(details) if details.is_empty() => return Err(no_execution(name, id, None)),
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Invalid) => {
                return Err(no_execution(name, id, Some(&error)));
            }
            read => read,
        },
    };
    let failures = executions.as_deref().map(|details| Failure::among(details, &pipeline));
    let Gathered { mut snapshot, unreadable: mut notes } =
        gather::gather_snapshot(options, live, &pipeline, None, &failures.unwrap_or_default()).await;
    match executions {
        Ok(details) => snapshot.action_executions = details,
        Err(error) => notes.push(error.to_string()),
    }
    let more = gather::read_triggers(options, &pipeline, &mut snapshot).await;
    for line in more {
        // A role that can't be assumed is asked for, and said, once more.
        if !notes.contains(&line) {
            notes.push(line);
        }
    }
    snapshot.unreadable.clone_from(&notes);
    if reach.diagnostics_role.is_none() && pipeline.cross_account_actions().next().is_some() {
        notes.push(
            "roles in target accounts were not read; name one to take on there with `--diagnostics-role`"
                .into(),
        );
    }
    Ok(Live { snapshot, notes })
}

/// Without the pipeline there is nothing to know about it.
fn no_pipeline(name: &str, aws: &Aws, error: &AwsError) -> LiveError {
    if let Some(problem) = credentials_problem(error) {
        return LiveError(format!("pipeline `{name}` can't be read: {problem}"));
    }
    let next = match (aws.region(), error.kind) {
        (None, _) => "set AWS_REGION, or give `--region`".to_owned(),
        (Some(region), ErrorKind::NotFound) => {
            format!("give the name of a pipeline of this account in {region}, or another `--region`")
        }
        (_, ErrorKind::AccessDenied) => {
            "use credentials of the pipeline's account that allow codepipeline:GetPipeline".to_owned()
        }
        _ => "check credentials (`aws sts get-caller-identity`) and network, then try again".to_owned(),
    };
    LiveError(format!("pipeline `{name}` can't be read: {error}\n  next: {next}"))
}

fn no_execution(pipeline: &str, id: &str, error: Option<&AwsError>) -> LiveError {
    let reason = error.map_or_else(|| "it has no actions".to_owned(), ToString::to_string);
    LiveError(format!(
        "execution `{id}` of pipeline `{pipeline}` can't be read: {reason}\n  next: give an id of \
         `aws codepipeline list-pipeline-executions --pipeline-name {pipeline}`"
    ))
}

/// What is wrong with the credentials, and the next step, where no request was sent for want of them. The SDK
/// speaks of the last place where it looked, which is an instance's metadata service, and not of the profile.
pub(crate) fn credentials_problem(error: &AwsError) -> Option<String> {
    let is_about_credentials = error.code.is_none()
        && ["credential", "IMDS", "profile"].iter().any(|word| error.message.contains(word));
    if !is_about_credentials {
        return None;
    }
    Some(match std::env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty()) {
        Some(profile) => format!(
            "profile `{profile}` of AWS_PROFILE gives no credentials: it is not in the AWS configuration, or not \
             complete\n  next: choose one of `aws configure list-profiles`, or sign in with `aws sso login \
             --profile {profile}`"
        ),
        None => "no AWS credentials were found in the environment, the AWS configuration, a container or an \
                 instance\n  next: set AWS_PROFILE to one of `aws configure list-profiles`, or sign in; `aws sts \
                 get-caller-identity` shows who you are"
            .to_owned(),
    })
}
