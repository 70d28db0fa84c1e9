//! `Custom::PipelinePatch`: artifact keys, added actions and action roles of an existing pipeline.

use std::collections::BTreeMap;
use std::time::Duration;

use crosspipe_aws::codepipeline::CodePipeline;
use crosspipe_aws::{AwsError, ErrorKind};
use crosspipe_core::grants::InvalidProperty;
use crosspipe_core::pipeline::Pipeline;
use crosspipe_core::pipeline::patch::{self, Change, Desired, KeyChoice};
use crosspipe_core::rules;
use crosspipe_core::snapshot::{Fact, Snapshot};
use crosspipe_custom_resource::{Failure, Success};
use serde_json::{Map, Value, json};

use crate::lifecycle::{Resource, Stopped};
use crate::scope::Scope;
use crate::{failures, patch_properties};

/// The patch.
pub struct PipelinePatch {
    name: String,
    desired: Desired,
    start_execution: bool,
}

/// Where to take the patch back, and what it had set.
pub struct Target {
    name: String,
    set: Desired,
}

impl Resource for PipelinePatch {
    const NAME: &'static str = "PipelinePatch";
    type Target = Target;

    fn target(properties: &Map<String, Value>, scope: &Scope<'_>) -> Result<Target, Failure> {
        let name = properties.get("PipelineName").and_then(Value::as_str).unwrap_or_default();
        // If the rest can't be read, the tags still tell which actions were added.
        let set = patch_properties::read(properties, scope).map(|patch| patch.desired).unwrap_or_default();
        Ok(Target { name: pipeline_name(name)?, set })
    }

    fn target_name(target: &Target) -> &str {
        &target.name
    }

    fn parse(properties: &Map<String, Value>, scope: &Scope<'_>) -> Result<Self, Failure> {
        let read = patch_properties::read(properties, scope)?;
        let name = pipeline_name(&read.pipeline_name)?;
        Ok(PipelinePatch { name, desired: read.desired, start_execution: read.start_execution })
    }

    async fn apply(&self, previous: Option<&Self>, scope: &Scope<'_>) -> Result<Success, Stopped> {
        let arn = pipeline_arn(&self.name, scope);
        let lease = scope.lease(&arn).await?;
        let applied = self.apply_alone(&arn, previous.map(|previous| &previous.desired), scope).await;
        lease.release().await;
        applied
    }

    async fn revert(target: &Target, scope: &Scope<'_>) -> Result<Success, Stopped> {
        let arn = pipeline_arn(&target.name, scope);
        let lease = scope.lease(&arn).await?;
        let reverted = revert_alone(target, &arn, scope).await;
        lease.release().await;
        reverted
    }
}

impl PipelinePatch {
    async fn apply_alone(
        &self,
        arn: &str,
        previous: Option<&Desired>,
        scope: &Scope<'_>,
    ) -> Result<Success, Stopped> {
        let codepipeline = scope.aws.codepipeline();
        let (live, tags) =
            read(&codepipeline, &self.name, arn).await.map_err(|error| Stopped::by_aws(error, false))?;
        let current = parse(live)?;
        let change = patch::plan(&current, &tags, &scope.owner, &self.desired, previous);
        let change = change.map_err(|error| failures::patch(&error))?;
        if let Some(patched) = &change.pipeline {
            no_new_fault(&current, patched)?;
        }
        let version = write(&codepipeline, arn, &tags, &change, scope).await?;
        if self.start_execution && change.pipeline.is_some() {
            let started = codepipeline.start_execution(&self.name, &scope.request_id).await;
            started.map_err(|error| Stopped::by_aws(error, true))?;
        }
        let version = version.or_else(|| current.as_value().get("version").and_then(Value::as_u64));
        Ok(self.success(version, &change, failures::owner_notice("pipeline", &tags)))
    }

    fn success(&self, version: Option<u64>, change: &Change, notice: Option<String>) -> Success {
        let key = match &self.desired.encryption_keys {
            KeyChoice::None => String::new(),
            KeyChoice::All(arn) => arn.clone(),
            KeyChoice::ByRegion(arns) => arns.values().cloned().collect::<Vec<_>>().join(","),
        };
        let remarks = change.left_alone.iter().cloned().chain(notice).collect::<Vec<_>>().join(" ");
        let mut success = Success::default()
            .with("PipelineVersion", version.unwrap_or_default().to_string())
            .with("EncryptionKeyArn", key)
            .with("Notice", remarks.clone());
        success.reason = Some(remarks).filter(|remarks| !remarks.is_empty());
        success
    }
}

async fn revert_alone(target: &Target, arn: &str, scope: &Scope<'_>) -> Result<Success, Stopped> {
    let codepipeline = scope.aws.codepipeline();
    let (live, tags) =
        read(&codepipeline, &target.name, arn).await.map_err(|error| Stopped::by_aws(error, false))?;
    let change = patch::plan_revert(&parse(live)?, &tags, &scope.owner, &[&target.set]);
    write(&codepipeline, arn, &tags, &change, scope).await?;
    let remarks = change.left_alone.join(" ");
    Ok(Success { reason: Some(remarks).filter(|remarks| !remarks.is_empty()), ..Success::default() })
}

/// The pipeline and its tags, read side by side.
async fn read(
    codepipeline: &CodePipeline,
    name: &str,
    arn: &str,
) -> Result<(Value, BTreeMap<String, String>), AwsError> {
    futures_util::future::try_join(codepipeline.get_pipeline(name), codepipeline.tags(arn)).await
}

