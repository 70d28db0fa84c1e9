//! The functions: ours, and the same grant in Python with crhelper and boto3 on Lambda's own runtime client.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crosspipe_e2e::{SetupError, Venv, functions, target_dir};

const CRHELPER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/crhelper");

/// A function that can be started as Lambda starts it.
pub(crate) struct Subject {
    /// For people.
    pub name: &'static str,
    /// For files.
    pub short_name: &'static str,
    pub program: PathBuf,
    pub arguments: Vec<String>,
    pub folder: PathBuf,
    pub environment: Vec<(&'static str, String)>,
    /// Whether it serves custom resource requests.
    pub serves_requests: bool,
    /// What is uploaded, in bytes; none where most of it is Lambda's own.
    pub package: Option<u64>,
}

/// All of them, in the order of the table.
///
/// # Errors
///
/// When something can't be built or installed.
pub(crate) fn all() -> Result<Vec<Subject>, SetupError> {
    let built = functions::build()?;
    let venv = Venv::with(&Path::new(CRHELPER).join("requirements.txt"))?;
    let own = |name, short_name, folder: PathBuf, serves_requests| {
        let program = folder.join("bootstrap");
        let package = Some(zipped_bytes(&venv, &program)?);
        let (arguments, environment) = (vec![], vec![]);
        Ok(Subject { name, short_name, program, arguments, folder, environment, serves_requests, package })
    };
    Ok(vec![
        own("Crosspipe, access provider", "access-provider", built.access_provider, true)?,
        Subject {
            name: "crhelper and boto3",
            short_name: "crhelper",
            program: venv.python(),
            arguments: ["-m", "awslambdaric", "handler.handler"].map(str::to_owned).into(),
            folder: PathBuf::from(CRHELPER),
            environment: vec![("PYTHONPYCACHEPREFIX", pycache()?)],
            serves_requests: true,
            package: None,
        },
        own("Crosspipe, failure reporter", "failure-reporter", built.failure_reporter, false)?,
    ])
}

/// Where Python keeps what it compiled of the handler: a package on Lambda comes with it, or not; this is to its advantage.
fn pycache() -> Result<String, SetupError> {
    let folder = target_dir()?.join("bench-lambda-pycache");
    fs::create_dir_all(&folder).map_err(SetupError::while_doing(folder.display()))?;
    Ok(folder.display().to_string())
}

/// The size of a zip of one file.
fn zipped_bytes(venv: &Venv, file: &Path) -> Result<u64, SetupError> {
    const SCRIPT: &str = "import io, sys, zipfile\nbuffer = io.BytesIO()\n\
        with zipfile.ZipFile(buffer, 'w', zipfile.ZIP_DEFLATED, compresslevel=9) as zip: zip.write(sys.argv[1], 'bootstrap')\n\
        print(len(buffer.getvalue()))";
    let doing = || SetupError::while_doing("measuring the package");
    let output = Command::new(venv.python()).args(["-c", SCRIPT]).arg(file).output().map_err(doing())?;
    String::from_utf8_lossy(&output.stdout)
        .trim()
        .parse()
        .map_err(SetupError::while_doing("measuring the package"))
}
