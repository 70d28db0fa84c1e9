//! `Custom::ServiceRoleGrant`: an inline policy lets the service role assume the target roles.

use std::collections::BTreeMap;

use crosspipe_aws::iam::Iam;
use crosspipe_aws::{Aws, AwsError};
use crosspipe_core::grants::InvalidProperty;
use crosspipe_core::grants::service_role::{self, TargetRoles};
use crosspipe_core::policy::{OwnedStatements, PolicyDocument};
use crosspipe_custom_resource::{Failure, Properties};
use futures_util::future::try_join_all;
use serde_json::{Map, Value};

use crate::{Resource, ResourceContext, failures};

/// The grant.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceRoleGrant {
    /// The service role, by name.
    pub role: String,
    /// The statements that are wanted in the inline policy.
    pub statements: OwnedStatements,
}

impl Resource for ServiceRoleGrant {
    const NAME: &'static str = "ServiceRoleGrant";
    type Target = String;

    fn target(properties: &Map<String, Value>, _place: &ResourceContext) -> Result<String, Failure> {
        role_name(properties.get("RoleName").and_then(Value::as_str).unwrap_or_default())
    }

    fn target_name(target: &String) -> &str {
        target
    }

    fn target_arn(name: &str, place: &ResourceContext) -> String {
        format!("arn:{}:iam::{}:role/{name}", place.partition, place.account)
    }

    fn parse(properties: &Map<String, Value>, place: &ResourceContext) -> Result<Self, Failure> {
        let known = ["RoleName", "TargetRoleArns", "TargetRoleNamePattern", "OrganizationId"];
        let read = Properties::new(properties, &known)?;
        let role = role_name(read.required("RoleName")?)?;
        let roles = TargetRoles::new(
            &read.list("TargetRoleArns")?,
            read.optional("TargetRoleNamePattern")?,
            read.optional("OrganizationId")?,
        );
        let roles = roles.map_err(failures::property)?;
        Ok(ServiceRoleGrant {
            role,
            statements: service_role::wanted(&place.owner, &place.partition, &roles),
        })
    }
}

/// All inline policies of a role: they share one quota.
///
/// # Errors
/// When one of them can't be read.
pub async fn inline_policies(aws: &Aws, role: &str) -> Result<BTreeMap<String, PolicyDocument>, Failure> {
    let iam = aws.iam();
    let names = iam.role_policy_names(role).await.map_err(failures::aws)?;
    let documents = try_join_all(names.into_iter().map(|name| named(iam.clone(), role, name))).await;
    let present =
        documents.map_err(failures::aws)?.into_iter().filter_map(|(name, text)| Some((name, text?)));
    let parsed = present.map(|(name, text)| match PolicyDocument::parse(&text) {
        Ok(document) => Ok((name, document)),
        Err(error) => Err(Failure::new(
            format!("inline policy `{name}` of role `{role}` can't be read: {error}"),
            "save that policy once in a form that AWS accepts, and deploy again",
        )),
    });
    parsed.collect()
}

async fn named(iam: Iam, role: &str, name: String) -> Result<(String, Option<String>), AwsError> {
    let text = iam.role_policy(role, &name).await?;
    Ok((name, text))
}

fn role_name(text: &str) -> Result<String, Failure> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if (1..=64).contains(&text.len()) && text.chars().all(allowed) {
        return Ok(text.to_owned());
    }
    Err(failures::property(InvalidProperty::new(
        "RoleName",
        format!("`{text}` is not the name of a role"),
        "give the bare name of the pipeline's service role, without ARN and path",
    )))
}
