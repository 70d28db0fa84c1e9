//! Builders and generators for tests. A dev-dependency only: nothing that ships sees it.

/// Questions on access that an independent evaluator answered, one JSON object a line: see `differential/README.md`.
pub const EVALUATIONS: &str = include_str!("../data/evaluation.jsonl");

pub mod authorization;
pub mod policies;
pub mod walkthrough;
