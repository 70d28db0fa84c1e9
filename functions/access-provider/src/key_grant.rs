//! Writes `Custom::ArtifactKeyGrant`.

use crosspipe_core::arn::Arn;
use crosspipe_core::grants::Quota;
use crosspipe_core::grants::key;
use crosspipe_custom_resource::Success;
use crosspipe_resources::document::KeyPolicy;
use crosspipe_resources::failures;
use crosspipe_resources::key_grant::{KeyGrant, plan};

use crate::lifecycle::{Applied, ApplyError, Write};
use crate::merge::{self, merge};
use crate::scope::Scope;

impl Write for KeyGrant {
    async fn apply(&self, _previous: Option<&Self>, scope: &Scope<'_>) -> Result<Applied, ApplyError> {
        let tags = scope.aws.kms().tags(self.key.as_str()).await.map_err(failures::aws)?;
        let policy = KeyPolicy::new(scope.aws, self.key.as_str());
        let merged = merge(&policy, scope, |current| plan(current, &self.statements)).await?;
        let (quota, notice) = (Quota::KeyPolicy, failures::owner_notice("key", &tags));
        let success = merge::success(&self.statements, quota, quota.used(&merged.document), notice);
        Ok(Applied { success, changed: merged.changed })
    }

    async fn revert(target: &Arn, scope: &Scope<'_>) -> Result<Success, ApplyError> {
        let policy = KeyPolicy::new(scope.aws, target.as_str());
        let unwanted = key::unwanted(&scope.place.owner);
        merge(&policy, scope, |current| plan(current, &unwanted)).await.map(|_| Success::default())
    }
}
