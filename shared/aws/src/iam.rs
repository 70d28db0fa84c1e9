//! Roles and their policies.

use std::collections::BTreeMap;

use aws_config::retry::RetryConfig;
use aws_sdk_iam::Client;
use serde_json::Value;

use crate::error::{AwsError, ErrorKind};

const SERVICE: &str = "iam";

/// The roles and policies of one account. Roles are named by name, without path.
#[derive(Debug, Clone)]
pub struct Iam {
    client: Client,
}

/// A role without its permissions.
#[derive(Debug, Clone, PartialEq)]
pub struct Role {
    /// Name without path.
    pub name: String,
    /// `/` unless the role was put elsewhere.
    pub path: String,
    /// ARN, path included.
    pub arn: String,
    /// `AROA…`: what AWS turns the ARN into where a policy names a role that was deleted since.
    pub unique_id: String,
    /// Who may assume it.
    pub trust_policy: Value,
    /// The managed policy that bounds it.
    pub permissions_boundary_arn: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

impl Iam {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// A role.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is none of that name.
    /// See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html>.
    pub async fn role(&self, name: &str) -> Result<Role, AwsError> {
        const OPERATION: &str = "GetRole";
        let answer = self.client.get_role().role_name(name).send().await;
        let role = answer
            .map_err(AwsError::from_sdk(SERVICE, OPERATION))?
            .role
            .ok_or_else(|| AwsError::unexpected(SERVICE, OPERATION, "the answer has no role"))?;
        Ok(Role {
            trust_policy: parse_document(OPERATION, role.assume_role_policy_document())?,
            permissions_boundary_arn: role
                .permissions_boundary
                .and_then(|boundary| boundary.permissions_boundary_arn),
            name: role.role_name,
            path: role.path,
            arn: role.arn,
            unique_id: role.role_id,
            tags: role.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect(),
        })
    }

    /// Names of the role's inline policies.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRolePolicies.html>.
    pub async fn role_policy_names(&self, role: &str) -> Result<Vec<String>, AwsError> {
        let mut names = Vec::new();
        let mut pages = self.client.list_role_policies().role_name(role).into_paginator().send();
        while let Some(page) = pages.next().await {
            names.extend(page.map_err(AwsError::from_sdk(SERVICE, "ListRolePolicies"))?.policy_names);
        }
        Ok(names)
    }

    /// An inline policy; `None` if the role has none of that name, or there is no such role.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html>.
    pub async fn role_policy(&self, role: &str, name: &str) -> Result<Option<String>, AwsError> {
        const OPERATION: &str = "GetRolePolicy";
        let answer = self.client.get_role_policy().role_name(role).policy_name(name).send().await;
        match answer.map_err(AwsError::from_sdk(SERVICE, OPERATION)) {
            Ok(answer) => decode_document(OPERATION, &answer.policy_document).map(Some),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Adds an inline policy or replaces the one of that name. One attempt.
    ///
    /// # Errors
    /// `LimitExceeded` if all inline policies of the role together exceed 10,240 characters without
    /// whitespace. See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html>.
    pub async fn put_role_policy(&self, role: &str, name: &str, policy: &str) -> Result<(), AwsError> {
        let request = self.client.put_role_policy().role_name(role).policy_name(name);
        let once = aws_sdk_iam::config::Builder::new().retry_config(RetryConfig::disabled());
        let answer = request.policy_document(policy).customize().config_override(once).send().await;
        answer.map_err(AwsError::from_sdk(SERVICE, "PutRolePolicy"))?;
        Ok(())
    }

    /// Removes an inline policy; that it, or the role, is gone is no fault.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePolicy.html>.
    pub async fn delete_role_policy(&self, role: &str, name: &str) -> Result<(), AwsError> {
        let answer = self.client.delete_role_policy().role_name(role).policy_name(name).send().await;
        match answer.map_err(AwsError::from_sdk(SERVICE, "DeleteRolePolicy")) {
            Err(error) if error.kind != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// ARNs of the managed policies attached to the role.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedRolePolicies.html>.
    pub async fn attached_policies(&self, role: &str) -> Result<Vec<String>, AwsError> {
        let mut arns = Vec::new();
        let mut pages = self.client.list_attached_role_policies().role_name(role).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(AwsError::from_sdk(SERVICE, "ListAttachedRolePolicies"))?;
            arns.extend(page.attached_policies.unwrap_or_default().into_iter().filter_map(|p| p.policy_arn));
        }
        Ok(arns)
    }

    /// The document of a managed policy's default version. Two calls.
    ///
    /// # Errors
    /// See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicyVersion.html>.
    pub async fn managed_policy_document(&self, policy_arn: &str) -> Result<Value, AwsError> {
        const OPERATION: &str = "GetPolicyVersion";
        let policy = self.client.get_policy().policy_arn(policy_arn).send().await;
        let version = policy
            .map_err(AwsError::from_sdk(SERVICE, "GetPolicy"))?
            .policy
            .and_then(|policy| policy.default_version_id)
            .ok_or_else(|| AwsError::unexpected(SERVICE, "GetPolicy", "the answer has no default version"))?;
        let answer = self.client.get_policy_version().policy_arn(policy_arn).version_id(version).send().await;
        let version = answer.map_err(AwsError::from_sdk(SERVICE, OPERATION))?.policy_version;
        parse_document(OPERATION, version.as_ref().and_then(|version| version.document()))
    }
}

/// IAM sends documents URL-encoded (RFC 3986).
fn decode_document(operation: &'static str, document: &str) -> Result<String, AwsError> {
    let text = urlencoding::decode(document).map_err(|error| {
        AwsError::unexpected(SERVICE, operation, format!("the policy is not UTF-8: {error}"))
    })?;
    Ok(text.into_owned())
}

fn parse_document(operation: &'static str, document: Option<&str>) -> Result<Value, AwsError> {
    let document = document
        .ok_or_else(|| AwsError::unexpected(SERVICE, operation, "the answer has no policy document"))?;
    serde_json::from_str(&decode_document(operation, document)?)
        .map_err(|error| AwsError::unexpected(SERVICE, operation, format!("the policy is not JSON: {error}")))
}
