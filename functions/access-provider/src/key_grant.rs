//! `Custom::ArtifactKeyGrant`: the artifact key's policy lets the service role and the grantees use the key.

use crosspipe_aws::AwsError;
use crosspipe_aws::kms::Kms;
use crosspipe_core::arn::Arn;
use crosspipe_core::grants::grantees::role_arn;
use crosspipe_core::grants::key;
use crosspipe_core::policy::{Change, OwnedStatements, PolicyDocument, PutError, Quota};
use crosspipe_custom_resource::{Failure, Properties, Success};
use serde_json::{Map, Value};

use crate::document::{self, Document};
use crate::lifecycle::{Resource, Stopped};
use crate::scope::Scope;
use crate::{failures, grantee_properties};

/// The grant.
pub struct KeyGrant {
    key: Arn,
    statements: OwnedStatements,
}

impl Resource for KeyGrant {
    const NAME: &'static str = "ArtifactKeyGrant";
    type Target = Arn;

    fn target(properties: &Map<String, Value>, scope: &Scope<'_>) -> Result<Arn, Failure> {
        let arn = properties.get("KeyArn").and_then(Value::as_str).unwrap_or_default();
        key::key_arn("KeyArn", arn, &scope.account, &scope.region).map_err(failures::property)
    }

    fn target_name(target: &Arn) -> &str {
        target.as_str()
    }

    fn parse(properties: &Map<String, Value>, scope: &Scope<'_>) -> Result<Self, Failure> {
        let [a, b, c, d, e] = grantee_properties::NAMES;
        let read = Properties::new(properties, &["KeyArn", "ServiceRoleArn", a, b, c, d, e])?;
        let key = key::key_arn("KeyArn", read.required("KeyArn")?, &scope.account, &scope.region);
        let key = key.map_err(failures::property)?;
        let service_role =
            role_arn("ServiceRoleArn", read.required("ServiceRoleArn")?).map_err(failures::property)?;
        let grantees = grantee_properties::read(&read)?;
        Ok(KeyGrant { statements: key::wanted(&scope.owner, &key, &service_role, &grantees), key })
    }

    async fn apply(&self, _previous: Option<&Self>, scope: &Scope<'_>) -> Result<Success, Stopped> {
        let policy = KeyPolicy { kms: scope.aws.kms(), key: &self.key };
        let tags = policy.kms.tags(self.key.as_str()).await.map_err(failures::aws)?;
        let saved = document::merge(&policy, scope, |current| plan(current, &self.statements)).await?;
        let (quota, notice) = (Quota::KeyPolicy, failures::owner_notice("key", &tags));
        Ok(document::success(&self.statements, quota, quota.used(&saved), notice))
    }

    async fn revert(target: &Arn, scope: &Scope<'_>) -> Result<Success, Stopped> {
        let policy = KeyPolicy { kms: scope.aws.kms(), key: target };
        let unwanted = key::unwanted(&scope.owner);
        document::merge(&policy, scope, |current| plan(current, &unwanted)).await.map(|_| Success::default())
    }
}

fn plan(current: Option<&PolicyDocument>, statements: &OwnedStatements) -> Result<Change, PutError> {
    // A key always has a policy; one without a statement stands for the impossible.
    let none = PolicyDocument::empty();
    key::plan(current.unwrap_or(&none), statements)
}

struct KeyPolicy<'a> {
    kms: Kms,
    key: &'a Arn,
}

impl Document for KeyPolicy<'_> {
    fn arn(&self) -> String {
        self.key.to_string()
    }

    async fn read(&self) -> Result<Option<String>, AwsError> {
        self.kms.key_policy(self.key.as_str()).await.map(Some)
    }

    async fn put(&self, document: &PolicyDocument) -> Result<(), AwsError> {
        self.kms.put_key_policy(self.key.as_str(), &document.to_json()).await
    }

    async fn delete(&self) -> Result<(), AwsError> {
        // The plan never asks for it: `key::plan` refuses a key policy without a statement.
        Ok(())
    }
}
