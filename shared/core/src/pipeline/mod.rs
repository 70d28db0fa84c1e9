//! CodePipeline pipelines: reading a pipeline's structure and patching it.
//!
//! # Layout
//! - [`Pipeline`]: typed views over the pipeline's JSON, which stays whole and in order.
//! - [`patch`]: artifact keys, added actions and action roles: plan, apply, revert.

mod check;
pub mod patch;
mod structure;
mod views;

pub use structure::Pipeline;
pub use views::{Action, Stage, Store};
