//! `Custom::ArtifactKeyGrant`: the artifact key's policy lets the service role and the grantees use the key.

use crosspipe_core::arn::Arn;
use crosspipe_core::grants::PutError;
use crosspipe_core::grants::grantees::role_arn;
use crosspipe_core::grants::key;
use crosspipe_core::policy::{Change, OwnedStatements, PolicyDocument};
use crosspipe_custom_resource::{Failure, Properties};
use serde_json::{Map, Value};

use crate::{Resource, ResourceContext, failures, grantee_properties};

/// The grant.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyGrant {
    /// The artifact key.
    pub key: Arn,
    /// The statements that are wanted in its policy.
    pub statements: OwnedStatements,
}

impl Resource for KeyGrant {
    const NAME: &'static str = "ArtifactKeyGrant";
    type Target = Arn;

    fn target(properties: &Map<String, Value>, place: &ResourceContext) -> Result<Arn, Failure> {
        let arn = properties.get("KeyArn").and_then(Value::as_str).unwrap_or_default();
        key::key_arn("KeyArn", arn, &place.account, &place.region).map_err(failures::property)
    }

    fn target_name(target: &Arn) -> &str {
        target.as_str()
    }

    fn target_arn(name: &str, _place: &ResourceContext) -> String {
        name.to_owned()
    }

    fn parse(properties: &Map<String, Value>, place: &ResourceContext) -> Result<Self, Failure> {
        let [a, b, c, d, e] = grantee_properties::NAMES;
        let read = Properties::new(properties, &["KeyArn", "ServiceRoleArn", a, b, c, d, e])?;
        let key = key::key_arn("KeyArn", read.required("KeyArn")?, &place.account, &place.region);
        let key = key.map_err(failures::property)?;
        let service_role = role_arn("ServiceRoleArn", read.required("ServiceRoleArn")?);
        let service_role = service_role.map_err(failures::property)?;
        let grantees = grantee_properties::read(&read)?;
        Ok(KeyGrant { statements: key::wanted(&place.owner, &key, &service_role, &grantees), key })
    }
}

/// What has to be written to the key policy.
///
/// # Errors
/// When KMS would refuse the document.
pub fn plan(current: Option<&PolicyDocument>, statements: &OwnedStatements) -> Result<Change, PutError> {
    // A key always has a policy; one without a statement stands for the impossible.
    let none = PolicyDocument::empty();
    key::plan(current.unwrap_or(&none), statements)
}
