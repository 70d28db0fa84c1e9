//! `Custom::ServiceRoleGrant`: an inline policy lets the service role assume the target roles.

use std::collections::BTreeMap;

use crosspipe_aws::iam::Iam;
use crosspipe_aws::{Aws, AwsError};
use crosspipe_core::arn;
use crosspipe_core::field_error::FieldError;
use crosspipe_core::grants::Quota;
use crosspipe_core::grants::service_role::{self, TargetRoles};
use crosspipe_core::policy::{Change, OwnedStatements, PolicyDocument};
use crosspipe_core::remediation::ResourceType;
use crosspipe_custom_resource::{Failure, Success};
use futures_util::future::try_join_all;
use serde_json::{Map, Value};

use crate::properties::Properties;
use crate::reference::{Attribute, Property};
use crate::resource::{Memories, Plan, Preview, Resource, ResourceError};
use crate::{ResourceContext, policy_documents};

/// The grant.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceRoleGrant {
    role: String,
    statements: OwnedStatements,
}

const ROLES: &str = "the roles by ARN or by name";

/// All inline policies of a role by name: they share one quota.
type InlinePolicies = BTreeMap<String, PolicyDocument>;

impl Resource for ServiceRoleGrant {
    const TYPE: ResourceType = ResourceType::ServiceRoleGrant;
    const DOES: &'static str =
        "Writes one inline policy of an existing role: `sts:AssumeRole` on the target roles and no others.";
    const PROPERTIES: &'static [&'static [Property]] = &[&[
        Property::required("RoleName", "name of the pipeline's service role, without its path"),
        Property::one_of("TargetRoleArns", ROLES, "ARNs of the roles that actions of the pipeline assume"),
        Property::one_of(
            "TargetRoleNamePattern",
            ROLES,
            "with `OrganizationId`: the roles of that name in every account of the organization",
        ),
        Property::default("OrganizationId", "none", "the organization of `TargetRoleNamePattern`"),
    ]];
    const ATTRIBUTES: &'static [Attribute] = &policy_documents::ATTRIBUTES;
    type Live = InlinePolicies;
    type Change = Change;
    type Memory = ();

    fn parse(properties: &Map<String, Value>, context: &ResourceContext) -> Result<Vec<Self>, FieldError> {
        let read = Properties::new(properties, Self::PROPERTIES)?;
        let role = role_name(read.required("RoleName")?)?;
        let roles = TargetRoles::new(
            &read.list("TargetRoleArns")?,
            read.optional("TargetRoleNamePattern")?,
            read.optional("OrganizationId")?,
        );
        let roles =
            roles.and_then(|roles| context.allowed.target_roles(&roles, &context.account).map(|()| roles));
        let roles = roles?;
        let statements = service_role::desired_statements(&context.owner, &context.partition, &roles);
        Ok(vec![ServiceRoleGrant { role, statements }])
    }

    fn parse_absent(
        properties: &Map<String, Value>,
        context: &ResourceContext,
    ) -> Result<Vec<Self>, FieldError> {
        let role = role_name(properties.get("RoleName").and_then(Value::as_str).unwrap_or_default().trim())?;
        Ok(vec![ServiceRoleGrant { role, statements: service_role::no_statements(&context.owner) }])
    }

    fn target(&self) -> &str {
        &self.role
    }

    fn target_arn(target: &str, context: &ResourceContext) -> String {
        arn::role(&context.partition, &context.account, target)
    }

    async fn read(&self, aws: &Aws, _context: &ResourceContext) -> Result<InlinePolicies, ResourceError> {
        let iam = aws.iam();
        let names = iam.role_policy_names(&self.role).await?;
        let documents =
            try_join_all(names.into_iter().map(|name| read_named_policy(&iam, &self.role, name))).await?;
        let present = documents.into_iter().filter_map(|(name, text)| Some((name, text?)));
        let parsed = present.map(|(name, text)| match PolicyDocument::parse(&text) {
            Ok(document) => Ok((name, document)),
            Err(error) => Err(Failure::new(
                format!("inline policy `{name}` of role `{}` can't be read: {error}", self.role),
                "save that policy once in a form that AWS accepts, and deploy again",
            )),
        });
        Ok(parsed.collect::<Result<_, _>>()?)
    }

    fn plan(
        &self,
        live: &InlinePolicies,
        memories: &Memories<Self>,
        context: &ResourceContext,
    ) -> Result<Plan<Self>, Failure> {
        policy_documents::plan_of(
            service_role::plan(live, &context.owner.policy_name(), &self.statements),
            memories,
        )
    }

    async fn write(
        &self,
        aws: &Aws,
        context: &ResourceContext,
        _live: &InlinePolicies,
        change: &Change,
    ) -> Result<Option<String>, AwsError> {
        let (iam, name) = (aws.iam(), context.owner.policy_name());
        match change {
            Change::None => {}
            Change::Put(document) => iam.put_role_policy(&self.role, &name, &document.to_json()).await?,
            Change::Delete => iam.delete_role_policy(&self.role, &name).await?,
        }
        Ok(None)
    }

    fn attributes(&self, live: &InlinePolicies, _context: &ResourceContext) -> Success {
        let quota = Quota::RoleInlinePolicies;
        policy_documents::grant_attributes(&self.statements, quota, quota.used(live.values()))
    }

    fn preview(&self, live: &InlinePolicies, change: Option<&Change>, context: &ResourceContext) -> Preview {
        let (name, quota) = (context.owner.policy_name(), Quota::RoleInlinePolicies);
        let what = format!("inline policy {name} of role {}", self.role);
        let others = live.iter().filter(|(other, _)| **other != name).map(|(_, document)| document);
        let others: Vec<&PolicyDocument> = others.collect();
        policy_documents::preview_of(what, live.get(&name), change, &others, quota)
    }
}

async fn read_named_policy(
    iam: &Iam,
    role: &str,
    name: String,
) -> Result<(String, Option<String>), AwsError> {
    let text = iam.role_policy(role, &name).await?;
    Ok((name, text))
}

fn role_name(text: &str) -> Result<String, FieldError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if (1..=64).contains(&text.len()) && text.chars().all(allowed) {
        return Ok(text.to_owned());
    }
    Err(FieldError::new(
        "RoleName",
        format!("`{text}` is not the name of a role"),
        "give the bare name of the pipeline's service role, without ARN and path",
    ))
}
