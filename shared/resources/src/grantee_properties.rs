//! The grantee properties that key grant and bucket grant share.

use crosspipe_core::field_error::FieldError;
use crosspipe_core::grants::Grantees;
use crosspipe_core::grants::grantees::GranteeProperties;

use crate::ResourceContext;
use crate::properties::Properties;

/// Their names.
pub(crate) const NAMES: [&str; 5] =
    ["TargetAccounts", "TargetRoleArns", "OrganizationId", "OrganizationPaths", "TargetRoleNamePattern"];

/// Reads and checks them. The installation has to allow them all.
pub(crate) fn read_grantees(
    properties: &Properties<'_>,
    context: &ResourceContext,
) -> Result<Grantees, FieldError> {
    let given = GranteeProperties {
        target_accounts: properties.list("TargetAccounts")?,
        target_role_arns: properties.list("TargetRoleArns")?,
        organization_id: properties.optional("OrganizationId")?.map(str::to_owned),
        organization_paths: properties.list("OrganizationPaths")?,
        target_role_name_pattern: properties.optional("TargetRoleNamePattern")?.map(str::to_owned),
    };
    let allowed = context.allowed.grantees(&given, &context.account);
    Grantees::new(given).and_then(|grantees| allowed.map(|()| grantees))
}
