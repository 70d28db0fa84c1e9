//! Whom a grant is for.

use serde_json::{Map, Value, json};

use crate::arn::{self, Arn, is_account_id};
use crate::field_error::FieldError;

/// The target accounts, roles, or roles of an organization that a grant is for.
#[derive(Debug, Clone, PartialEq)]
pub struct Grantees {
    accounts: Vec<String>,
    roles: Vec<Arn>,
    organization: Option<OrganizationRoles>,
}

/// All roles of an organization (or of parts of it) whose names match a pattern.
#[derive(Debug, Clone, PartialEq)]
struct OrganizationRoles {
    /// Always named, beside paths, too: S3 takes a policy whose only condition on the organization are its paths for
    /// public, and Block Public Access refuses it.
    id: String,
    paths: Vec<String>,
    role_name_pattern: String,
}

/// The grantee properties of a custom resource, as they were given.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GranteeProperties {
    /// `TargetAccounts`: 12-digit ids.
    pub target_accounts: Vec<String>,
    /// `TargetRoleArns`: ARNs of roles.
    pub target_role_arns: Vec<String>,
    /// `OrganizationId`: `o-…`.
    pub organization_id: Option<String>,
    /// `OrganizationPaths`: `o-…/r-…/ou-…/*`.
    pub organization_paths: Vec<String>,
    /// `TargetRoleNamePattern`: a role name (with its path, if it has one) with `*` and `?`.
    pub target_role_name_pattern: Option<String>,
}

impl Grantees {
    /// Checks the properties.
    ///
    /// # Errors
    /// When a value is malformed, an organization comes without a role name pattern or the other way
    /// round, or nobody is named at all.
    pub fn new(properties: GranteeProperties) -> Result<Self, FieldError> {
        for account in &properties.target_accounts {
            check_account("TargetAccounts", account)?;
        }
        let roles = properties.target_role_arns.iter().map(|arn| role_arn("TargetRoleArns", arn));
        let roles = roles.collect::<Result<Vec<_>, _>>()?;
        let organization = OrganizationRoles::new(&properties)?;
        if properties.target_accounts.is_empty() && roles.is_empty() && organization.is_none() {
            return Err(FieldError::new(
                "TargetAccounts",
                "names nobody, and neither does `TargetRoleArns` nor `OrganizationId`",
                "give at least one of `TargetAccounts`, `TargetRoleArns`, or `OrganizationId` with `TargetRoleNamePattern`",
            ));
        }
        Ok(Grantees { accounts: properties.target_accounts, roles, organization })
    }

    /// The `Principal` element for accounts and roles named one by one, if there are any.
    pub(super) fn named_principal(&self, partition: &str) -> Option<Value> {
        let roots = self.accounts.iter().map(|account| arn::account_root(partition, account));
        let mut principals: Vec<String> = roots.chain(self.roles.iter().map(Arn::to_string)).collect();
        principals.sort();
        principals.dedup();
        (!principals.is_empty()).then(|| json!({ "AWS": principals }))
    }

    /// The `Condition` that narrows everyone down to the organization's roles, if they are meant.
    pub(super) fn organization_condition(&self, partition: &str) -> Option<Value> {
        let organization = self.organization.as_ref()?;
        let pattern = arn::role(partition, "*", &organization.role_name_pattern);
        let mut condition = Map::new();
        condition.insert("ArnLike".into(), json!({ "aws:PrincipalArn": pattern }));
        if organization.role_name_pattern.contains(['*', '?']) {
            // A wildcard matches slashes, too: `Deploy*` would mean any role under the path `/Deployers/`.
            let deeper = "*/".repeat(organization.role_name_pattern.matches('/').count() + 1);
            let deeper = arn::role(partition, "*", format_args!("{deeper}*"));
            condition.insert("ArnNotLike".into(), json!({ "aws:PrincipalArn": deeper }));
        }
        condition.insert("StringEquals".into(), json!({ "aws:PrincipalOrgID": organization.id }));
        if !organization.paths.is_empty() {
            let paths = json!({ "aws:PrincipalOrgPaths": organization.paths });
            condition.insert("ForAnyValue:StringLike".into(), paths);
        }
        Some(Value::Object(condition))
    }
}

