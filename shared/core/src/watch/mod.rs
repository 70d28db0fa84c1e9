//! Findings before a run fails: what starts a check, which pipelines it concerns, and what is new.
//!
//! # Layout
//! - [`watch_event`]: an API call that CloudTrail recorded, or a schedule
//! - [`resource`]: what was changed, and which pipelines depend on it
//! - [`finding_key`]: the identity of a finding
//! - [`notified_findings`]: the findings that each destination was notified of
//! - [`findings_diff`]: the findings of a check compared with the notified ones
//! - [`notice`]: a diff as an event
//! - [`continuation`]: the rest of a check that does not fit into one invocation

pub mod continuation;
pub mod finding_key;
pub mod findings_diff;
pub mod notice;
pub mod notified_findings;
pub mod resource;
pub mod watch_event;

pub use continuation::Continuation;
pub use finding_key::FindingKey;
pub use findings_diff::{FindingsDiff, compare_findings};
pub use notice::{Notice, NoticeKind};
pub use notified_findings::NotifiedFindings;
pub use resource::Resource;
pub use watch_event::{Trigger, WatchEvent, WatchEventError};

#[cfg(test)]
mod tests;
