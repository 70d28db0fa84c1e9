//! The grantee properties that key grant and bucket grant share.

use crosspipe_core::field_error::FieldError;
use crosspipe_core::grants::Grantees;
use crosspipe_core::grants::grantees::GranteeProperties;

use crate::ResourceContext;
use crate::properties::Properties;
use crate::reference::Property;

const ONE: &str = "at least one kind of grantee";

/// What is said of them.
pub(crate) const ALL: [Property; 5] = [
    Property::one_of("TargetAccounts", ONE, "12-digit ids of accounts, with all their roles"),
    Property::one_of("TargetRoleArns", ONE, "ARNs of roles in target accounts"),
    Property::one_of(
        "OrganizationId",
        ONE,
        "with `TargetRoleNamePattern`: the roles of that name in every account of the organization",
    ),
    Property::one_of(
        "OrganizationPaths",
        ONE,
        "with `TargetRoleNamePattern`: only the accounts below these paths, such as `o-…/r-…/ou-…/*`",
    ),
    Property::default(
        "TargetRoleNamePattern",
        "none",
        "role name of the organization's grantees; may contain `*`, not at its beginning, which does not cross a path",
    ),
];

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
