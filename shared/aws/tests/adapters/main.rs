//! Every adapter over replayed HTTP: what is sent, what is kept of the answer, how refusals are classified.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that can't go on fails"
)]

mod alerts;
mod codepipeline;
mod connect;
mod gather;
mod iam;
mod invoke;
mod kms;
mod lease;
mod providers;
mod replay;
mod s3;
