//! Whom an installation may let in, whatever its custom resources ask for.

use std::collections::BTreeSet;

use super::grantees::{GranteeProperties, check_account, check_organization_id, role_arn};
use super::service_role::TargetRoles;
use crate::arn::Arn;
use crate::evaluation::pattern::{arn_parts, matches};
use crate::field_error::FieldError;

/// Accounts, roles and organizations that may be let in. A grantee is allowed if one of the three allows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Whole accounts, with all their roles.
    accounts: BTreeSet<String>,
    /// Patterns of role ARNs.
    role_arns: Vec<String>,
    organizations: BTreeSet<String>,
    everyone: bool,
}

impl Allowed {
    /// No limit: for what only shows what a grant would be.
    pub fn everyone() -> Self {
        Allowed { everyone: true, ..Allowed::default() }
    }

    /// Reads three comma-delimited lists: account ids, patterns of role ARNs, organization ids.
    ///
    /// # Errors
    /// Names the list with a malformed entry, or with a pattern that matches every role.
    pub fn parse(accounts: &str, role_arns: &str, organizations: &str) -> Result<Self, FieldError> {
        let list = |text: &str| -> Vec<String> {
            text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
        };
        let allowed = Allowed {
            accounts: list(accounts).into_iter().collect(),
            role_arns: list(role_arns),
            organizations: list(organizations).into_iter().collect(),
            everyone: false,
        };
        for account in &allowed.accounts {
            check_account("ALLOWED_ACCOUNTS", account)?;
        }
        for pattern in &allowed.role_arns {
            check_role_pattern("ALLOWED_ROLE_ARNS", pattern)?;
        }
        for id in &allowed.organizations {
            check_organization_id("ALLOWED_ORGANIZATION_ID", id)?;
        }
        Ok(allowed)
    }

    /// Whether all of these may be let in.
    ///
    /// # Errors
    /// Names the property with the first one that may not, and the installation's parameter that would allow it.
    pub fn grantees(&self, given: &GranteeProperties, own_account: &str) -> Result<(), FieldError> {
        for account in &given.target_accounts {
            if !self.everyone && !self.accounts.contains(account) {
                return Err(self.refuse("TargetAccounts", account, "AllowedAccounts"));
            }
        }
        for arn in &given.target_role_arns {
            self.role("TargetRoleArns", &role_arn("TargetRoleArns", arn)?, own_account)?;
        }
        let of_paths = given.organization_paths.iter().map(|path| ("OrganizationPaths", first_segment(path)));
        let of_id = given.organization_id.iter().map(|id| ("OrganizationId", id.as_str()));
        of_id.chain(of_paths).try_for_each(|(field, id)| self.organization(field, id))
    }

    /// Whether the service role may be let assume these roles.
    ///
    /// # Errors
    /// As [`Allowed::grantees`].
    pub fn target_roles(&self, roles: &TargetRoles, own_account: &str) -> Result<(), FieldError> {
        match roles {
            TargetRoles::Named(arns) => {
                arns.iter().try_for_each(|arn| self.role("TargetRoleArns", arn, own_account))
            }
            TargetRoles::OfOrganization { organization_id, .. } => {
                self.organization("OrganizationId", organization_id)
            }
        }
    }

    /// Whether this role may be let in. A role of the pipeline's own account needs a pattern that names this account.
    ///
    /// # Errors
    /// As [`Allowed::grantees`].
    pub fn role(&self, field: &str, arn: &Arn, own_account: &str) -> Result<(), FieldError> {
        let is_own = arn.account() == own_account;
        let by_pattern = |pattern: &String| {
            let names_account = arn_parts(pattern).nth(4) == Some(arn.account());
            let same = arn_parts(pattern).zip(arn_parts(arn.as_str())).all(|(a, b)| matches(a, b));
            same && (names_account || !is_own)
        };
        if self.everyone || self.accounts.contains(arn.account()) || self.role_arns.iter().any(by_pattern) {
            return Ok(());
        }
        Err(self.refuse(field, arn.as_str(), "AllowedRoleArns"))
    }

    /// Reads the ARN of a role of the pipeline's own account, such as its service role.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn own_role(&self, field: &str, text: &str, own_account: &str) -> Result<Arn, FieldError> {
        let arn = role_arn(field, text)?;
        if arn.account() == own_account {
            return Ok(arn);
        }
        let problem = format!("is a role of account {}, not of this one, {own_account}", arn.account());
        Err(FieldError::of_value(
            field,
            text,
            problem,
            "give a role of this account; roles of other accounts are grantees",
        ))
    }

    fn organization(&self, field: &str, id: &str) -> Result<(), FieldError> {
        if self.everyone || self.organizations.contains(id) {
            return Ok(());
        }
        Err(self.refuse(field, id, "AllowedOrganizationId"))
    }

    fn refuse(&self, field: &str, value: &str, parameter: &str) -> FieldError {
        let problem =
            "is not among those whom this installation of Crosspipe may let in; nothing was read or changed";
        let next_step = format!(
            "if it shall be let in, add it to the parameter `{parameter}` of the installation (template.yaml)"
        );
        FieldError::of_value(field, value, problem, next_step)
    }
}

