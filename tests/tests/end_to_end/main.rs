//! The real functions in the real templates, on local AWS under IAM enforcement.

mod bad_input;
mod life_cycle;
mod scene;
mod whole;
