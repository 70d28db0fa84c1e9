//! The AWS calls Crosspipe makes: one thin file per service.
//!
//! # Layout
//! - [`connect`]: where Region, credentials, endpoint, timeouts and retries come from; [`Aws`] hands out clients
//! - [`error`]: one error type, classified by AWS's error *code*, never by its text
//! - `raw_json`: JSON bodies as they are on the wire, for calls whose unknown fields must survive
//! - [`cloudformation`], [`codebuild`], [`codedeploy`], [`codepipeline`], [`ecs`], [`eventbridge`], [`iam`],
//!   [`kms`], [`lambda`], [`s3`], [`secrets`], [`sns`], [`sqs`], [`stepfunctions`]: the adapters
//! - [`backoff()`]: the pauses between attempts
//! - `invoke`: functions that are asked something and answer
//! - [`gather`]: a snapshot of what a pipeline's cross-account actions depend on, in both accounts
//! - [`lease`], [`idempotency`]: one writer at a time per target, and work done once, in one DynamoDB table
//!
//! No type of the AWS SDK appears in a public signature: policies are text or [`serde_json::Value`], the
//! rest are strings, small structs and the core's facts. The adapters decide nothing; what to write is
//! planned in the core.

mod backoff;
pub mod cloudformation;
pub mod codebuild;
pub mod codedeploy;
pub mod codepipeline;
pub mod connect;
pub mod ecs;
pub mod error;
pub mod eventbridge;
pub mod gather;
pub mod iam;
pub mod idempotency;
mod invoke;
pub mod kms;
pub mod lambda;
pub mod lease;
mod raw_json;
pub mod s3;
pub mod secrets;
pub mod sns;
pub mod sqs;
pub mod stepfunctions;

pub use backoff::backoff;
pub use connect::Aws;
pub use error::{AwsError, ErrorKind};
