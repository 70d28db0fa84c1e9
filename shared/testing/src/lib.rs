//! Builders and generators for tests. A dev-dependency only: nothing that ships sees it.

pub mod policies;
pub mod walkthrough;
