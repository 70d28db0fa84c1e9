//! `Custom::PipelinePatch`: artifact keys, added actions and action roles of an existing pipeline.

use std::collections::BTreeMap;

use crosspipe_aws::AwsError;
use crosspipe_aws::codepipeline::CodePipeline;
use crosspipe_core::grants::InvalidProperty;
use crosspipe_core::owner::Owner;
use crosspipe_core::pipeline::Pipeline;
use crosspipe_core::pipeline::patch::{self, Change, Desired};
use crosspipe_core::rules;
use crosspipe_core::snapshot::{Fact, Snapshot};
use crosspipe_custom_resource::Failure;
use serde_json::{Map, Value, json};

use crate::{Resource, ResourceContext, failures, patch_properties};

/// The patch.
#[derive(Debug, Clone, PartialEq)]
pub struct PipelinePatch {
    /// The pipeline, by name.
    pub name: String,
    /// What it shall have.
    pub desired: Desired,
    /// Whether to start it once it is patched.
    pub start_execution: bool,
}

/// Where to take the patch back, and what it had set.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The pipeline, by name.
    pub name: String,
    /// What was asked for.
    pub set: Desired,
}

impl Resource for PipelinePatch {
    const NAME: &'static str = "PipelinePatch";
    type Target = Target;

    fn target(properties: &Map<String, Value>, place: &ResourceContext) -> Result<Target, Failure> {
        let name = properties.get("PipelineName").and_then(Value::as_str).unwrap_or_default();
        // If the rest can't be read, the tags still tell which actions were added.
        let set = patch_properties::read(properties, place).map(|patch| patch.desired).unwrap_or_default();
        Ok(Target { name: pipeline_name(name)?, set })
    }

    fn target_name(target: &Target) -> &str {
        &target.name
    }

    fn target_arn(name: &str, place: &ResourceContext) -> String {
        pipeline_arn(name, place)
    }

    fn parse(properties: &Map<String, Value>, place: &ResourceContext) -> Result<Self, Failure> {
        let read = patch_properties::read(properties, place)?;
        let name = pipeline_name(&read.pipeline_name)?;
        Ok(PipelinePatch { name, desired: read.desired, start_execution: read.start_execution })
    }
}

/// A live pipeline and its tags.
#[derive(Debug)]
pub struct Live {
    /// The pipeline.
    pub pipeline: Pipeline,
    /// Its tags, ours among them.
    pub tags: BTreeMap<String, String>,
}

impl Live {
    /// Reads both, side by side.
    ///
    /// # Errors
    /// When one of them can't be read.
    pub async fn read(codepipeline: &CodePipeline, name: &str, arn: &str) -> Result<Live, ReadError> {
        let (live, tags) =
            futures_util::future::try_join(codepipeline.get_pipeline(name), codepipeline.tags(arn)).await?;
        let pipeline = Pipeline::parse(live).map_err(|error| {
            Failure::new(
                format!("the existing pipeline can't be read: {error}"),
                "report this with the output of `aws codepipeline get-pipeline`",
            )
        })?;
        Ok(Live { pipeline, tags })
    }

    /// What has to be written for the patch; `previous` is what was asked for before.
    ///
    /// # Errors
    /// When the patch does not fit the pipeline, or would bring a fault that was not there before: AWS
    /// would accept it, and the next execution would fail.
    pub fn plan(
        &self,
        owner: &Owner,
        desired: &Desired,
        previous: Option<&Desired>,
    ) -> Result<Change, Failure> {
        let change = patch::plan(&self.pipeline, &self.tags, owner, desired, previous);
        let change = change.map_err(|error| failures::patch(&error))?;
        if let Some(patched) = &change.pipeline {
            no_new_fault(&self.pipeline, patched)?;
        }
        Ok(change)
    }
}

/// Why a pipeline can't be read.
#[derive(Debug)]
pub enum ReadError {
    /// A call failed.
    Aws(AwsError),
    /// What came back can't be read.
    Unreadable(Failure),
}

impl From<AwsError> for ReadError {
    fn from(error: AwsError) -> Self {
        ReadError::Aws(error)
    }
}

impl From<Failure> for ReadError {
    fn from(failure: Failure) -> Self {
        ReadError::Unreadable(failure)
    }
}

/// The ARN of a pipeline of this place.
pub fn pipeline_arn(name: &str, place: &ResourceContext) -> String {
    format!("arn:{}:codepipeline:{}:{}:{name}", place.partition, place.region, place.account)
}

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

fn pipeline_name(text: &str) -> Result<String, Failure> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || ".@-_".contains(c);
    if (1..=100).contains(&text.len()) && text.chars().all(allowed) {
        return Ok(text.to_owned());
    }
    let fault = format!("`{text}` is not the name of a pipeline");
    Err(failures::property(InvalidProperty::new("PipelineName", fault, "give the bare name, not an ARN")))
}
