//! The four custom resources: their properties, what they read, and what they plan.
//!
//! The access provider writes what is planned here, the command shows it.
//!
//! # Layout
//! - [`context`]: where and on whose behalf a resource works
//! - [`key_grant`], [`bucket_grant`], [`service_role_grant`], [`pipeline_patch`]: one custom resource each
//! - [`document`]: the policy documents among their targets
//! - [`preview`]: what a resource would change, without changing it
//! - `grantee_properties`, `patch_properties`: properties that take more than a line to read
//! - [`failures`]: errors become answers: what failed, and what to do next

pub mod bucket_grant;
pub mod context;
pub mod document;
pub mod failures;
mod grantee_properties;
pub mod key_grant;
mod patch_properties;
pub mod pipeline_patch;
pub mod preview;
pub mod service_role_grant;

use crosspipe_custom_resource::Failure;
use serde_json::{Map, Value};

pub use bucket_grant::BucketGrant;
pub use context::ResourceContext;
pub use document::Document;
pub use key_grant::KeyGrant;
pub use pipeline_patch::PipelinePatch;
pub use service_role_grant::ServiceRoleGrant;

/// A custom resource: something that is wanted at a target which exists already.
pub trait Resource: Sized {
    /// The type without `Custom::`, which is also its name in physical ids.
    const NAME: &'static str;
    /// What Delete needs to know: at least where to look.
    type Target;

    /// Reads just the target, so that Delete works even if other properties can't be read any more.
    ///
    /// # Errors
    /// When the target can't be read.
    fn target(properties: &Map<String, Value>, place: &ResourceContext) -> Result<Self::Target, Failure>;

    /// How the target is named in the physical id.
    fn target_name(target: &Self::Target) -> &str;

    /// The ARN of a target by its name; a role's without its path, which nobody knows here. Writers take turns on it.
    fn target_arn(name: &str, place: &ResourceContext) -> String;

    /// Reads and checks all properties.
    ///
    /// # Errors
    /// Names the property, its fault and the next step.
    fn parse(properties: &Map<String, Value>, place: &ResourceContext) -> Result<Self, Failure>;
}
