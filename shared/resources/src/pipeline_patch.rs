//! `Custom::PipelinePatch`: artifact keys, added actions and action roles of an existing pipeline.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crosspipe_aws::{Aws, AwsError};
use crosspipe_core::arn;
use crosspipe_core::field_error::FieldError;
use crosspipe_core::incident::message::{ErrorSignature, claim};
use crosspipe_core::pipeline::Pipeline;
use crosspipe_core::pipeline::patch::{self, Desired, KeyChoice, OwnerState};
use crosspipe_core::remediation::ResourceType;
use crosspipe_core::rules::{self, RuleId};
use crosspipe_core::snapshot::{Fact, Snapshot};
use crosspipe_custom_resource::{Failure, Success};
use futures_util::future::try_join;
use serde_json::{Map, Value, json};

use crate::builds::{self, LiveBuilds};
use crate::reference::{Attribute, Property};
use crate::resource::{Memories, Plan, Preview, Resource, ResourceError};
use crate::{ResourceContext, failures, patch_properties};

/// The patch.
#[derive(Debug)]
pub struct PipelinePatch {
    /// The pipeline, by name.
    name: String,
    /// What it shall have; none where everything is taken back.
    desired: Option<Desired>,
    /// Whether to start it once it is patched.
    start_execution: bool,
    /// What our own update replaced without having read it.
    overwritten: Mutex<Option<Overwritten>>,
    /// The builds, which the patch does not change: read before it is applied, and not again to verify it.
    builds: Mutex<Option<Arc<LiveBuilds>>>,
}

/// A version of the pipeline that somebody else wrote between our reading and our update.
#[derive(Debug, Clone, Copy)]
struct Overwritten {
    /// The version of theirs.
    lost: u64,
    /// The version of ours that replaced it.
    current: u64,
}

/// A live pipeline and what its patch depends on.
#[derive(Debug)]
pub struct LivePipeline {
    /// What the patch is planned on: the live pipeline, or the version that our own update replaced.
    pipeline: Pipeline,
    /// The live version.
    version: u64,
    tags: BTreeMap<String, String>,
    builds: Arc<LiveBuilds>,
}

impl PipelinePatch {
    /// The builds of the pipeline as it was when this was asked first.
    async fn builds_of(&self, aws: &Aws, pipeline: &Pipeline) -> Arc<LiveBuilds> {
        let Some(desired) = &self.desired else { return Arc::default() };
        let known = self.builds.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(builds) = known {
            return builds;
        }
        let builds = builds::read_builds(aws, pipeline, &keys_of(&desired.encryption_keys)).await;
        let builds = Arc::new(builds);
        *self.builds.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&builds));
        builds
    }
}

