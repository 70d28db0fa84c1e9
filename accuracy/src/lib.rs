//! How often the diagnosis names the cause of labelled failures.
//!
//! Each file under `cases` is one failure as it reaches the failure reporter, and its true cause as a person
//! judged it: a healthy world with a change, the event, the execution's details, the label. `cargo accuracy`
//! runs them all and prints what was right, what was wrong and what was said too surely.
//!
//! # Layout
//! - [`case`]: the form of a case
//! - [`names`]: the ARNs and accounts that cases call by name
//! - [`world`]: the healthy world of a provider, and changes to it
//! - [`judge`]: what the diagnosis makes of a case
//! - [`report`]: the figures over all cases
//! - [`public`]: public reports, a set of its own in the form of the command's input

pub mod case;
pub mod judge;
pub mod names;
pub mod public;
pub mod report;
pub mod world;