fn parse(live: Value) -> Result<Pipeline, Failure> {
    Pipeline::parse(live).map_err(|error| {
        Failure::new(
            format!("the existing pipeline can't be read: {error}"),
            "report this with the output of `aws codepipeline get-pipeline`",
        )
    })
}

/// Writes in the order that lets the same request complete whatever was cut short: remember what is
/// replaced, update, forget. Returns the pipeline's new version, if there is one.
async fn write(
    codepipeline: &CodePipeline,
    arn: &str,
    tags: &BTreeMap<String, String>,
    change: &Change,
    scope: &Scope<'_>,
) -> Result<Option<u64>, Stopped> {
    if !change.tags_to_add.is_empty() {
        let tagged = codepipeline.tag(arn, &change.tags_to_add).await;
        tagged.map_err(|error| Stopped::by_aws(error, false))?;
    }
    let mut version = None;
    if let Some(pipeline) = &change.pipeline {
        match update(codepipeline, pipeline, scope).await {
            Ok(updated) => version = updated.get("version").and_then(Value::as_u64),
            Err(error) => return Err(not_updated(codepipeline, arn, tags, change, error).await),
        }
    }
    if !change.tags_to_remove.is_empty() {
        let untagged = codepipeline.untag(arn, &change.tags_to_remove).await;
        untagged.map_err(|error| Stopped::by_aws(error, true))?;
    }
    Ok(version)
}

/// UpdatePipeline checks that the service role can assume every action's role, and after a change of either
/// side that takes a while to be so.
async fn update(codepipeline: &CodePipeline, pipeline: &Value, scope: &Scope<'_>) -> Result<Value, AwsError> {
    let mut pause = Duration::from_secs(1);
    loop {
        let error = match codepipeline.update_pipeline(pipeline).await {
            Ok(updated) => return Ok(updated),
            Err(error) => error,
        };
        let spreading = cannot_assume(&error) || error.kind == ErrorKind::Conflict;
        if !spreading || !scope.pause(pause).await {
            return Err(error);
        }
        tracing::info!(%error, "the pipeline was not updated yet");
        pause = (pause * 2).min(Duration::from_secs(15));
    }
}

/// CodePipeline has one code for every structure error; the text tells the one that passes by itself.
fn cannot_assume(error: &AwsError) -> bool {
    use crosspipe_core::diagnosis::message::{Claim, claim};
    matches!(claim(&error.message), Claim::AssumeRole { .. })
}

/// The answer after UpdatePipeline refused. What was remembered for nothing is forgotten again, so that
/// nothing is left behind.
async fn not_updated(
    codepipeline: &CodePipeline,
    arn: &str,
    tags: &BTreeMap<String, String>,
    change: &Change,
    error: AwsError,
) -> Stopped {
    let new = change.tags_to_add.keys().filter(|key| !tags.contains_key(*key)).cloned().collect::<Vec<_>>();
    let replaced = change.tags_to_add.keys().filter_map(|key| Some((key.clone(), tags.get(key)?.clone())));
    let replaced: BTreeMap<String, String> = replaced.collect();
    let mut left_over = false;
    if !replaced.is_empty() {
        left_over |= codepipeline.tag(arn, &replaced).await.is_err();
    }
    if !new.is_empty() {
        left_over |= codepipeline.untag(arn, &new).await.is_err();
    }
    let certain = matches!(error.kind, ErrorKind::AccessDenied | ErrorKind::Invalid | ErrorKind::NotFound);
    let made_something = left_over || !certain;
    if cannot_assume(&error) {
        let failure = Failure::new(
            format!("CodePipeline still refuses: {}", error.message),
            "check both sides: the service role needs sts:AssumeRole on the action role (Custom::ServiceRoleGrant), and the action role has to trust the service role (target-account.yaml); then deploy again",
        );
        return Stopped::new(failure.see("IA001, IA002"), made_something);
    }
    Stopped::by_aws(error, made_something)
}

/// Refuses a patch that brings a fault which was not there before: AWS would accept it, and the next
/// execution would fail.
fn no_new_fault(current: &Pipeline, patched: &Value) -> Result<(), Failure> {
    let faults = |pipeline: Value| {
        let metadata = current.arn().map(|arn| json!({ "pipelineArn": arn }));
        let pipeline = Fact::Known(json!({"pipeline": pipeline, "metadata": metadata}));
        let snapshot = Snapshot { pipeline, ..Snapshot::default() };
        rules::lint(&snapshot).map(|verdicts| verdicts.findings).unwrap_or_default()
    };
    let before = faults(current.as_value().clone());
    let known =
        |rule: &str, location: &str| before.iter().any(|old| old.rule == rule && old.location == location);
    let after = faults(patched.clone()).into_iter();
    let mut new =
        after.filter(|fault| fault.severity == rules::Severity::Error && !known(fault.rule, &fault.location));
    let Some(fault) = new.next() else { return Ok(()) };
    let cause =
        format!("the patched pipeline would fail: {} ({}: {})", fault.message, fault.location, fault.because);
    Err(Failure::new(cause, fault.fix.lines().next().unwrap_or_default().to_owned()).see(fault.rule))
}

fn pipeline_arn(name: &str, scope: &Scope<'_>) -> String {
    format!("arn:{}:codepipeline:{}:{}:{name}", scope.partition, scope.region, scope.account)
}

fn pipeline_name(text: &str) -> Result<String, Failure> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || ".@-_".contains(c);
    if (1..=100).contains(&text.len()) && text.chars().all(allowed) {
        return Ok(text.to_owned());
    }
    let fault = format!("`{text}` is not the name of a pipeline");
    Err(failures::property(InvalidProperty::new("PipelineName", fault, "give the bare name, not an ARN")))
}
