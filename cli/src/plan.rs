//! `crosspipe plan`: what a custom resource would change, from the live state, without changing it.

use std::path::PathBuf;

use clap::Args;
use crosspipe_aws::Aws;
use crosspipe_core::arn::Arn;
use crosspipe_core::grants::Allowed;
use crosspipe_core::owner::Owner;
use crosspipe_core::remediation::ResourceType;
use crosspipe_custom_resource::Failure;
use crosspipe_resources::{Preview, ResourceContext, failures, preview};
use serde_json::{Map, Value, json};
use similar::TextDiff;

use crate::input::Document;
use crate::output::{Answer, Format, to_json};
use crate::text::{Style, Text};

const EXPECTED: &str = "a custom-resource request (`ResourceType`, `ResourceProperties`) or a template or one resource of it (`Type`, `Properties`), in JSON or YAML";

const EXAMPLES: &str = "\
Examples:
  crosspipe plan grant.json
  crosspipe plan grant.json --format json
  echo '{\"Type\": \"Custom::ArtifactBucketGrant\", \"Properties\": {\"BucketName\": \"my-artifacts\",
    \"TargetAccounts\": \"222222222222\"}}' | crosspipe plan -
  crosspipe plan template.yaml --resource KeyGrant

A template's functions (!Ref, !Sub, …) have a value in its stack only: write the values instead of those that a
property needs. Credentials and Region come from where the AWS CLI takes them. It only reads. Sids depend on the stack and the
resource: those of a template's resource are shown for a stack that does not exist yet.";

/// Shows what a custom resource would change: the key policy, bucket policy, role or pipeline, before and after
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// A custom-resource request, a template or one resource of it, in JSON or YAML; `-` for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The logical id of the resource, where FILE is a template
    #[arg(long, value_name = "ID")]
    resource: Option<String>,
    /// How to show it
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Shows the plan.
pub(crate) fn run(arguments: &Arguments) -> Answer {
    let document = match Document::read_json_or_yaml(&arguments.file, EXPECTED) {
        Ok(document) => document,
        Err(error) => return Answer::unusable(error),
    };
    let resource = match pick_resource(document.value(), arguments.resource.as_deref()) {
        Ok(resource) => resource,
        Err(problem) => return Answer::unusable(format!("{}: {problem}", document.name())),
    };
    let Some(planned) = PlannedResource::read(resource) else {
        return Answer::unusable(format!(
            "{}: there is no type or no properties in it; expected {EXPECTED}",
            document.name()
        ));
    };
    if let Some((property, function)) = planned.first_function() {
        return Answer::unusable(format!(
            "{}: property `{property}` is `{function}`, whose value only its stack knows\n  next: write the value instead",
            document.name()
        ));
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Answer::unusable(format!("no connection can be made: {error}")),
    };
    match runtime.block_on(planned.preview()) {
        Ok(previews) => Answer::of(show_previews(&previews, arguments.format)),
        Err(failure) => Answer::unusable(format!("{}\n  next: {}", failure.cause, failure.next_step)),
    }
}

/// Why it is open which resource is meant.
#[derive(Debug, thiserror::Error)]
enum PickError {
    #[error("it is no template, so there is no resource `{0}` in it")]
    NoTemplate(String),
    #[error(
        "it has no resource `{id}`\n  next: choose one of its custom resources with `--resource`: {custom}"
    )]
    NoResource { id: String, custom: String },
    #[error("it is a template\n  next: choose one of its custom resources with `--resource`: {custom}")]
    NoneChosen { custom: String },
}

/// The resource of a template with this logical id; without `Resources`, the document is the resource.
fn pick_resource<'a>(document: &'a Value, id: Option<&str>) -> Result<&'a Value, PickError> {
    let Some(resources) = document.get("Resources").and_then(Value::as_object) else {
        return match id {
            None => Ok(document),
            Some(id) => Err(PickError::NoTemplate(id.to_owned())),
        };
    };
    if let Some(resource) = id.and_then(|id| resources.get(id)) {
        return Ok(resource);
    }
    let is_custom = |resource: &Value| {
        resource.get("Type").and_then(Value::as_str).is_some_and(|it| it.starts_with("Custom::"))
    };
    let custom: Vec<&str> =
        resources.iter().filter(|(_, it)| is_custom(it)).map(|(id, _)| id.as_str()).collect();
    let custom = custom.join(", ");
    Err(match id {
        Some(id) => PickError::NoResource { id: id.to_owned(), custom },
        None => PickError::NoneChosen { custom },
    })
}

