//! Every rule against its fixtures: the corrected walkthrough with one thing changed, or to the letter.
//!
//! # Layout
//! - `check`: a change, what the rules find after it, and what they can't judge
//! - `fixtures`: one file per rule
//! - `pasted`: the script of each finding, run over an `aws` that reads and writes the snapshot
//! - `complete`: every rule has its page, its source and both kinds of fixtures
//! - `diagnosis`: how the rules that read a message rank
//! - `walkthrough`: the walkthrough as a whole

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests are tests")]

mod check;
mod complete;
mod diagnosis;
mod fixtures;
mod pasted;
mod walkthrough;
