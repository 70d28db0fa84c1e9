//! The judgement of Crosspipe, without any IO.
//!
//! # Layout
//! - [`policy`]: policy documents that keep everything they do not know; grant and revoke by owned Sid
//! - [`grants`]: which statements each custom resource owns
//! - [`evaluation`]: would a request be allowed, and which statement says so
//! - [`pipeline`]: pipeline structure, and the patch that makes it cross-account
//! - [`snapshot`]: the facts that rules look at, each known, absent or unknown
//! - [`incident`]: what failed: event, action execution, error signature, provider evidence
//! - [`rules`]: one file per rule
//! - [`setup`]: the parameters of the templates for a pipeline as it is
//! - [`diagnosis`]: a failed action and a snapshot make a report
//! - [`alerts`]: what people are told, as each receiver reads it
//! - [`remediation`]: what the custom resources can mend, and how the functions speak of it
//! - [`watch`]: what changed, and which faults are news
//!
//! Nothing here knows a clock, an environment, a network or an AWS SDK, so everything here can be
//! tested with values alone.

pub mod alerts;
pub mod arn;
pub mod diagnosis;
pub mod evaluation;
pub mod grants;
pub mod incident;
pub mod owned_setting;
pub mod owner;
pub mod pipeline;
pub mod policy;
pub mod providers;
pub mod remediation;
pub mod rules;
pub mod setup;
pub mod snapshot;
pub mod watch;