fn first_segment(path: &str) -> &str {
    path.split_once('/').map_or(path, |(first, _)| first)
}

fn check_role_pattern(field: &str, pattern: &str) -> Result<(), FieldError> {
    let parts: Vec<&str> = arn_parts(pattern).collect();
    let problem = match parts.as_slice() {
        ["arn", _, "iam", "", account, resource] if resource.starts_with("role/") => {
            let any_account = !account.chars().any(|c| c.is_ascii_digit());
            let any_role = resource.trim_start_matches("role/").chars().all(|c| "*?/".contains(c));
            if !(any_account && any_role) {
                return Ok(());
            }
            "matches every role of every account"
        }
        _ => "is not a pattern of role ARNs",
    };
    let next_step = "give patterns such as `arn:aws:iam::222222222222:role/*` or `arn:aws:iam::*:role/CrosspipeTargetRole`";
    Err(FieldError::of_value(field, pattern, problem, next_step))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "111111111111";

    fn allowed() -> Allowed {
        let roles = "arn:aws:iam::*:role/Crosspipe*, arn:aws:iam::111111111111:role/team/Own";
        Allowed::parse("222222222222", roles, "o-a1b2c3d4e5").unwrap()
    }

    fn role(arn: &str) -> Result<(), FieldError> {
        allowed().role("RoleArn", &Arn::parse(arn).unwrap(), OWN)
    }

    #[test]
    fn roles_by_account_or_pattern() {
        for arn in [
            "arn:aws:iam::222222222222:role/Any",
            "arn:aws:iam::333333333333:role/CrosspipeTargetRole",
            "arn:aws:iam::111111111111:role/team/Own",
        ] {
            assert_eq!(role(arn), Ok(()), "{arn}");
        }
        for arn in [
            "arn:aws:iam::333333333333:role/Other",
            "arn:aws:iam::333333333333:role/path/CrosspipeTargetRole",
            // A pattern for any account does not mean the pipeline's own.
            "arn:aws:iam::111111111111:role/CrosspipeTargetRole",
            "arn:aws-cn:iam::333333333333:role/CrosspipeTargetRole",
        ] {
            let refusal = role(arn).unwrap_err();
            assert!(refusal.help.contains("`AllowedRoleArns`") && refusal.field == "RoleArn", "{refusal}");
        }
    }

    #[test]
    fn each_kind_of_grantee_has_its_parameter() {
        let check = |given: GranteeProperties| allowed().grantees(&given, OWN);
        let of = |text: &str| vec![text.to_owned()];
        assert_eq!(
            check(GranteeProperties { target_accounts: of("222222222222"), ..Default::default() }),
            Ok(())
        );
        let own = GranteeProperties { organization_id: Some("o-a1b2c3d4e5".into()), ..Default::default() };
        assert_eq!(check(own), Ok(()));
        for (given, parameter) in [
            (
                GranteeProperties { target_accounts: of("333333333333"), ..Default::default() },
                "AllowedAccounts",
            ),
            (GranteeProperties { target_accounts: of(OWN), ..Default::default() }, "AllowedAccounts"),
            (
                GranteeProperties { organization_id: Some("o-zzzzzzzzzz".into()), ..Default::default() },
                "AllowedOrganizationId",
            ),
            (
                GranteeProperties { organization_paths: of("o-zzzzzzzzzz/r-ab12/*"), ..Default::default() },
                "AllowedOrganizationId",
            ),
        ] {
            let refusal = check(given).unwrap_err();
            assert!(refusal.help.contains(parameter), "{refusal:?}");
        }
        assert_eq!(
            Allowed::everyone()
                .grantees(&GranteeProperties { target_accounts: of(OWN), ..Default::default() }, OWN),
            Ok(())
        );
        let nobody = Allowed::parse("", "", "").unwrap();
        assert!(nobody.role("RoleArn", &Arn::parse("arn:aws:iam::2:role/x").unwrap(), OWN).is_err());
    }

    #[test]
    fn malformed_lists_are_named() {
        for (lists, field) in [
            (["1", "", ""], "ALLOWED_ACCOUNTS"),
            (["", "*", ""], "ALLOWED_ROLE_ARNS"),
            (["", "arn:aws:iam::*:role/*", ""], "ALLOWED_ROLE_ARNS"),
            (["", "arn:aws:iam::*:user/x", ""], "ALLOWED_ROLE_ARNS"),
            (["", "", "r-ab12"], "ALLOWED_ORGANIZATION_ID"),
        ] {
            let [accounts, roles, organization] = lists;
            assert_eq!(Allowed::parse(accounts, roles, organization).unwrap_err().field, field);
        }
    }

    #[test]
    fn own_roles_are_of_this_account() {
        let read = |arn: &str| allowed().own_role("ServiceRoleArn", arn, OWN);
        assert!(read("arn:aws:iam::111111111111:role/service-role/x").is_ok());
        let refusal = read("arn:aws:iam::222222222222:role/x").unwrap_err();
        assert!(refusal.problem.contains("222222222222") && refusal.field == "ServiceRoleArn", "{refusal}");
    }
}
