//! The Lambda functions of this workspace, built as the running test was and laid out for deployment.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::{SetupError, target_dir};

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Folders that hold a `bootstrap` each.
#[derive(Clone, Debug)]
pub struct Functions {
    /// The custom resources.
    pub access_provider: PathBuf,
    /// The diagnosis of failed actions.
    pub failure_reporter: PathBuf,
}

/// Builds the functions, once in this process, into `<target>/lambda/<name>/bootstrap`.
///
/// Same target directory and profile as the running executable: what is built already is used.
///
/// # Errors
///
/// When the build fails: with what cargo printed.
pub fn build() -> Result<Functions, SetupError> {
    static BUILT: Mutex<Option<Functions>> = Mutex::new(None);
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(functions) = &*built {
        return Ok(functions.clone());
    }
    let (target, binaries) = (target_dir()?, profile_dir()?);
    let _lock = locked(&target)?;
    compile(&target, &binaries)?;
    let functions = Functions {
        access_provider: lay_out(&target, &binaries, "access-provider")?,
        failure_reporter: lay_out(&target, &binaries, "failure-reporter")?,
    };
    *built = Some(functions.clone());
    Ok(functions)
}

/// The folder of a binary of this workspace, laid out like the functions: for tests with a function of their own.
///
/// # Errors
///
/// When the binary can't be copied.
pub fn lay_out_binary(binary: &Path) -> Result<PathBuf, SetupError> {
    let name = binary.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let target = target_dir()?;
    let _lock = locked(&target)?;
    lay_out(&target, binary.parent().unwrap_or(Path::new("")), &name)
}

/// The folder of this package's `probe_function`, built and laid out like the functions.
///
/// # Errors
///
/// When the build fails, or the binary can't be copied.
pub fn build_probe() -> Result<PathBuf, SetupError> {
    build()?;
    lay_out_binary(&profile_dir()?.join("probe_function"))
}

/// Held while functions are laid out: tests, in one process or several, get here at once.
fn locked(target: &Path) -> Result<File, SetupError> {
    let lock = File::create(target.join("lambda.lock"))
        .map_err(SetupError::while_doing("creating `lambda.lock`"))?;
    lock.lock().map_err(SetupError::while_doing("locking `lambda.lock`"))?;
    Ok(lock)
}

/// The folder with the binaries of the running executable's profile.
fn profile_dir() -> Result<PathBuf, SetupError> {
    let executable =
        std::env::current_exe().map_err(SetupError::while_doing("finding the running executable"))?;
    let folder = executable.parent().unwrap_or(Path::new(""));
    let folder = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
    Ok(folder.to_owned())
}

fn compile(target: &Path, binaries: &Path) -> Result<(), SetupError> {
    let mut cargo = Command::new(env!("CARGO"));
    // All members' binaries, as cargo builds them for the tests: one set of features, nothing built twice.
    cargo.args(["build", "--quiet", "--workspace", "--target-dir"]).arg(target).current_dir(WORKSPACE);
    match binaries.file_name().and_then(|name| name.to_str()) {
        None | Some("debug") => {
            cargo.arg("--bins");
        }
        // Optimized as a whole, each binary takes minutes: those that are functions will do.
        Some(profile) => {
            cargo.args(["--profile", profile]);
            cargo.args(
                ["access-provider", "failure-reporter", "probe_function"].map(|name| format!("--bin={name}")),
            );
        }
    }
    if let Some(triple) = binaries.parent().filter(|folder| *folder != target).and_then(Path::file_name) {
        cargo.arg("--target").arg(triple);
    }
    let output = cargo.output().map_err(SetupError::while_doing("running cargo"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(SetupError::new(format!(
        "building the functions failed\n{}",
        String::from_utf8_lossy(&output.stderr).trim()
    )))
}

/// Copies the binary without its symbols, which the functions don't need and zips take long over.
fn lay_out(target: &Path, binaries: &Path, name: &str) -> Result<PathBuf, SetupError> {
    let doing = || SetupError::while_doing(format!("laying out the function `{name}`"));
    let (source, folder) = (binaries.join(name), target.join("lambda").join(name));
    let (bootstrap, stamp) = (folder.join("bootstrap"), folder.join("stamp"));
    let wanted = fingerprint(&fs::metadata(&source).map_err(doing())?);
    if bootstrap.is_file() && fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(folder);
    }
    fs::create_dir_all(&folder).map_err(doing())?;
    let fresh = folder.join("bootstrap.new");
    fs::copy(&source, &fresh).map_err(doing())?;
    // Whether `strip` is there or not, the function runs.
    let _ = Command::new("strip").args([OsString::from("-s"), fresh.clone().into_os_string()]).output();
    fs::rename(&fresh, &bootstrap).map_err(doing())?;
    fs::write(&stamp, wanted).map_err(doing())?;
    Ok(folder)
}

fn fingerprint(metadata: &Metadata) -> String {
    format!("{} {:?}", metadata.len(), metadata.modified().ok())
}
