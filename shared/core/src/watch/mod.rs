//! Faults before a run meets them: what set off a look, which pipelines it concerns, and what is news.
//!
//! # Layout
//! - [`occasion`]: an API call that CloudTrail recorded, or a schedule
//! - [`resource`]: what was changed, and which pipelines depend on it
//! - [`fault`]: what makes a fault the same one in the next look
//! - [`memory`]: what each receiver has been told
//! - [`news`]: the faults of now against those that are known
//! - [`notice`]: the news as an event

pub mod fault;
pub mod memory;
pub mod news;
pub mod notice;
pub mod occasion;
pub mod resource;

pub use fault::Fault;
pub use memory::Memory;
pub use news::{News, compare};
pub use notice::{Notice, NoticeKind};
pub use occasion::{NoOccasion, Occasion, Trigger};
pub use resource::Resource;

#[cfg(test)]
mod tests;
