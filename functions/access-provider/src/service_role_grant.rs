//! `Custom::ServiceRoleGrant`: an inline policy lets the service role assume the target roles.

use std::collections::BTreeMap;

use crosspipe_aws::AwsError;
use crosspipe_core::grants::InvalidProperty;
use crosspipe_core::grants::service_role::{self, TargetRoles};
use crosspipe_core::policy::{Change, OwnedStatements, PolicyDocument, Quota};
use crosspipe_custom_resource::{Failure, Properties, Success};
use futures_util::future::try_join_all;
use serde_json::{Map, Value};

use crate::lifecycle::{Resource, Stopped};
use crate::scope::Scope;
use crate::{document, failures};

/// The grant.
pub struct ServiceRoleGrant {
    role: String,
    statements: OwnedStatements,
}

impl Resource for ServiceRoleGrant {
    const NAME: &'static str = "ServiceRoleGrant";
    type Target = String;

    fn target(properties: &Map<String, Value>, _scope: &Scope<'_>) -> Result<String, Failure> {
        role_name(properties.get("RoleName").and_then(Value::as_str).unwrap_or_default())
    }

    fn target_name(target: &String) -> &str {
        target
    }

    fn parse(properties: &Map<String, Value>, scope: &Scope<'_>) -> Result<Self, Failure> {
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
            statements: service_role::wanted(&scope.owner, &scope.partition, &roles),
        })
    }

    /// No lease: each owner has an inline policy of its own, so writers don't meet.
    async fn apply(&self, _previous: Option<&Self>, scope: &Scope<'_>) -> Result<Success, Stopped> {
        let (iam, name) = (scope.aws.iam(), scope.owner.policy_name());
        let mut policies = inline_policies(scope, &self.role).await?;
        let change =
            service_role::plan(&policies, &name, &self.statements).map_err(|error| failures::put(&error))?;
        if let Change::Put(changed) = change {
            let put = iam.put_role_policy(&self.role, &name, &changed.to_json()).await;
            put.map_err(|error| Stopped::by_write(error, false))?;
            policies.insert(name, changed);
        }
        let quota = Quota::RoleInlinePolicies;
        Ok(document::success(&self.statements, quota, quota.used(policies.values()), None))
    }

    async fn revert(target: &String, scope: &Scope<'_>) -> Result<Success, Stopped> {
        let deleted = scope.aws.iam().delete_role_policy(target, &scope.owner.policy_name()).await;
        deleted.map(|()| Success::default()).map_err(|error| Stopped::by_aws(error, false))
    }
}

/// All inline policies of the role: they share one quota.
async fn inline_policies(scope: &Scope<'_>, role: &str) -> Result<BTreeMap<String, PolicyDocument>, Failure> {
    let iam = scope.aws.iam();
    let names = iam.role_policy_names(role).await.map_err(failures::aws)?;
    let documents = names.into_iter().map(|name| {
        let iam = iam.clone();
        async move {
            let text = iam.role_policy(role, &name).await?;
            Ok::<_, AwsError>((name, text))
        }
    });
    let documents = try_join_all(documents).await.map_err(failures::aws)?;
    let parsed = documents.into_iter().filter_map(|(name, text)| text.map(|text| (name, text)));
    let parsed = parsed.map(|(name, text)| match PolicyDocument::parse(&text) {
        Ok(document) => Ok((name, document)),
        Err(error) => Err(Failure::new(
            format!("inline policy `{name}` of role `{role}` can't be read: {error}"),
            "save that policy once in a form that AWS accepts, and deploy again",
        )),
    });
    parsed.collect()
}

fn role_name(text: &str) -> Result<String, Failure> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if (1..=64).contains(&text.len()) && text.chars().all(allowed) {
        return Ok(text.to_owned());
    }
    let fault = format!("`{text}` is not the name of a role");
    Err(failures::property(InvalidProperty::new(
        "RoleName",
        fault,
        "give the bare name of the pipeline's service role, without ARN and path",
    )))
}
