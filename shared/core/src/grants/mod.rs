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

/// A property whose value can't be used, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}`: {fault}")]
pub struct InvalidProperty {
    /// The property, with its path.
    pub field: String,
    /// What is wrong with it.
    pub fault: String,
    /// What to do next.
    pub next_step: String,
}

impl InvalidProperty {
    /// A fault in one field.
    pub fn new(field: &str, fault: impl Into<String>, next_step: impl Into<String>) -> Self {
        InvalidProperty { field: field.to_owned(), fault: fault.into(), next_step: next_step.into() }
    }
}