impl Resource for PipelinePatch {
    const TYPE: ResourceType = ResourceType::PipelinePatch;
    const DOES: &'static str = "Patches an existing pipeline: keys of its artifact stores, added actions, roles of existing actions. Everything else of the pipeline is sent as it was read, what AWS has added since included.";
    const PROPERTIES: &'static [&'static [Property]] = &[&patch_properties::PROPERTIES];
    const ATTRIBUTES: &'static [Attribute] = &[
        Attribute { name: "PipelineVersion", meaning: "the version that the pipeline has now" },
        Attribute { name: "EncryptionKeyArn", meaning: "the key of the artifact stores, as it is now" },
    ];
    type Live = LivePipeline;
    /// The structure for UpdatePipeline.
    type Change = Value;
    type Memory = OwnerState;

    fn parse(properties: &Map<String, Value>, context: &ResourceContext) -> Result<Vec<Self>, FieldError> {
        let read = patch_properties::read_patch(properties, context)?;
        let name = pipeline_name(&read.pipeline_name)?;
        let start_execution = read.start_execution;
        Ok(vec![PipelinePatch {
            name,
            desired: Some(read.desired),
            start_execution,
            overwritten: Mutex::default(),
            builds: Mutex::default(),
        }])
    }

    fn parse_absent(
        properties: &Map<String, Value>,
        _context: &ResourceContext,
    ) -> Result<Vec<Self>, FieldError> {
        let name = properties.get("PipelineName").and_then(Value::as_str).unwrap_or_default().trim();
        Ok(vec![PipelinePatch {
            name: pipeline_name(name)?,
            desired: None,
            start_execution: false,
            overwritten: Mutex::default(),
            builds: Mutex::default(),
        }])
    }

    fn target(&self) -> &str {
        &self.name
    }

    fn target_arn(target: &str, context: &ResourceContext) -> String {
        let ResourceContext { partition, region, account, .. } = context;
        arn::build(partition, "codepipeline", region, account, target)
    }

    async fn read(&self, aws: &Aws, context: &ResourceContext) -> Result<LivePipeline, ResourceError> {
        let (codepipeline, arn) = (aws.codepipeline(), Self::target_arn(&self.name, context));
        let overwritten = *self.overwritten.lock().unwrap_or_else(PoisonError::into_inner);
        let get_pipeline = async {
            match overwritten {
                None => codepipeline.get_pipeline(&self.name).await,
                Some(version) => codepipeline.get_pipeline_version(&self.name, version.lost).await,
            }
        };
        let (live, tags) = try_join(get_pipeline, codepipeline.tags(&arn)).await?;
        let pipeline = Pipeline::parse(live).map_err(|error| {
            Failure::new(
                format!("the existing pipeline can't be read: {error}"),
                "report this with the output of `aws codepipeline get-pipeline`",
            )
        })?;
        let builds = self.builds_of(aws, &pipeline).await;
        let version = overwritten.map_or_else(|| version_of(pipeline.as_value()), |it| it.current);
        Ok(LivePipeline { pipeline, version, tags, builds })
    }

    /// # Errors
    /// Also when the patch would bring a fault that was not there before: AWS would accept it, and the next execution
    /// would fail.
    fn plan(
        &self,
        live: &LivePipeline,
        memories: &Memories<Self>,
        context: &ResourceContext,
    ) -> Result<Plan<Self>, Failure> {
        let change = match &self.desired {
            None => patch::plan_revert(&live.pipeline, memories, &context.owner),
            Some(desired) => patch::plan(&live.pipeline, memories, &context.owner, desired)
                .map_err(|error| failures::of_patch(&error))?,
        };
        if let Some(patched) = change.pipeline.as_ref().filter(|_| self.desired.is_some()) {
            no_new_fault(&live.pipeline, patched)?;
        }
        let patch::Change { pipeline, during, after, drifted } = change;
        // A version that was replaced has to be written even if the patch is in it already.
        let replaced = live.version != version_of(live.pipeline.as_value());
        let pipeline = pipeline.or_else(|| replaced.then(|| live.pipeline.as_value().clone()));
        Ok(Plan { change: pipeline, during, after, remarks: drifted })
    }

    async fn write(
        &self,
        aws: &Aws,
        _context: &ResourceContext,
        live: &LivePipeline,
        change: &Value,
    ) -> Result<Option<String>, AwsError> {
        let updated = version_of(&aws.codepipeline().update_pipeline(change).await?);
        // The update replaced what somebody else wrote since the reading: the next attempt plans on that.
        let lost = Some(updated.saturating_sub(1)).filter(|lost| *lost > live.version);
        *self.overwritten.lock().unwrap_or_else(PoisonError::into_inner) =
            lost.map(|lost| Overwritten { lost, current: updated });
        Ok(lost.map(|lost| {
            format!(
                "While the pipeline was patched, somebody else updated it to version {lost}, which our version {updated} replaced. The patch was applied again on top of version {lost}; compare with `aws codepipeline get-pipeline --name {} --pipeline-version {lost}`.",
                self.name
            )
        }))
    }

    async fn finish(&self, aws: &Aws, request_id: &str, changed: bool) -> Result<(), AwsError> {
        if self.start_execution && changed {
            aws.codepipeline().start_execution(&self.name, request_id).await?;
        }
        Ok(())
    }

    fn attributes(&self, live: &LivePipeline, _context: &ResourceContext) -> Success {
        let keys = self.desired.as_ref().map(|desired| keys_of(&desired.encryption_keys).join(","));
        Success::default()
            .with("PipelineVersion", version_of(live.pipeline.as_value()).to_string())
            .with("EncryptionKeyArn", keys.unwrap_or_default())
    }

    fn notices(&self, live: &LivePipeline) -> Vec<String> {
        let owner = failures::owner_notice("pipeline", &live.tags);
        owner.into_iter().chain(live.builds.notices(&live.pipeline)).collect()
    }

    fn preview(&self, live: &LivePipeline, change: Option<&Value>, _context: &ResourceContext) -> Preview {
        let before = live.pipeline.as_value();
        let after = change.unwrap_or(before).clone();
        Preview { what: format!("pipeline {}", self.name), before: before.clone(), after, size: None }
    }

    fn explain(&self, error: AwsError, _context: &ResourceContext) -> Failure {
        if !is_assume_role_refusal(&error) {
            return failures::of_aws(error);
        }
        let cause = format!("CodePipeline still refuses: {}", error.message);
        let next_step = "check both sides: the service role needs sts:AssumeRole on the action role (Custom::ServiceRoleGrant), and the action role has to trust the service role (target-account.yaml); then deploy again";
        Failure::new(cause, next_step).see("IA001, IA002")
    }
}

