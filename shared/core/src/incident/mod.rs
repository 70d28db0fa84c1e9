//! What failed: read from events, from execution details, and from what AWS says of them.
//!
//! # Layout
//! - [`event`]: an incoming event, and what there is to do about it
//! - [`failure`]: the failed action execution
//! - [`message`]: what an error message says: who was denied what, by which side
//! - [`evidence`]: what the action's provider says of the failure
//! - [`failed_action`]: every message there is on one failure, read once
//! - [`actor`]: who was denied: which of the roles that have a part in the action
//! - [`conditions`]: the conditions of a stage, and which of their rules failed
//!
//! Nothing here judges: [`rules`](crate::rules) hold the policies against it.

pub mod actor;
pub mod conditions;
pub mod event;
pub mod evidence;
pub mod failed_action;
pub mod failure;
pub mod message;

pub use actor::{Actor, ActorKind, Surroundings};
pub use failed_action::Incident;
pub use failure::{EventError, Failure};
