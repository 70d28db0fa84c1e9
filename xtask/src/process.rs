//! Runs other programs, without a shell.

use std::env;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Failure;

/// The cargo that runs us, in the repository.
///
/// What `cargo run` tells us about our own package is taken away: build scripts that ask to be rerun
/// when it changes would run again, and half of the tree with them, each time that the gate takes
/// turns with a plain `cargo test`.
pub(crate) fn cargo<S: AsRef<OsStr>>(root: &Path, arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root).stdin(Stdio::null());
    let ours = |name: &str| {
        name.starts_with("CARGO_PKG_")
            || name.starts_with("CARGO_MANIFEST_")
            || name == "CARGO_PRIMARY_PACKAGE"
    };
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(ours) {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command whose output is the user's to see.
pub(crate) fn run(mut command: Command) -> Result<(), Failure> {
    let shown = shown(&command);
    let status = command.status().map_err(|error| not_started(&command, &error))?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("`{shown}` failed"), shown)) }
}

/// What a command that had only so much time came to.
pub(crate) struct Ended {
    /// Its status; None where it was stopped because its time was over.
    pub status: Option<ExitStatus>,
    /// What it wrote to standard error.
    pub errors: String,
}

/// Runs a command, shows nothing of it, and stops it when its time is over.
///
/// Its errors go through a file at `log`: a pipe would be held open by what the command itself started.
pub(crate) fn run_for(mut command: Command, time: Duration, log: &Path) -> Result<Ended, Failure> {
    let unwritable = |error| Failure::new(format!("{}: {error}", log.display()), "cargo clean");
    let file = std::fs::File::create(log).map_err(unwritable)?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
    let mut child = command.spawn().map_err(|error| not_started(&command, &error))?;
    let status = wait(&mut child, time).map_err(|error| not_started(&command, &error))?;
    let errors = std::fs::read(log).map_err(unwritable)?;
    Ok(Ended { status, errors: String::from_utf8_lossy(&errors).into_owned() })
}

fn wait(child: &mut Child, time: Duration) -> std::io::Result<Option<ExitStatus>> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if started.elapsed() > time {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        sleep(Duration::from_millis(50));
    }
}

/// A command as one would type it.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let inside = command.get_current_dir().and_then(|root| program.strip_prefix(root).ok());
    let program = inside.map(Path::as_os_str).or(program.file_name()).unwrap_or_default();
    let environment = command
        .get_envs()
        .filter_map(|(name, value)| Some(format!("{}={}", name.to_string_lossy(), value?.to_string_lossy())));
    let words =
        std::iter::once(program).chain(command.get_args()).map(|word| word.to_string_lossy().into_owned());
    environment.chain(words).collect::<Vec<_>>().join(" ")
}

fn not_started(command: &Command, error: &std::io::Error) -> Failure {
    Failure::new(format!("`{}` can't be run: {error}", shown(command)), shown(command))
}