/// UpdatePipeline checks that the service role can assume every action's role, and after a change of either side that
/// takes a while to be so. CodePipeline has one code for every structure error; the text tells this one.
pub fn is_assume_role_refusal(error: &AwsError) -> bool {
    error.operation == "UpdatePipeline" && matches!(claim(&error.message), ErrorSignature::AssumeRole { .. })
}

fn version_of(pipeline: &Value) -> u64 {
    pipeline.get("version").and_then(Value::as_u64).unwrap_or_default()
}

fn keys_of(choice: &KeyChoice) -> Vec<&str> {
    match choice {
        KeyChoice::None => vec![],
        KeyChoice::All(arn) => vec![arn],
        KeyChoice::ByRegion(arns) => arns.values().map(String::as_str).collect(),
    }
}

fn no_new_fault(current: &Pipeline, patched: &Value) -> Result<(), Failure> {
    let faults = |pipeline: Value| {
        let metadata = current.arn().map(|arn| json!({ "pipelineArn": arn }));
        let pipeline = Fact::Known(json!({"pipeline": pipeline, "metadata": metadata}));
        let snapshot = Snapshot { pipeline, ..Snapshot::default() };
        rules::lint(&snapshot).map(|diagnostics| diagnostics.findings).unwrap_or_default()
    };
    let before = faults(current.as_value().clone());
    let known =
        |rule: RuleId, location: &str| before.iter().any(|old| old.rule == rule && old.location == location);
    let after = faults(patched.clone()).into_iter();
    let mut new =
        after.filter(|fault| fault.severity == rules::Severity::Error && !known(fault.rule, &fault.location));
    let Some(fault) = new.next() else { return Ok(()) };
    let cause =
        format!("the patched pipeline would fail: {} ({}: {})", fault.message, fault.location, fault.because);
    Err(Failure::new(cause, fault.fix.lines().next().unwrap_or_default().to_owned()).see(fault.rule.as_str()))
}

fn pipeline_name(text: &str) -> Result<String, FieldError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || ".@-_".contains(c);
    if (1..=100).contains(&text.len()) && text.chars().all(allowed) {
        return Ok(text.to_owned());
    }
    let fault = format!("`{text}` is not the name of a pipeline");
    Err(FieldError::new("PipelineName", fault, "give the bare name, not an ARN"))
}