impl OrganizationRoles {
    fn new(properties: &GranteeProperties) -> Result<Option<Self>, FieldError> {
        let paths = properties.organization_paths.clone();
        let id = organization_id(properties.organization_id.as_deref(), &paths)?;
        match (id, properties.target_role_name_pattern.clone()) {
            (None, None) => Ok(None),
            (Some(_), None) => Err(FieldError::new(
                "TargetRoleNamePattern",
                "is missing, so every principal of the organization would be granted",
                "give the name of the target role, with `*` where it varies",
            )),
            (None, Some(_)) => Err(FieldError::new(
                "TargetRoleNamePattern",
                "has no organization to look for roles in",
                "give `OrganizationId` or `OrganizationPaths` with it, or list the roles in `TargetRoleArns`",
            )),
            (Some(id), Some(role_name_pattern)) => {
                check_role_name_pattern("TargetRoleNamePattern", &role_name_pattern)?;
                Ok(Some(OrganizationRoles { id, paths, role_name_pattern }))
            }
        }
    }
}

/// The organization that an id and paths mean; None where neither is given.
fn organization_id(id: Option<&str>, paths: &[String]) -> Result<Option<String>, FieldError> {
    if let Some(id) = id {
        check_organization_id("OrganizationId", id)?;
    }
    let mut id = id;
    for path in paths {
        let of_path = path.split_once('/').map_or("", |(of_path, _)| of_path);
        check_organization_id("OrganizationPaths", of_path)?;
        if let Some(other) = id.replace(of_path).filter(|id| *id != of_path) {
            let problem = format!("is not of the organization `{other}`");
            let help = "give paths of one organization";
            return Err(FieldError::of_value("OrganizationPaths", path, problem, help));
        }
    }
    Ok(id.map(str::to_owned))
}

/// Checks a 12-digit account id.
pub(super) fn check_account(field: &str, text: &str) -> Result<(), FieldError> {
    if is_account_id(text) {
        return Ok(());
    }
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let fault = if digits == text.chars().count() {
        format!("has {digits} digits, an account id has 12")
    } else {
        "is not an account id".to_owned()
    };
    let next_step = "give each account as its 12 digits, quoted in YAML so that leading zeros stay";
    Err(FieldError::of_value(field, text, fault, next_step))
}

/// Reads the ARN of one role, without wildcards.
///
/// # Errors
/// When it is anything else.
pub fn role_arn(field: &str, text: &str) -> Result<Arn, FieldError> {
    let next_step = "give the full ARN of one role, `arn:aws:iam::111122223333:role/Name`";
    let fault = |fault: &str| FieldError::of_value(field, text, fault, next_step);
    let arn = Arn::parse(text).map_err(|_| fault("is not an ARN"))?;
    if text.contains(['*', '?']) {
        return Err(fault("contains a wildcard"));
    }
    if !is_account_id(arn.account()) {
        return Err(fault("does not hold a 12-digit account id"));
    }
    match arn.role_name() {
        Some(_) => Ok(arn),
        None => Err(fault("is not the ARN of an IAM role")),
    }
}

