//! The Python environment: made once, shared by every process that tests.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{SetupError, target_dir};

const NEEDED: &str =
    "python3 3.10 or newer with venv is needed: install python3 and, on Debian and Ubuntu, python3-venv";
const PROBE: &str = "import sys, venv, ensurepip; print(sys.executable, *sys.version_info[:3]); sys.exit(sys.version_info < (3, 10))";

/// A virtual environment with exactly what a file of requirements pins.
#[derive(Clone, Debug)]
pub struct Venv {
    root: PathBuf,
}

impl Venv {
    /// The environment of local AWS.
    ///
    /// # Errors
    ///
    /// As [`Self::with`].
    pub fn ensure() -> Result<Self, SetupError> {
        Self::with(&source_dir().join("requirements.txt"))
    }

    /// The environment with these requirements under the target directory, installed by the first process that asks.
    ///
    /// # Errors
    ///
    /// When there is no usable python3, or the packages can't be installed: with what was printed.
    pub fn with(requirements: &Path) -> Result<Self, SetupError> {
        let pinned = fs::read_to_string(requirements)
            .map_err(SetupError::while_doing(format!("reading `{}`", requirements.display())))?;
        let folder = target_dir()?.join("local-aws");
        fs::create_dir_all(&folder)
            .map_err(SetupError::while_doing(format!("creating `{}`", folder.display())))?;
        let python = find_python("python3".as_ref())?;
        let venv = Self { root: folder.join(format!("venv-{:016x}", fingerprint(&python, &pinned))) };

        // Test processes start at once; the first installs, the others wait.
        let lock = File::create(folder.join("venv.lock"))
            .map_err(SetupError::while_doing("creating `venv.lock`"))?;
        lock.lock().map_err(SetupError::while_doing("locking `venv.lock`"))?;
        if !venv.marker().is_file() {
            venv.install(requirements)?;
        }
        Ok(venv)
    }

    /// The interpreter.
    #[must_use]
    pub fn python(&self) -> PathBuf {
        self.root.join("bin/python")
    }

    /// The folder of its commands, `aws` among them.
    #[must_use]
    pub fn commands(&self) -> PathBuf {
        self.root.join("bin")
    }

    /// The `cfn-lint` command.
    #[must_use]
    pub fn cfn_lint(&self) -> PathBuf {
        self.root.join("bin/cfn-lint")
    }

    /// Written last: an installation that was cut short is done again.
    fn marker(&self) -> PathBuf {
        self.root.join("installed")
    }

    fn install(&self, requirements: &Path) -> Result<(), SetupError> {
        if self.root.exists() {
            fs::remove_dir_all(&self.root)
                .map_err(SetupError::while_doing(format!("removing `{}`", self.root.display())))?;
        }
        run("python3", ["-m".as_ref(), "venv".as_ref(), self.root.as_os_str()], NEEDED)?;
        let install = "-m pip install --quiet --disable-pip-version-check --no-input --require-hashes \
                       --only-binary :all: --no-deps --requirement";
        let arguments = install.split_whitespace().map(OsStr::new).chain([requirements.as_os_str()]);
        run(
            self.python(),
            arguments,
            "installing the Python packages failed: is the package index reachable?",
        )?;
        fs::write(self.marker(), "").map_err(SetupError::while_doing("marking the environment as installed"))
    }
}

/// The folder with the Python side of local AWS.
pub(super) fn source_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("local-aws")
}

/// Path and version of the interpreter, if it will do.
fn find_python(program: &OsStr) -> Result<String, SetupError> {
    let output = Command::new(program)
        .args(["-c", PROBE])
        .output()
        .map_err(|error| SetupError::new(format!("{NEEDED} (running `{}`: {error})", program.display())))?;
    let found = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() {
        return Ok(found);
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let cause =
        if found.is_empty() { complaint.trim().lines().last().unwrap_or("").to_owned() } else { found };
    Err(SetupError::new(format!("{NEEDED} (found: {cause})")))
}

fn fingerprint(python: &str, requirements: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (python, requirements).hash(&mut hasher);
    hasher.finish()
}

fn run<'a>(
    program: impl AsRef<OsStr>,
    arguments: impl IntoIterator<Item = &'a OsStr>,
    on_failure: &str,
) -> Result<(), SetupError> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| SetupError::new(format!("{on_failure} ({error})")))?;
    if output.status.success() {
        return Ok(());
    }
    let printed = [output.stdout, output.stderr].concat();
    Err(SetupError::new(format!("{on_failure}\n{}", String::from_utf8_lossy(&printed).trim())))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// An interpreter that prints and then fails.
    fn fake(name: &str, script: &str) -> PathBuf {
        let path = target_dir().unwrap().join(format!("fake-python-{name}"));
        fs::write(&path, format!("#!/bin/sh\n{script}\nexit 1\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn unusable_pythons_are_named() {
        let missing = find_python("/no/such/python3".as_ref()).unwrap_err().to_string();
        assert!(missing.starts_with(NEEDED) && missing.contains("/no/such/python3"), "{missing}");
        let old =
            find_python(fake("old", "echo /usr/bin/python3 3 8 10").as_os_str()).unwrap_err().to_string();
        assert!(old.ends_with("(found: /usr/bin/python3 3 8 10)"), "{old}");
        let script = "echo \"ModuleNotFoundError: No module named 'ensurepip'\" >&2";
        let crippled = find_python(fake("crippled", script).as_os_str()).unwrap_err().to_string();
        assert!(crippled.contains("python3-venv") && crippled.contains("'ensurepip'"), "{crippled}");
    }
}
