//! The reference of the custom resources: the page is what the code says, and what it says of a property holds.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::fmt::Write;
use std::path::Path;

use crosspipe_core::arn::Arn;
use crosspipe_core::field_error::FieldError;
use crosspipe_core::grants::Allowed;
use crosspipe_core::owner::Owner;
use crosspipe_core::remediation::ResourceType;
use crosspipe_resources::reference::{Attribute, COMMON_ATTRIBUTES, Presence, Property};
use crosspipe_resources::{Operation, Resource, ResourceContext, dispatch, reference};
use serde_json::{Map, Value, json};

const PAGE: &str = "docs/custom-resources.md";
const BEGIN: &str = "<!-- Generated: CROSSPIPE_WRITE_DOCS=1 cargo test --test reference -->\n";
const END: &str = "<!-- End of what is generated. -->\n";

fn tables() -> String {
    let mut text = String::new();
    for resource_type in ResourceType::ALL {
        let reference = reference(resource_type);
        write!(text, "\n### `Custom::{}`\n\n{}\n\n", resource_type.name(), reference.does).unwrap();
        text.push_str("| property | | |\n|---|---|---|\n");
        for Property { name, presence, meaning } in reference.properties {
            let presence = match presence {
                Presence::Required => "required".to_owned(),
                Presence::Default(default) => format!("default: {default}"),
                Presence::OneOf(which) => (*which).to_owned(),
            };
            writeln!(text, "| `{name}` | {presence} | {meaning} |").unwrap();
        }
        text.push_str("\n| attribute | |\n|---|---|\n");
        for Attribute { name, meaning } in reference.attributes.iter().chain(&COMMON_ATTRIBUTES) {
            writeln!(text, "| `{name}` | {meaning} |").unwrap();
        }
    }
    text.push('\n');
    text
}

#[test]
fn page_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(PAGE);
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page has where it begins");
    let (_, after) = rest.split_once(END).expect("and where it ends");
    let wanted = format!("{before}{BEGIN}{}{END}{after}", tables());
    if std::env::var_os("CROSSPIPE_WRITE_DOCS").is_some() {
        std::fs::write(&path, wanted).unwrap();
    } else {
        assert!(page == wanted, "{PAGE} is not what the code says; CROSSPIPE_WRITE_DOCS=1 writes it");
    }
}

/// A value for every property of every type.
fn samples() -> Map<String, Value> {
    let key = "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let role = "arn:aws:iam::222222222222:role/Deploy";
    let action = json!({"Name": "A", "ActionTypeId": {"Category": "Deploy", "Owner": "AWS", "Provider": "S3", "Version": "1"}});
    let samples = json!({
        "KeyArn": key, "EncryptionKeyArn": key, "EncryptionKeyArns": {"eu-west-1": key},
        "ServiceRoleArn": "arn:aws:iam::111111111111:role/service", "OwnRoleArns": "arn:aws:iam::111111111111:role/build",
        "TargetAccounts": "222222222222", "TargetRoleArns": role, "OrganizationId": "o-a1b2c3d4e5",
        "OrganizationPaths": "o-a1b2c3d4e5/r-ab12/*", "TargetRoleNamePattern": "Deploy",
        "BucketName": "artifacts", "AllowWrites": "false", "ArtifactPrefixes": "orders/",
        "DenyUnencryptedUploads": "false", "DenyInsecureTransport": "false", "RoleName": "service",
        "ProjectNames": "build", "PipelineName": "orders", "StartExecution": "true",
        "Actions": [{"Stage": "S", "Action": action}],
        "ActionRoles": [{"Stage": "S", "Action": "A", "RoleArn": role}],
    });
    samples.as_object().unwrap().clone()
}

/// What comes of these properties of a type.
async fn parse(resource_type: ResourceType, properties: &Map<String, Value>) -> Result<usize, FieldError> {
    struct Parse<'a>(&'a Map<String, Value>);
    impl Operation for Parse<'_> {
        type Output = Result<usize, FieldError>;

        async fn run<R: Resource>(self) -> Self::Output {
            let function =
                Arn::parse("arn:aws:lambda:eu-west-1:111111111111:function:access-provider").unwrap();
            let owner = Owner::new("arn:aws:cloudformation:eu-west-1:111111111111:stack/s/1", "R");
            let allowed = Allowed::parse("222222222222", "", "o-a1b2c3d4e5").unwrap();
            R::parse(self.0, &ResourceContext::of(&function, owner, allowed)).map(|parsed| parsed.len())
        }
    }
    dispatch(resource_type, Parse(properties)).await
}

#[tokio::test]
async fn what_is_said_of_properties_holds() {
    let samples = samples();
    for resource_type in ResourceType::ALL {
        let properties = reference(resource_type).properties;
        let is_required = |property: &&Property| property.presence == Presence::Required;
        let required = || properties.iter().filter(is_required);
        let pick = |names: Vec<&str>| -> Map<String, Value> {
            names.into_iter().map(|name| (name.to_owned(), samples[name].clone())).collect()
        };
        let choices: Vec<Option<&str>> = properties
            .iter()
            .filter(|property| matches!(property.presence, Presence::OneOf(_)))
            .map(|property| Some(property.name))
            .collect();
        let choices = if choices.is_empty() { vec![None] } else { choices };
        // What is required and any one of a choice is enough; a name pattern and an organization go together.
        for choice in &choices {
            let mut names: Vec<&str> = required().map(|property| property.name).collect();
            names.extend(choice);
            let by_name = ["OrganizationId", "OrganizationPaths", "TargetRoleNamePattern"];
            if choice.is_some_and(|choice| by_name.contains(&choice)) {
                names.extend(["OrganizationId", "TargetRoleNamePattern"]);
            }
            assert_eq!(parse(resource_type, &pick(names.clone())).await, Ok(1), "{names:?}");
            // Without one that is required, that one is named.
            for missing in required() {
                let rest = names.iter().copied().filter(|name| *name != missing.name).collect();
                let error = parse(resource_type, &pick(rest)).await.unwrap_err();
                assert_eq!(error.field, missing.name, "{resource_type:?}: {error}");
            }
        }
        if choices.len() > 1 {
            let none = required().map(|property| property.name).collect();
            parse(resource_type, &pick(none)).await.unwrap_err();
        }
    }
}