pub(super) fn check_organization_id(field: &str, text: &str) -> Result<(), FieldError> {
    let right = text.strip_prefix("o-").is_some_and(|id| {
        (10..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    });
    if right {
        return Ok(());
    }
    let next_step = "give the id that starts with `o-`, as `aws organizations describe-organization` shows it; a path starts with it, `o-…/r-…/ou-…/*`";
    Err(FieldError::of_value(field, text, "is not an organization id", next_step))
}

pub(super) fn check_role_name_pattern(field: &str, pattern: &str) -> Result<(), FieldError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-/*?".contains(c);
    let fault = if !pattern.chars().all(allowed) {
        "holds a character that no role name has"
    } else if pattern.split('/').any(|part| part.is_empty() || part.starts_with(['*', '?'])) {
        "has a part without a literal beginning, so that roles of any name would match it"
    } else {
        return Ok(());
    };
    let next_step =
        "give the name of the target role, after its path if it has one, with `*` where its end varies";
    Err(FieldError::of_value(field, pattern, fault, next_step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::question::Question;

    const ORGANIZATION: &str = "o-a1b2c3d4e5";
    const PATH: &str = "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/";

    fn condition(paths: &[&str], pattern: &str) -> Value {
        let grantees = Grantees::new(GranteeProperties {
            organization_id: paths.is_empty().then(|| ORGANIZATION.to_owned()),
            organization_paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            target_role_name_pattern: Some(pattern.to_owned()),
            ..GranteeProperties::default()
        });
        grantees.unwrap().organization_condition("aws").unwrap()
    }

    /// Whether the bucket policy's statement allows a principal with these values of condition keys.
    fn is_allowed(condition: &Value, principal: &str, organization: Option<(&str, &str)>) -> bool {
        let mut context = json!({});
        if let Some((id, path)) = organization {
            context = json!({"aws:PrincipalOrgID": id, "aws:PrincipalOrgPaths": [path]});
        }
        // A session's own ARN leaves out the path of its role.
        if let Some((role, _)) = principal.split_once(":assumed-role/").and_then(|(_, it)| it.split_once('/'))
        {
            context["aws:PrincipalArn"] = json!(format!("arn:aws:iam::222222222222:role/{role}"));
        }
        let reads = json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"});
        let mut grant = reads.clone();
        grant["Principal"] = json!({"AWS": "*"});
        grant["Condition"] = condition.clone();
        let policy = |statement: Value| json!({"Version": "2012-10-17", "Statement": statement});
        let question = json!({
            "principal": principal, "action": "s3:GetObject", "resource": "arn:aws:s3:::artifacts/key",
            "resourceAccount": "111111111111", "context": context,
            "identityPolicies": [policy(reads)], "resourcePolicy": policy(grant),
        });
        let question: Question = serde_json::from_value(question).unwrap();
        serde_json::to_value(question.evaluate().decision).unwrap() == "allowed"
    }

    #[test]
    fn organization_means_its_target_roles() {
        let role = |name: &str| format!("arn:aws:iam::222222222222:role/{name}");
        let member = Some((ORGANIZATION, PATH));
        let other = Some(("o-zzzzzzzzzz", "o-zzzzzzzzzz/r-ab12/ou-ab12-11111111/"));
        let user = "arn:aws:iam::222222222222:user/CrosspipeTargetRole".to_owned();
        let session = "arn:aws:sts::222222222222:assumed-role/CrosspipeTargetRole/deploy".to_owned();
        let of_other = "arn:aws:sts::222222222222:assumed-role/Other/CrosspipeTargetRole".to_owned();
        let root = "arn:aws:iam::222222222222:root".to_owned();
        let exact = condition(&[], "CrosspipeTargetRole");
        for (principal, organization, expected) in [
            (role("CrosspipeTargetRole"), member, true),
            (session, member, true),
            (role("CrosspipeTargetRole"), other, false),
            (role("CrosspipeTargetRole"), None, false),
            (role("CrosspipeTargetRole2"), member, false),
            (role("MyCrosspipeTargetRole"), member, false),
            (role("team/CrosspipeTargetRole"), member, false),
            (role("CrosspipeTargetRole/Other"), member, false),
            (of_other, member, false),
            (user, member, false),
            (root, member, false),
            ("codepipeline.amazonaws.com".to_owned(), member, false),
        ] {
            assert_eq!(
                is_allowed(&exact, &principal, organization),
                expected,
                "{principal} {organization:?}"
            );
        }
    }

    #[test]
    fn wildcards_stay_within_a_path() {
        let role = |name: &str| format!("arn:aws:iam::222222222222:role/{name}");
        let member = Some((ORGANIZATION, PATH));
        for (pattern, name, expected) in [
            ("Crosspipe*", "CrosspipeTargetRole", true),
            ("Crosspipe*", "Crosspipe", true),
            ("Crosspipe*", "Crosspipe/Other", false),
            ("Crosspipe*", "CrosspipeTeam/deep/Other", false),
            ("Crosspipe?Role", "Crosspipe/Role", false),
            ("Crosspipe?Role", "Crosspipe-Role", true),
            ("team/Crosspipe*", "team/CrosspipeTargetRole", true),
            ("team/Crosspipe*", "team/Crosspipe/Other", false),
        ] {
            let allowed = is_allowed(&condition(&[], pattern), &role(name), member);
            assert_eq!(allowed, expected, "{pattern} {name}");
        }
    }

    #[test]
    fn paths_come_with_their_organization() {
        let role = "arn:aws:iam::222222222222:role/CrosspipeTargetRole";
        let of_path = condition(&["o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*"], "CrosspipeTargetRole");
        assert_eq!(of_path["StringEquals"]["aws:PrincipalOrgID"], ORGANIZATION);
        for (path, expected) in [
            (PATH, true),
            ("o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/ou-ab12-22222222/", true),
            ("o-a1b2c3d4e5/r-ab12/ou-ab12-11111112/", false),
            ("o-a1b2c3d4e5/r-ab12/", false),
        ] {
            assert_eq!(is_allowed(&of_path, role, Some((ORGANIZATION, path))), expected, "{path}");
        }
    }
}
