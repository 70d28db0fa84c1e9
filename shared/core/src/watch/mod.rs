//! Faults before a run meets them: what set off a look, which pipelines it concerns, and what is news.
//!
//! # Layout
//! - [`watch_event`]: an API call that CloudTrail recorded, or a schedule
//! - [`resource`]: what was changed, and which pipelines depend on it
//! - [`finding_key`]: what makes a fault the same one in the next look
//! - [`notified_findings`]: what each receiver has been told
//! - [`findings_diff`]: the faults of now against those that are known
//! - [`notice`]: the news as an event

pub mod finding_key;
pub mod findings_diff;
pub mod notice;
pub mod notified_findings;
pub mod resource;
pub mod watch_event;

pub use finding_key::FindingKey;
pub use findings_diff::{FindingsDiff, compare};
pub use notice::{Notice, NoticeKind};
pub use notified_findings::NotifiedFindings;
pub use resource::Resource;
pub use watch_event::{Trigger, WatchEvent, WatchEventError};

#[cfg(test)]
mod tests;
