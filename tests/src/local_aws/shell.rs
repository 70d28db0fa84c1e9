//! A shell with the AWS CLI, signed in to an account, as AWS CloudShell is.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Account, Venv};
use crate::{SetupError, target_dir};

const NEEDED: &str = "bash is needed to run what is to be pasted into AWS CloudShell";

impl Account<'_> {
    /// Runs a script with bash, the AWS CLI and `python3`, as the account's root. CloudShell's Region is another one
    /// than the account's, so a command that needs it has to name it. Answers what was printed.
    ///
    /// # Errors
    ///
    /// When bash is missing, or the script fails: with what was printed.
    pub fn paste(&self, script: &str) -> Result<String, SetupError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let (venv, number) = (Venv::ensure()?, NEXT.fetch_add(1, Ordering::Relaxed));
        let scratch = target_dir()?.join(format!("local-aws/shell-{}-{number}", std::process::id()));
        let making = format!("creating `{}`", scratch.display());
        fs::create_dir_all(&scratch).map_err(SetupError::while_doing(making))?;
        let output = Command::new("bash")
            .args(["-c", script])
            .env_clear()
            .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", venv.commands().display()))
            .env("HOME", &scratch)
            .env("TMPDIR", &scratch)
            .env("AWS_ENDPOINT_URL", self.aws().endpoint())
            .env("AWS_ACCESS_KEY_ID", self.id())
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .stdin(Stdio::null())
            .output()
            .map_err(SetupError::while_doing(NEEDED))?;
        let _ = fs::remove_dir_all(&scratch);
        let printed = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).trim().to_owned();
        if output.status.success() {
            Ok(printed)
        } else {
            Err(SetupError::new(format!("{}: {printed}\n{script}", output.status)))
        }
    }
}
