//! Which statements each custom resource owns, and what must hold before they are written.
//!
//! # Layout
//! - [`allowed`]: whom an installation may let in
//! - [`grantees`]: whom a grant is for
//! - [`key`]: the artifact key's policy
//! - [`bucket`]: the artifact bucket's policy
//! - [`put_checks`]: what must hold before a policy is put
//! - [`service_role`]: the pipeline service role's inline policy

pub mod allowed;
pub mod bucket;
pub mod grantees;
pub mod key;
pub mod put_checks;
pub mod service_role;

pub use allowed::Allowed;
pub use grantees::Grantees;
pub use put_checks::{PutError, Quota};
