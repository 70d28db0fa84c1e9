//! A tools account and a target account as they are before Crosspipe comes.
//!
//! # Layout
//!
//! - [`World`]: everything of `fixtures/`, made in two fresh accounts; the templates' parameters for it.
//! - [`Live`]: policies, roles and pipeline as AWS answers them now; compared by meaning.
//! - `deploy`: the three templates, put into the accounts and taken out again.

mod build;
mod deploy;
mod live;

pub use build::BUILD_PROJECTS;
pub use deploy::{PIPELINE_STACK, Parameters, STACK};
pub use live::{Comparison, Live, RoleState};

use crate::Account;

/// Two accounts: `tools` with a pipeline that stays in its own account, `target` where it shall deploy.
#[derive(Clone, Debug)]
pub struct World<'aws> {
    /// The pipeline's account.
    pub tools: Account<'aws>,
    /// The account to deploy into.
    pub target: Account<'aws>,
    /// Name of the pipeline.
    pub pipeline: String,
    /// The artifact bucket.
    pub bucket: String,
    /// ARN of the artifact key. The pipeline does not use it yet.
    pub key_arn: String,
    /// ARN of the pipeline's service role, which has a path.
    pub service_role_arn: String,
    /// Its name.
    pub service_role: String,
    /// ARN of the service role of the pipeline's build projects.
    pub build_role_arn: String,
    /// Name of the role of the target account's instances.
    pub instance_role: String,
    /// Object key of an artifact in the bucket, encrypted under the artifact key.
    pub artifact: String,
}

impl World<'_> {
    /// ARN of the pipeline.
    #[must_use]
    pub fn pipeline_arn(&self) -> String {
        format!("arn:aws:codepipeline:{}:{}:{}", self.tools.region(), self.tools.id(), self.pipeline)
    }

    /// ARN of the role that `target-account.yaml` makes for the pipeline's actions.
    #[must_use]
    pub fn target_role_arn(&self) -> String {
        format!("arn:aws:iam::{}:role/CrosspipeTargetRole", self.target.id())
    }

    /// ARN of the instance role.
    #[must_use]
    pub fn instance_role_arn(&self) -> String {
        format!("arn:aws:iam::{}:role/{}", self.target.id(), self.instance_role)
    }
}
