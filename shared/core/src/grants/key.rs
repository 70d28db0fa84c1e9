//! The statements of `Custom::ArtifactKeyGrant` in the artifact key's policy.

use serde_json::{Map, Value, json};

use super::Grantees;
use crate::arn::{Arn, is_account_id};
use crate::field_error::FieldError;
use crate::grants::put_checks::{PutError, Quota, refuse_deleted_principals, refuse_lockout};
use crate::owner::Owner;
use crate::policy::{Change, OwnedStatements, PolicyDocument};

/// What those who read and write artifacts do with the key, as AWS's cross-account walkthrough has it.
/// See <https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-cross-account.html>.
pub const ACTIONS: [&str; 5] =
    ["kms:DescribeKey", "kms:GenerateDataKey*", "kms:Encrypt", "kms:ReEncrypt*", "kms:Decrypt"];

const SERVICE_ROLE: &str = "key/service-role";
const OWN_ROLES: &str = "key/own-roles";
const TARGETS: &str = "key/targets";
const ORGANIZATION: &str = "key/organization";

/// Who uses the key.
#[derive(Debug, Clone, PartialEq)]
pub struct Users {
    /// The pipeline's service role.
    pub service_role: Arn,
    /// Other roles of the key's account, such as those of build projects.
    pub own_roles: Vec<Arn>,
    /// Target accounts and their roles.
    pub grantees: Grantees,
}

/// The statements for these users.
pub fn desired_statements(owner: &Owner, key: &Arn, users: &Users) -> OwnedStatements {
    let allow = |principal: Value, condition: Option<Value>| {
        let mut statement = Map::new();
        statement.insert("Effect".into(), json!("Allow"));
        statement.insert("Principal".into(), principal);
        statement.insert("Action".into(), json!(ACTIONS));
        // In a key policy `*` is the key itself.
        statement.insert("Resource".into(), json!("*"));
        statement.extend(condition.map(|condition| ("Condition".to_owned(), condition)));
        statement
    };
    let targets = users.grantees.named_principal(key.partition()).map(|principal| allow(principal, None));
    let organization = users.grantees.organization_condition(key.partition());
    let mut own_roles: Vec<&str> = users.own_roles.iter().map(Arn::as_str).collect();
    own_roles.sort_unstable();
    own_roles.dedup();
    let own_roles = (!own_roles.is_empty()).then(|| allow(json!({ "AWS": own_roles }), None));
    OwnedStatements::new([
        (owner.sid(SERVICE_ROLE), Some(allow(json!({ "AWS": users.service_role.as_str() }), None))),
        (owner.sid(OWN_ROLES), own_roles),
        (owner.sid(TARGETS), targets),
        (
            owner.sid(ORGANIZATION),
            organization.map(|condition| allow(json!({ "AWS": "*" }), Some(condition))),
        ),
    ])
}

/// No statement: those that the owner has are removed.
pub fn no_statements(owner: &Owner) -> OwnedStatements {
    let purposes = [SERVICE_ROLE, OWN_ROLES, TARGETS, ORGANIZATION];
    OwnedStatements::new(purposes.map(|purpose| (owner.sid(purpose), None)))
}

/// What has to be written to the key policy.
///
/// # Errors
/// When KMS would refuse the document.
pub fn plan(current: &PolicyDocument, owned: &OwnedStatements) -> Result<Change, PutError> {
    match owned.plan(Some(current)) {
        Change::None => Ok(Change::None),
        // A key always has a policy; one without a statement would lock everyone out.
        Change::Delete => Err(PutError::Lockout),
        Change::Put(changed) => {
            refuse_deleted_principals(&changed)?;
            refuse_lockout(&changed)?;
            Quota::KeyPolicy.check(Quota::KeyPolicy.used([&changed]))?;
            Ok(Change::Put(changed))
        }
    }
}

/// Reads a key ARN of this account; of any Region where none is given.
///
/// # Errors
/// When it is a key id, an alias, or a key that is elsewhere, with the reason why that can't work.
pub fn key_arn(field: &str, text: &str, account: &str, region: Option<&str>) -> Result<Arn, FieldError> {
    let shown_region = region.unwrap_or("REGION");
    let next_step = format!(
        "give the key's ARN, `arn:aws:kms:{shown_region}:{account}:key/…`, as `aws kms describe-key` shows it"
    );
    let fault = |fault: String| FieldError::of_value(field, text, fault, next_step.clone());
    let Ok(arn) = Arn::parse(text) else {
        return Err(fault(if text.starts_with("alias/") {
            "is an alias: aliases resolve only in the account that owns them, never in a target account"
                .into()
        } else {
            "is not an ARN: a bare key id is looked up in the target account, where the key does not exist"
                .into()
        }));
    };
    if arn.service() != "kms" || !is_account_id(arn.account()) {
        return Err(fault("is not the ARN of a KMS key".into()));
    }
    if arn.resource().starts_with("alias/") {
        return Err(fault(
            "is an alias: aliases resolve only in the account that owns them, never in a target account"
                .into(),
        ));
    }
    if !arn.resource().strip_prefix("key/").is_some_and(|id| !id.is_empty() && !id.contains(['*', '/'])) {
        return Err(fault("is not the ARN of a KMS key".into()));
    }
    if arn.account() != account {
        return Err(fault(format!(
            "is a key of account {}, and key policies can be changed only in their own account, here {account}",
            arn.account()
        )));
    }
    if let Some(region) = region.filter(|region| arn.region() != *region) {
        return Err(fault(format!(
            "is a key in {}, and an artifact key has to be in the pipeline's Region, here {region}",
            arn.region()
        )));
    }
    Ok(arn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_key_arns_are_accepted() {
        let read = |text: &str| key_arn("KeyArn", text, "111111111111", Some("eu-west-1"));
        assert!(read("arn:aws:kms:eu-west-1:111111111111:key/mrk-1").is_ok());
        for (text, reason) in [
            ("1234abcd-12ab-34cd-56ef-1234567890ab", "bare key id"),
            ("alias/pipeline", "alias"),
            ("arn:aws:kms:eu-west-1:111111111111:alias/pipeline", "alias"),
            ("arn:aws:kms:eu-west-1:222222222222:key/k", "account 222222222222"),
            ("arn:aws:kms:us-east-1:111111111111:key/k", "us-east-1"),
            ("arn:aws:kms:eu-west-1:111111111111:key/*", "not the ARN of a KMS key"),
            ("arn:aws:s3:::bucket", "not the ARN of a KMS key"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.to_string().contains(reason) && error.field == "KeyArn", "{text}: {error}");
        }
    }
}
