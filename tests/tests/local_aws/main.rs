//! Local AWS, proved by using it: what the other end-to-end tests rest on.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod cloudformation;
mod events;
mod executions;
mod isolation;
mod models;
mod pipelines;
mod policies;
mod stack_sets;
mod support;
