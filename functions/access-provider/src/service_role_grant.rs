//! Writes `Custom::ServiceRoleGrant`.

use crosspipe_core::grants::Quota;
use crosspipe_core::grants::service_role;
use crosspipe_core::policy::Change;
use crosspipe_custom_resource::Success;
use crosspipe_resources::failures;
use crosspipe_resources::service_role_grant::{ServiceRoleGrant, inline_policies};

use crate::lifecycle::{Applied, ApplyError, Write};
use crate::merge;
use crate::scope::Scope;

impl Write for ServiceRoleGrant {
    async fn apply(&self, _previous: Option<&Self>, scope: &Scope<'_>) -> Result<Applied, ApplyError> {
        let name = scope.place.owner.policy_name();
        let mut policies = inline_policies(scope.aws, &self.role).await?;
        let change = service_role::plan(&policies, &name, &self.statements);
        let change = change.map_err(|error| failures::put(&error))?;
        let changed = change != Change::None;
        if let Change::Put(document) = change {
            let put = scope.aws.iam().put_role_policy(&self.role, &name, &document.to_json()).await;
            put.map_err(|error| ApplyError::by_write(error, false))?;
            policies.insert(name, document);
        }
        let quota = Quota::RoleInlinePolicies;
        let success = merge::success(&self.statements, quota, quota.used(policies.values()), None);
        Ok(Applied { success, changed })
    }

    async fn revert(target: &String, scope: &Scope<'_>) -> Result<Success, ApplyError> {
        let deleted = scope.aws.iam().delete_role_policy(target, &scope.place.owner.policy_name()).await;
        deleted.map(|()| Success::default()).map_err(|error| ApplyError::by_aws(error, false))
    }
}
