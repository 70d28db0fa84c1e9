//! `cargo demo`: a pipeline becomes cross-account, a deployment fails, the alert says why; the same fault again is
//! remediated before the next run; then everything is taken back.
//!
//! # Layout
//!
//! - [`story`]: the steps, in order.
//! - [`failure`]: the step that breaks the bucket policy, and the alert.
//! - [`watch`]: the same again, detected and remediated before the next run.
//! - [`access`]: what is tried in the target account, and what AWS says to it.
//! - [`progress`]: a stack's resources while they are made.
//! - [`diff`]: before and after.
//! - [`screen`]: what is printed, and the checks that decide on the exit code.

mod access;
mod diff;
mod failure;
mod progress;
mod screen;
mod story;
mod watch;

use std::process::ExitCode;

use screen::Screen;

fn main() -> ExitCode {
    let mut screen = Screen::new();
    if let Err(error) = story::tell(&mut screen) {
        screen.check(false, &format!("the demo got to its end: {error}"));
    }
    if screen.summary() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
