//! The inline policy of `Custom::ServiceRoleGrant` in the pipeline's service role.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::grantees::{check_organization_id, check_role_name_pattern, role_arn};
use crate::arn::{self, Arn};
use crate::field_error::FieldError;
use crate::grants::put_checks::{PutError, Quota};
use crate::owner::Owner;
use crate::policy::{Change, OwnedStatements, PolicyDocument};

const ASSUME: &str = "service-role/assume-targets";

/// The roles that the service role shall be able to assume.
#[derive(Debug, Clone, PartialEq)]
pub enum TargetRoles {
    /// Exactly these.
    Named(Vec<Arn>),
    /// All of one name in one organization.
    OfOrganization {
        /// `o-…`
        organization_id: String,
        /// A role name with `*` and `?`.
        role_name_pattern: String,
    },
}

impl TargetRoles {
    /// Checks the properties `TargetRoleArns`, `TargetRoleNamePattern` and `OrganizationId`.
    ///
    /// # Errors
    /// When neither form, or both, are given, or a value is malformed.
    pub fn new(
        target_role_arns: &[String],
        target_role_name_pattern: Option<&str>,
        organization_id: Option<&str>,
    ) -> Result<Self, FieldError> {
        match (target_role_name_pattern, organization_id) {
            (None, None) if target_role_arns.is_empty() => Err(FieldError::new(
                "TargetRoleArns",
                "names no role",
                "give the ARNs of the target roles, or `TargetRoleNamePattern` with `OrganizationId`",
            )),
            (None, None) => {
                let arns = target_role_arns.iter().map(|arn| role_arn("TargetRoleArns", arn));
                arns.collect::<Result<_, _>>().map(TargetRoles::Named)
            }
            (Some(pattern), Some(organization)) if target_role_arns.is_empty() => {
                check_role_name_pattern("TargetRoleNamePattern", pattern)?;
                check_organization_id("OrganizationId", organization)?;
                Ok(TargetRoles::OfOrganization {
                    organization_id: organization.to_owned(),
                    role_name_pattern: pattern.to_owned(),
                })
            }
            (Some(_), Some(_)) => Err(FieldError::new(
                "TargetRoleArns",
                "is given together with `TargetRoleNamePattern`",
                "give one of the two; a second `Custom::ServiceRoleGrant` can hold the other",
            )),
            (Some(_), None) => Err(FieldError::new(
                "OrganizationId",
                "is missing, so the pattern would match roles of any account in the world",
                "give the organization whose roles `TargetRoleNamePattern` means",
            )),
            (None, Some(_)) => Err(FieldError::new(
                "TargetRoleNamePattern",
                "is missing, so every role of the organization would be meant",
                "give the name of the target role, with `*` where it varies",
            )),
        }
    }
}

/// The statement for these roles.
pub fn desired_statements(owner: &Owner, partition: &str, roles: &TargetRoles) -> OwnedStatements {
    let mut statement = Map::new();
    statement.insert("Effect".into(), json!("Allow"));
    statement.insert("Action".into(), json!("sts:AssumeRole"));
    match roles {
        TargetRoles::Named(arns) => {
            let arns: Vec<Value> = arns.iter().map(|arn| json!(arn.as_str())).collect();
            statement.insert("Resource".into(), Value::Array(arns));
        }
        TargetRoles::OfOrganization { organization_id, role_name_pattern } => {
            let pattern = arn::role(partition, "*", role_name_pattern);
            statement.insert("Resource".into(), json!(pattern));
            let condition = json!({"StringEquals": {"aws:ResourceOrgID": organization_id}});
            statement.insert("Condition".into(), condition);
        }
    }
    OwnedStatements::new([(owner.sid(ASSUME), Some(statement))])
}

/// No statement: the one that the owner has is removed.
pub fn no_statements(owner: &Owner) -> OwnedStatements {
    OwnedStatements::new([(owner.sid(ASSUME), None)])
}

/// What has to be written to the owner's inline policy, given all inline policies of the role.
///
/// # Errors
/// When the role's inline policies together would be over quota.
pub fn plan(
    inline_policies: &BTreeMap<String, PolicyDocument>,
    policy_name: &str,
    owned: &OwnedStatements,
) -> Result<Change, PutError> {
    let change = owned.plan(inline_policies.get(policy_name));
    if let Change::Put(changed) = &change {
        let others = inline_policies.iter().filter(|(name, _)| *name != policy_name);
        let used = Quota::RoleInlinePolicies.used(others.map(|(_, document)| document).chain([changed]));
        Quota::RoleInlinePolicies.check(used)?;
    }
    Ok(change)
}
