//! Patching a pipeline as platform teams have them: what changes, what stays, what comes back.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where its own set-up is wrong"
)]

mod changes;
mod live;
mod others;
