//! The custom resources: their properties, what they read, plan and write.
//!
//! The access provider runs their lives, the command shows what they would change.
//!
//! # Layout
//! - [`resource`]: the one life of every resource: read, plan, write; previews; the dispatch on the type
//! - [`key_grant`], [`bucket_grant`], [`service_role_grant`], [`build_project_key`], [`pipeline_patch`]: one custom
//!   resource each
//! - [`context`]: where and on whose behalf a resource works
//! - `policy_documents`: what the grants share
//! - `builds`: what the builds of a pipeline lack once its artifacts are under the customer managed key
//! - [`reference`](mod@reference): what is said of each to those who write a template
//! - `properties`: a strict reader over `ResourceProperties`; `nearest`: "did you mean"
//! - `grantee_properties`, `patch_properties`: properties that take more than a line to read
//! - [`failures`]: errors become answers: what failed, and what to do next

pub mod bucket_grant;
pub mod build_project_key;
mod builds;
pub mod context;
pub mod failures;
mod grantee_properties;
pub mod key_grant;
mod nearest;
mod patch_properties;
pub mod pipeline_patch;
mod policy_documents;
mod properties;
pub mod reference;
pub mod resource;
pub mod service_role_grant;

pub use bucket_grant::BucketGrant;
pub use build_project_key::BuildProjectKey;
pub use context::ResourceContext;
pub use key_grant::KeyGrant;
pub use pipeline_patch::{PipelinePatch, is_assume_role_refusal};
pub use reference::reference;
pub use resource::{Memories, Operation, Plan, Preview, Resource, ResourceError, dispatch, preview};
pub use service_role_grant::ServiceRoleGrant;
