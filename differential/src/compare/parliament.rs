//! `parliament`, a linter of policies: installed under `target/`, run as a process of its own.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::peer::Peer;

const REQUIREMENTS: &str = include_str!("../../parliament/requirements.txt");
const PROGRAM: &str = include_str!("../../parliament/timing.py");

/// Installs it if it is not there yet, and starts it with the policies that it shall lint, one a line.
pub(super) fn start(folder: &Path, policies: &Path) -> Result<Peer, String> {
    let environment = folder.join("parliament");
    install(&environment)?;
    let program = environment.join("timing.py");
    fs::write(&program, PROGRAM).map_err(|error| format!("{}: {error}", program.display()))?;
    let mut python = Command::new(environment.join("bin/python"));
    // It warns that it imports a package on its way out: the one that is pinned here.
    python.args(["-W", "ignore"]).arg(program).arg(policies);
    Peer::start(&mut python).map_err(|error| format!("can't start parliament: {error}"))
}

fn install(environment: &Path) -> Result<(), String> {
    // Written last: an installation that was cut short is done again.
    let (requirements, marker) = (environment.join("requirements.txt"), environment.join("installed"));
    if fs::read_to_string(&marker).is_ok_and(|text| text == REQUIREMENTS) {
        return Ok(());
    }
    let problem = |error: std::io::Error| format!("{}: {error}", environment.display());
    if environment.exists() {
        fs::remove_dir_all(environment).map_err(problem)?;
    }
    let needed = "Python 3.10 or later with `venv` is needed";
    run(Command::new("python3").args(["-m", "venv"]).arg(environment), needed)?;
    fs::write(&requirements, REQUIREMENTS).map_err(problem)?;
    let install = "-m pip install --quiet --disable-pip-version-check --no-input --require-hashes \
                   --only-binary :all: --no-deps --requirement";
    let mut pip = Command::new(environment.join("bin/python"));
    run(pip.args(install.split_whitespace()).arg(&requirements), "is the package index reachable?")?;
    fs::write(&marker, REQUIREMENTS).map_err(problem)
}

fn run(command: &mut Command, hint: &str) -> Result<(), String> {
    let shown = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("installing parliament failed ({shown}: {status}): {hint}")),
        Err(error) => Err(format!("can't start `{shown}` ({error}): {hint}")),
    }
}
