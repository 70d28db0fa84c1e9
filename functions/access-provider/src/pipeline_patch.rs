//! Writes `Custom::PipelinePatch`.

use std::collections::BTreeMap;
use std::time::Duration;

use crosspipe_aws::codepipeline::CodePipeline;
use crosspipe_aws::{AwsError, ErrorKind};
use crosspipe_core::incident::message::{ErrorSignature, claim};
use crosspipe_core::pipeline::patch::{self, Change, KeyChoice};
use crosspipe_custom_resource::{Failure, Success};
use crosspipe_resources::failures;
use crosspipe_resources::pipeline_patch::{Live, PipelinePatch, ReadError, Target, pipeline_arn};
use serde_json::Value;

use crate::lifecycle::{Applied, ApplyError, Write};
use crate::scope::Scope;

impl Write for PipelinePatch {
    async fn apply(&self, previous: Option<&Self>, scope: &Scope<'_>) -> Result<Applied, ApplyError> {
        let arn = pipeline_arn(&self.name, &scope.place);
        let codepipeline = scope.aws.codepipeline();
        let live = Live::read(&codepipeline, &self.name, &arn).await?;
        let previous = previous.map(|previous| &previous.desired);
        let change = live.plan(&scope.place.owner, &self.desired, previous)?;
        let version = write(&codepipeline, &arn, &live.tags, &change, scope).await?;
        if self.start_execution && change.pipeline.is_some() {
            let started = codepipeline.start_execution(&self.name, &scope.request_id).await;
            started.map_err(|error| ApplyError::by_aws(error, true))?;
        }
        let version = version.or_else(|| live.pipeline.as_value().get("version").and_then(Value::as_u64));
        let success = success(self, version, &change, failures::owner_notice("pipeline", &live.tags));
        Ok(Applied { success, changed: !change.is_none() })
    }

    async fn revert(target: &Target, scope: &Scope<'_>) -> Result<Success, ApplyError> {
        let arn = pipeline_arn(&target.name, &scope.place);
        let codepipeline = scope.aws.codepipeline();
        let live = Live::read(&codepipeline, &target.name, &arn).await?;
        let change = patch::plan_revert(&live.pipeline, &live.tags, &scope.place.owner, &[&target.set]);
        write(&codepipeline, &arn, &live.tags, &change, scope).await?;
        let remarks = change.drifted.join(" ");
        Ok(Success { reason: Some(remarks).filter(|remarks| !remarks.is_empty()), ..Success::default() })
    }
}

fn success(wanted: &PipelinePatch, version: Option<u64>, change: &Change, notice: Option<String>) -> Success {
    let key = match &wanted.desired.encryption_keys {
        KeyChoice::None => String::new(),
        KeyChoice::All(arn) => arn.clone(),
        KeyChoice::ByRegion(arns) => arns.values().cloned().collect::<Vec<_>>().join(","),
    };
    let remarks = change.drifted.iter().cloned().chain(notice).collect::<Vec<_>>().join(" ");
    let mut success = Success::default()
        .with("PipelineVersion", version.unwrap_or_default().to_string())
        .with("EncryptionKeyArn", key)
        .with("Notice", remarks.clone());
    success.reason = Some(remarks).filter(|remarks| !remarks.is_empty());
    success
}

impl From<ReadError> for ApplyError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Aws(error) => ApplyError::by_aws(error, false),
            ReadError::Unreadable(failure) => failure.into(),
        }
    }
}

/// Writes in the order that lets the same request complete whatever was cut short: remember what is
/// replaced, update, forget. Returns the pipeline's new version, if there is one.
async fn write(
    codepipeline: &CodePipeline,
    arn: &str,
    tags: &BTreeMap<String, String>,
    change: &Change,
    scope: &Scope<'_>,
) -> Result<Option<u64>, ApplyError> {
    if !change.tags_to_add.is_empty() {
        let tagged = codepipeline.tag(arn, &change.tags_to_add).await;
        tagged.map_err(|error| ApplyError::by_aws(error, false))?;
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
        untagged.map_err(|error| ApplyError::by_aws(error, true))?;
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
    matches!(claim(&error.message), ErrorSignature::AssumeRole { .. })
}

/// The answer after UpdatePipeline refused. What was remembered for nothing is forgotten again, so that
/// nothing is left behind.
async fn not_updated(
    codepipeline: &CodePipeline,
    arn: &str,
    tags: &BTreeMap<String, String>,
    change: &Change,
    error: AwsError,
) -> ApplyError {
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
    let partially_applied = left_over || !certain;
    if cannot_assume(&error) {
        let failure = Failure::new(
            format!("CodePipeline still refuses: {}", error.message),
            "check both sides: the service role needs sts:AssumeRole on the action role (Custom::ServiceRoleGrant), and the action role has to trust the service role (target-account.yaml); then deploy again",
        );
        return ApplyError::new(failure.see("IA001, IA002"), partially_applied);
    }
    ApplyError::by_aws(error, partially_applied)
}
