//! Local AWS for tests and the demo: real service behaviour on 127.0.0.1, without Docker or an AWS account.
//!
//! # Layout
//!
//! - [`LocalAws`]: the server; starts with the first use, ends with the process.
//! - [`Account`]: one account in one Region; AWS calls as JSON, assumed roles, stacks.
//! - [`Venv`]: the Python environment that the server runs on, installed once under the target directory.
//! - [`Subscriber`]: an HTTP endpoint for SNS notifications.
//! - [`functions`]: the Lambda functions of this workspace, built and laid out for deployment.
//! - [`loopback`], [`http`]: HTTP to and on 127.0.0.1.
//! - [`function_process`]: a function in a process of its own, which can be killed.
//! - [`fault_proxy`]: AWS with faults.
//! - [`answers`]: where custom resources send their answers.
//! - [`workbench`]: the access provider outside of a stack.
//! - [`concurrency`]: many writers and an outside one on the same targets, some of them killed.
//! - [`faults`]: every call of every custom resource and of the reporter, with every fault.
//! - [`world`]: two accounts as they are before Crosspipe comes, made of [`fixtures`].
//!
//! What the server emulates and what it doesn't is in `local-aws/README.md`.

pub mod answers;
pub mod concurrency;
pub mod fault_proxy;
pub mod faults;
pub mod fixtures;
pub mod function_process;
pub mod functions;
pub mod http;
mod local_aws;
pub mod loopback;
pub mod workbench;
pub mod world;

pub use local_aws::{Account, CallError, LocalAws, StackError, StackEvent, StackFailure, Subscriber, Venv};

use std::fmt;
use std::path::PathBuf;

/// Why local AWS can't be set up, with what to do about it.
#[derive(Debug)]
pub struct SetupError(String);

impl SetupError {
    /// An error with this text.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// For `map_err`: the error behind what was being done.
    pub fn while_doing<E: fmt::Display>(what: impl fmt::Display) -> impl FnOnce(E) -> Self {
        move |error| Self(format!("{what}: {error}"))
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SetupError {}

/// The target directory that the running executable was built into.
///
/// # Errors
///
/// When the executable is not in a target directory of cargo's.
pub fn target_dir() -> Result<PathBuf, SetupError> {
    let executable =
        std::env::current_exe().map_err(SetupError::while_doing("finding the running executable"))?;
    executable.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file()).map(PathBuf::from).ok_or_else(
        || SetupError::new(format!("`{}` is not in a cargo target directory", executable.display())),
    )
}
