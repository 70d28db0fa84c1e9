//! `Custom::BuildProjectKey`: existing CodeBuild projects encrypt what they build under the artifact key.

use crosspipe_aws::{Aws, AwsError};
use crosspipe_core::arn::{self, Arn};
use crosspipe_core::field_error::FieldError;
use crosspipe_core::grants::key;
use crosspipe_core::owned_setting::{self, Owners, Released, Replaced};
use crosspipe_core::remediation::ResourceType;
use crosspipe_custom_resource::{Failure, Success};
use serde_json::{Map, Value, json};

use crate::ResourceContext;
use crate::properties::Properties;
use crate::reference::{Attribute, Property};
use crate::resource::{Memories, Plan, Preview, Resource, ResourceError};

/// The key of one project.
#[derive(Debug, Clone, PartialEq)]
pub struct BuildProjectKey {
    project: String,
    /// The artifact key; none where what was there is put back.
    key: Option<Arn>,
}

/// The key that a project shows which was given none.
const NO_KEY: &str = "alias/aws/s3";

impl Resource for BuildProjectKey {
    const TYPE: ResourceType = ResourceType::BuildProjectKey;
    const DOES: &'static str = "Sets the encryption key of existing CodeBuild projects, so that target accounts can decrypt what they build. No other setting of a project is sent.";
    const PROPERTIES: &'static [&'static [Property]] = &[&[
        Property::required("ProjectNames", "names of projects of this account and Region"),
        Property::required("KeyArn", "ARN of the artifact key, of this account and Region"),
    ]];
    const ATTRIBUTES: &'static [Attribute] = &[Attribute {
        name: "EncryptionKeyArn",
        meaning: "the key; what refers to it is made after the projects have it",
    }];
    /// The key; none for the default.
    type Live = Option<String>;
    /// The same as it shall be.
    type Change = Option<String>;
    type Memory = Option<Replaced>;

    fn parse(properties: &Map<String, Value>, context: &ResourceContext) -> Result<Vec<Self>, FieldError> {
        let read = Properties::new(properties, Self::PROPERTIES)?;
        let key = read.required("KeyArn")?;
        let key = key::key_arn("KeyArn", key, &context.account, Some(&context.region));
        let key = key?;
        let projects = Self::parse_absent(properties, context)?;
        Ok(projects.into_iter().map(|it| BuildProjectKey { key: Some(key.clone()), ..it }).collect())
    }

    fn parse_absent(
        properties: &Map<String, Value>,
        _context: &ResourceContext,
    ) -> Result<Vec<Self>, FieldError> {
        let known: Map<String, Value> = properties
            .iter()
            .filter(|(name, _)| *name == "ProjectNames")
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        let mut names = Properties::new(&known, Self::PROPERTIES)?.list("ProjectNames")?;
        names.sort();
        names.dedup();
        if names.is_empty() {
            let next_step = "give the names of the CodeBuild projects of the pipeline";
            return Err(FieldError::new("ProjectNames", "names no project", next_step));
        }
        let checked = names.into_iter().map(|name| {
            check_name(&name)?;
            Ok(BuildProjectKey { project: name, key: None })
        });
        checked.collect()
    }

    fn target(&self) -> &str {
        &self.project
    }

    fn target_arn(target: &str, context: &ResourceContext) -> String {
        let ResourceContext { partition, region, account, .. } = context;
        arn::build(partition, "codebuild", region, account, format_args!("project/{target}"))
    }

    /// Projects come and go without a replacement of the resource.
    fn physical_name(&self) -> &str {
        "build-projects"
    }

    async fn read(&self, aws: &Aws, _context: &ResourceContext) -> Result<Option<String>, ResourceError> {
        let project = aws.codebuild().project(&self.project).await?;
        let Some(project) = project else {
            // What is gone has nothing to put back.
            return if self.key.is_none() { Ok(None) } else { Err(no_such_project(&self.project).into()) };
        };
        let key = project.get("encryptionKey").and_then(Value::as_str);
        Ok(key.filter(|key| !key.is_empty() && !key.ends_with(NO_KEY)).map(str::to_owned))
    }

    fn plan(
        &self,
        live: &Option<String>,
        memories: &Memories<Self>,
        context: &ResourceContext,
    ) -> Result<Plan<Self>, Failure> {
        let (owner, mut remarks) = (context.owner.short(), Vec::new());
        let before: Owners =
            memories.iter().filter_map(|(owner, memory)| Some((owner.clone(), memory.clone()?))).collect();
        let mut owners = before.clone();
        let desired = match &self.key {
            Some(key) => {
                owned_setting::take_setting(&mut owners, &owner, live.clone(), key.as_str());
                Some(key.to_string())
            }
            None => match owned_setting::release_setting(&mut owners, &owner, live.clone()) {
                Released::PutBack(original) => original,
                Released::Unchanged => live.clone(),
                Released::Drifted(_) => {
                    remarks.push(format!(
                        "the encryption key of build project `{}` was changed by somebody else and stays",
                        self.project
                    ));
                    live.clone()
                }
            },
        };
        let mut during = owners.clone();
        let own = owned_setting::during_write(before.get(&owner), owners.get(&owner));
        during.extend(own.map(|own| (owner, own)));
        let some = |owners: Owners| owners.into_iter().map(|(owner, it)| (owner, Some(it))).collect();
        Ok(Plan {
            change: (desired != *live).then_some(desired),
            during: some(during),
            after: some(owners),
            remarks,
        })
    }

    async fn write(
        &self,
        aws: &Aws,
        context: &ResourceContext,
        _live: &Option<String>,
        change: &Option<String>,
    ) -> Result<Option<String>, AwsError> {
        let ResourceContext { partition, region, account, .. } = context;
        let default = arn::build(partition, "kms", region, account, NO_KEY);
        let key = change.as_deref().unwrap_or(&default);
        aws.codebuild().set_encryption_key(&self.project, key).await.map(|()| None)
    }

    /// The key, so that a template can have what needs it set wait for this resource.
    fn attributes(&self, live: &Option<String>, _context: &ResourceContext) -> Success {
        Success::default().with("EncryptionKeyArn", live.as_deref().unwrap_or_default())
    }

    fn preview(
        &self,
        live: &Option<String>,
        change: Option<&Option<String>>,
        _context: &ResourceContext,
    ) -> Preview {
        let value = |key: &Option<String>| json!({"name": self.project, "encryptionKey": key});
        let what = format!("encryption key of build project {}", self.project);
        Preview { what, before: value(live), after: value(change.unwrap_or(live)), size: None }
    }
}

fn no_such_project(project: &str) -> Failure {
    Failure::new(
        format!("`ProjectNames`: there is no CodeBuild project `{project}` in this account and Region"),
        "check the name, and deploy again",
    )
}

/// See <https://docs.aws.amazon.com/codebuild/latest/APIReference/API_UpdateProject.html>.
fn check_name(name: &str) -> Result<(), FieldError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if (2..=150).contains(&name.len()) && name.chars().all(allowed) {
        return Ok(());
    }
    let fault = format!("`{name}` is not the name of a CodeBuild project");
    Err(FieldError::new("ProjectNames", fault, "give bare names, not ARNs"))
}
