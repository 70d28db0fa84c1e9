//! The real functions in the real templates, on local AWS under IAM enforcement.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that can't go on fails"
)]

mod alerts;
mod allow_list;
mod bad_input;
mod build_projects;
mod calls;
mod command;
mod concurrency;
mod evidence;
mod fault_matrix;
mod faults;
mod forged_events;
mod life_cycle;
mod many_pipelines;
mod operations;
mod organization;
mod permissions;
mod protocol;
mod receivers;
mod recipients;
mod regions;
mod remediation;
mod reporter_permissions;
mod rollout;
mod scene;
mod shared_installation;
mod sources;
mod stale_write;
mod ten_faults;
mod watch;
mod whole;
