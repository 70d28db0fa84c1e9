//! The real functions in the real templates, on local AWS under IAM enforcement.

mod alerts;
mod bad_input;
mod concurrency;
mod faults;
mod life_cycle;
mod permissions;
mod protocol;
mod scene;
mod whole;
