//! What failed: read from events, from execution details, and from what AWS says of them.
//!
//! # Layout
//! - [`event`]: an incoming event, and what there is to do about it
//! - [`failure`]: the failed action execution
//! - [`message`]: what an error message says: who was denied what, by which side
//! - [`evidence`]: what the action's provider says of the failure
//! - [`error_evidence`]: every message there is on one failure, and what they say
//!
//! Nothing here judges: [`rules`](crate::rules) hold the policies against it.

pub mod error_evidence;
pub mod event;
pub mod evidence;
pub mod failure;
pub mod message;

pub use failure::{EventError, Failure};