/// A custom resource to plan.
struct PlannedResource<'a> {
    resource_type: &'a str,
    properties: &'a Map<String, Value>,
    owner: Owner,
}

impl<'a> PlannedResource<'a> {
    fn read(value: &'a Value) -> Option<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let resource_type = text("ResourceType").or_else(|| text("Type"))?;
        let properties = value.get("ResourceProperties").or_else(|| value.get("Properties"))?.as_object()?;
        let owner =
            Owner::new(text("StackId").unwrap_or("plan"), text("LogicalResourceId").unwrap_or("plan"));
        Some(PlannedResource { resource_type, properties, owner })
    }

    /// The first property that holds a function of CloudFormation, and that function. The service token is not read.
    fn first_function(&self) -> Option<(String, String)> {
        let properties = self.properties.iter().filter(|(name, _)| *name != "ServiceToken");
        properties.filter_map(|(name, value)| function_in(name, value)).next()
    }

    async fn preview(self) -> Result<Vec<Preview>, Failure> {
        let resource_type = ResourceType::of_cloudformation(self.resource_type)
            .ok_or_else(|| failures::unknown_type(self.resource_type))?;
        let aws = Aws::connect().await;
        let region =
            aws.region().ok_or_else(|| Failure::new("no Region is set", "set AWS_REGION"))?.to_owned();
        let identity = aws.identity().await.map_err(|error| {
            Failure::new(error.to_string(), "check the credentials with `aws sts get-caller-identity`")
        })?;
        let partition = match Arn::parse(&identity.arn) {
            Ok(arn) => arn.partition().to_owned(),
            Err(error) => return Err(Failure::new(error.to_string(), "check the credentials")),
        };
        // Whom an installation may let in, only its function knows.
        let allowed = Allowed::everyone();
        let context =
            ResourceContext { account: identity.account, region, partition, owner: self.owner, allowed };
        preview(&aws, resource_type, self.properties, &context).await
    }
}

fn function_in(path: &str, value: &Value) -> Option<(String, String)> {
    match value {
        Value::Object(members) => members.iter().find_map(|(name, inner)| {
            let is_function = name == "Ref" || name.starts_with("Fn::");
            if is_function {
                Some((path.to_owned(), name.clone()))
            } else {
                function_in(&format!("{path}.{name}"), inner)
            }
        }),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(at, inner)| function_in(&format!("{path}[{at}]"), inner))
        }
        _ => None,
    }
}

fn show_previews(previews: &[Preview], format: Format) -> Text {
    if matches!(format, Format::Json) {
        let documents: Vec<Value> = previews.iter().map(preview_json).collect();
        // One resource is mostly about one document.
        let [document] = documents.as_slice() else { return to_json(&json!(documents)).into() };
        return to_json(document).into();
    }
    let mut text = Text::default();
    for preview in previews {
        show_diff(preview, &mut text);
    }
    text
}

fn preview_json(preview: &Preview) -> Value {
    let size = preview.size.map(|(used, limit)| json!({"bytes": used, "limit": limit}));
    let Preview { what, before, after, .. } = preview;
    json!({"what": what, "before": before, "after": after, "size": size})
}

fn show_diff(preview: &Preview, text: &mut Text) {
    text.styled(Style::Strong, format!("{}\n", preview.what));
    if preview.before == preview.after {
        text.push("nothing to change\n");
    }
    let [before, after] = [&preview.before, &preview.after].map(|document| match document {
        Value::Null => String::new(),
        document => format!("{document:#}\n"),
    });
    for line in TextDiff::from_lines(&before, &after).unified_diff().context_radius(3).to_string().lines() {
        let style = match line.chars().next() {
            Some('+') => Style::Advice,
            Some('-') => Style::Error,
            Some('@') => Style::Faint,
            _ => Style::Plain,
        };
        text.styled(style, format!("{line}\n"));
    }
    if let Some((used, limit)) = preview.size {
        text.push(format!("{used} of {limit} bytes\n"));
    }
}
