//! The judgement of Crosspipe, without any IO.
//!
//! # Layout
//! - [`field_error`]: what is wrong with one field, and what to do
//! - [`policy`]: policy documents that keep everything they do not know; grant and revoke by owned Sid
//! - [`grants`]: which statements each custom resource owns
//! - [`evaluation`]: would a request be allowed, and which statement says so
//! - [`pipeline`]: pipeline structure, and the patch that makes it cross-account
//! - [`snapshot`]: the facts that rules look at, each known, absent or unknown
//! - [`providers`]: everything that is known of each action provider
//! - [`incident`]: what failed: event, action execution, error signature, provider evidence
//! - [`rules`]: one file per rule
//! - [`setup`]: the parameters of the templates for a pipeline as it is
//! - [`diagnosis`]: a failed action and a snapshot make a report
//! - [`alerts`]: what each destination is sent
//! - [`remediation`]: what the custom resources can remediate, and how the functions ask for it
//! - [`watch`]: what changed, and which findings are new or resolved
//!
//! Nothing here knows a clock, an environment, a network or an AWS SDK, so everything here can be
//! tested with values alone.

pub mod alerts;
pub mod arn;
pub mod diagnosis;
pub mod evaluation;
pub mod field_error;
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
