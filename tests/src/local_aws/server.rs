//! The server process.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::bridge::{Bridge, CallError};
use super::venv::source_dir;
use super::{Account, Venv};
use crate::{SetupError, loopback, target_dir};

const START_PATIENCE: Duration = Duration::from_secs(60);
const ATTEMPTS: u32 = 3;

/// Local AWS: many accounts, many Regions, one process on 127.0.0.1.
///
/// It ends when this value is dropped, and when the process that started it ends in whatever way.
#[derive(Debug)]
pub struct LocalAws {
    bridge: Bridge,
    server: Server,
}

impl LocalAws {
    /// Starts a server of its own and waits until it answers.
    ///
    /// # Errors
    ///
    /// When Python or its packages are missing, or the server does not come up: with the end of its log.
    pub fn start() -> Result<Self, SetupError> {
        let venv = Venv::ensure()?;
        let mut attempt = 1;
        let server = loop {
            match Server::start(&venv) {
                // The port is free when it is chosen; somebody else may take it before the server does.
                Err(_) if attempt < ATTEMPTS => attempt += 1,
                other => break other?,
            }
        };
        let bridge = Bridge::start(&venv, &server.endpoint())?;
        Ok(Self { bridge, server })
    }

    /// The server that all tests of this process share. Accounts from [`Self::new_accounts`] keep them apart.
    ///
    /// # Panics
    ///
    /// When it can't be started: no test can go on then.
    #[allow(clippy::panic, reason = "only tests call this, and none of them can do without")]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<LocalAws> = OnceLock::new();
        SHARED.get_or_init(|| Self::start().unwrap_or_else(|error| panic!("local AWS: {error}")))
    }

    /// The URL for `AWS_ENDPOINT_URL`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.server.endpoint()
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.server.port
    }

    /// Where the server writes its log, and that of the functions that it runs.
    #[must_use]
    pub fn log_path(&self) -> &Path {
        &self.server.log
    }

    /// The account, as its root, in the server's default Region.
    #[must_use]
    pub fn account(&self, id: impl Into<String>) -> Account<'_> {
        Account::root(self, id.into())
    }

    /// Account ids that nobody else uses on this server.
    #[must_use]
    pub fn new_accounts<const N: usize>(&self) -> [String; N] {
        static NEXT: AtomicU64 = AtomicU64::new(310_000_000_001);
        std::array::from_fn(|_| NEXT.fetch_add(1, Ordering::Relaxed).to_string())
    }

    /// `POST /_local/{name}`: scripted failures, faults, deployments. `local-aws/local_aws/control.py` lists them.
    ///
    /// # Errors
    ///
    /// When the server refuses the request: a member is missing, or there is no such operation.
    pub fn control(&self, name: &str, request: &Value) -> Result<Value, CallError> {
        let failed = |message: String, status| CallError { code: "Control".to_owned(), message, status };
        let response =
            loopback::request(self.server.port, "POST", &format!("/_local/{name}"), &request.to_string())
                .map_err(|error| failed(error.to_string(), 0))?;
        if response.status != 200 {
            return Err(failed(response.body, response.status));
        }
        serde_json::from_str(&response.body).map_err(|error| failed(error.to_string(), response.status))
    }

    pub(super) fn bridge(&self) -> &Bridge {
        &self.bridge
    }
}

#[derive(Debug)]
struct Server {
    process: Child,
    stdin: Option<ChildStdin>,
    port: u16,
    log: PathBuf,
}

impl Server {
    fn start(venv: &Venv) -> Result<Self, SetupError> {
        let port = free_port().map_err(SetupError::while_doing("finding a free port on 127.0.0.1"))?;
        let folder = target_dir()?.join("local-aws");
        let (log, scratch) =
            (folder.join(format!("server-{port}.log")), folder.join(format!("scratch-{port}")));
        let output =
            File::create(&log).map_err(SetupError::while_doing(format!("creating `{}`", log.display())))?;
        let errors = output.try_clone().map_err(SetupError::while_doing("sharing the log file"))?;
        let mut process = python(venv, &["-m", "local_aws", &port.to_string(), &scratch.to_string_lossy()])
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .map_err(SetupError::while_doing(format!("starting `{}`", venv.python().display())))?;
        let stdin = process.stdin.take();
        let mut server = Self { process, stdin, port, log };
        server.wait_until_healthy()?;
        Ok(server)
    }

    fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn wait_until_healthy(&mut self) -> Result<(), SetupError> {
        let start = Instant::now();
        // The control endpoint rather than ministack's health check: it is there only if the hooks are.
        while loopback::request(self.port, "POST", "/_local/calls", "{}").is_err() {
            let ended = self.process.try_wait().map_err(SetupError::while_doing("watching the server"))?;
            if ended.is_some() || start.elapsed() > START_PATIENCE {
                return Err(SetupError::new(format!("local AWS did not start\n{}", tail(&self.log))));
            }
            thread::sleep(Duration::from_millis(30));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server ends with its standard input, and takes with it the functions that it runs.
        drop(self.stdin.take());
        let _ = self.process.wait();
    }
}

/// Python with nothing of this process's environment but what it takes to run: functions inherit it.
pub(super) fn python(venv: &Venv, arguments: &[&str]) -> Command {
    let mut command = Command::new(venv.python());
    command.args(arguments).env_clear().env("PYTHONPATH", source_dir()).env("PYTHONDONTWRITEBYTECODE", "1");
    for name in ["PATH", "HOME"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines.iter().skip(lines.len().saturating_sub(20)).fold(String::new(), |all, line| all + line + "\n")
}

impl LocalAws {
    /// Makes the next `times` calls of an operation fail. `service` and `operation` as in the IAM action
    /// (`kms`, `PutKeyPolicy`); more choices through [`Self::control`] with `fault`.
    ///
    /// # Errors
    ///
    /// When the server refuses the request.
    pub fn fault(
        &self,
        account: &str,
        service: &str,
        operation: &str,
        times: u32,
        error: &CallError,
    ) -> Result<(), CallError> {
        let fault = json!({
            "account": account, "service": service, "operation": operation, "times": times,
            "status": error.status, "code": error.code, "message": error.message,
        });
        self.control("fault", &fault).map(drop)
    }
}
