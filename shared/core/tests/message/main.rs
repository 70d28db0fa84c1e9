//! What is read out of error messages: every text of the failure catalogue, AWS's documented forms and the
//! ways in which people see them wrapped, quoted, cut and redacted.
//!
//! # Layout
//! - [`claims`]: what a message says went wrong
//! - [`denials`]: who was denied what, on what, by which side
//! - [`any_text`]: whatever is given, nothing panics, and what is written is read

#![allow(clippy::panic, reason = "a test that panics has failed")]

mod any_text;
mod claims;
mod denials;

const ROLE: &str = "arn:aws:iam::222222222222:role/CrossAccount_Role";
const SESSION: &str = "arn:aws:sts::222222222222:assumed-role/CrossAccount_Role/1700000000000";
const KEY: &str = "arn:aws:kms:us-east-2:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";
