//! Where and on whose behalf a custom resource works.

use crosspipe_core::arn::Arn;
use crosspipe_core::grants::Allowed;
use crosspipe_core::owner::Owner;

/// Account and Region of key, bucket, role and pipeline, the custom resource that asks, and whom it may let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceContext {
    /// The 12-digit account.
    pub account: String,
    /// The Region of the pipeline.
    pub region: String,
    /// `aws`, `aws-cn`, …
    pub partition: String,
    /// The custom resource.
    pub owner: Owner,
    /// Whom it may let in.
    pub allowed: Allowed,
}

impl ResourceContext {
    /// The account and Region of something that is there, such as the function that serves the resource.
    pub fn of(arn: &Arn, owner: Owner, allowed: Allowed) -> Self {
        ResourceContext {
            account: arn.account().to_owned(),
            region: arn.region().to_owned(),
            partition: arn.partition().to_owned(),
            owner,
            allowed,
        }
    }
}
