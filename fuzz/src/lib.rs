//! Every parser of the core on inputs of any kind.
//!
//! # Layout
//! - [`targets`]: what is done with an input, and what has to hold for each
//! - [`mutate`]: inputs from seeds: changed bytes, and changed JSON that gets past the JSON parser
//! - [`mod@smoke`]: a bounded, reproducible run on a stable toolchain
//! - `seeds/<target>/`: inputs to begin with
//! - `libfuzzer/`: the same targets for `cargo fuzz`, which needs a nightly toolchain; its own workspace
//!
//! A failed run says which input failed and how to run it alone.

pub mod mutate;
pub mod smoke;
pub mod targets;

pub use smoke::smoke;
