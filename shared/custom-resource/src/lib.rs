//! The [CloudFormation custom-resource protocol][docs]: every request that can be answered is
//! answered, exactly once, in time and within the size CloudFormation accepts.
//!
//! A [`Handler`] does the work of one resource and returns a [`Success`] or a [`Failure`];
//! [`serve`] reads the request, runs the handler, and delivers the answer through a [`Responder`].
//! Nothing is kept between two requests.
//!
//! What holds on every path:
//! - A request with a usable `ResponseURL` gets an answer: also when fields are missing, the type is
//!   unknown, the handler fails, panics or is still running near the deadline.
//! - The ids in an answer are those of its own request, verbatim.
//! - An answer counts as delivered only on a 2xx status; it is sent again, byte for byte the same,
//!   until then or until the deadline.
//! - The body is at most 4,096 bytes; the next step survives and the cause is cut.
//! - Neither logs nor errors hold the `ResponseURL` (a presigned URL) or the value of a property.
//!
//! # Layout
//! - `serve`: one request from event to delivered answer
//! - `envelope`: the part of an event that is needed to answer at all
//! - `request`: what a handler sees
//! - `outcome`: what a handler returns
//! - `physical_id`: ids for what was not, or not surely, made
//! - `response`: the body, fitted
//! - `deliver`: PUT and retries; `retry`: its pace
//! - `deadline`: when the function ends
//!
//! [docs]: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html

mod deadline;
mod deliver;
mod envelope;
mod outcome;
mod physical_id;
mod request;
mod response;
mod retry;
mod serve;

pub use deadline::Deadline;
pub use deliver::{Delivered, Responder, ServeError};
pub use outcome::{Failure, Success};
pub use physical_id::is_placeholder_id;
pub use request::{Request, RequestType};
pub use response::{MAX_BODY_BYTES, MAX_PHYSICAL_ID_BYTES, Status};
pub use retry::RetryPolicy;
pub use serve::{Handler, serve};
