//! One function's process, from its start to its end, measured.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crosspipe_e2e::{SetupError, target_dir};
use serde_json::Value;

use crate::host::{Host, Step};
use crate::scene::Scene;
use crate::subjects::Subject;

/// What one process took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Round {
    /// From its start until it asked for the first event.
    pub init: Duration,
    /// The first request, a Create, from its event to the end of the invocation; none where it serves none here.
    pub cold: Option<Duration>,
    /// A later Create.
    pub warm: Option<Duration>,
    /// The largest resident set, in KiB.
    pub memory: u64,
    /// Of the processor, all threads, from start to end.
    pub processor: Duration,
}

/// Starts the function, has it make and take back the grant twice, and ends it.
///
/// # Errors
///
/// When it does not start, or does not do what it was asked for.
pub(crate) fn run(subject: &Subject, scene: &Scene<'_>) -> Result<Round, SetupError> {
    let host =
        Host::start(scene.function_arn()).map_err(SetupError::while_doing("listening on 127.0.0.1"))?;
    let log = target_dir()?.join(format!("bench-lambda-{}.log", subject.short_name));
    let (started, process) = start(subject, scene, &host, &log)?;
    let mut process = Running(process);
    let outcome = measure(subject, scene, &host, started, &process);
    let ended = process.end();
    let round = outcome.map_err(|error| {
        SetupError::new(format!(
            "{}: {error}\n{}",
            subject.name,
            fs::read_to_string(&log).unwrap_or_default()
        ))
    })?;
    ended?;
    Ok(round)
}

fn start(
    subject: &Subject,
    scene: &Scene<'_>,
    host: &Host,
    log: &Path,
) -> Result<(Instant, Child), SetupError> {
    let doing = || SetupError::while_doing(format!("starting {}", subject.name));
    let output = File::create(log).map_err(doing())?;
    let errors = output.try_clone().map_err(doing())?;
    let mut command = Command::new(&subject.program);
    command
        .args(&subject.arguments)
        .current_dir(&subject.folder)
        .env_clear()
        .envs(scene.environment())
        .envs(subject.environment.clone())
        .env("AWS_LAMBDA_RUNTIME_API", host.address())
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors);
    let started = Instant::now();
    Ok((started, command.spawn().map_err(doing())?))
}

fn measure(
    subject: &Subject,
    scene: &Scene<'_>,
    host: &Host,
    started: Instant,
    process: &Running,
) -> Result<Round, SetupError> {
    let init = ready(host)?.duration_since(started);
    let (mut cold, mut warm) = (None, None);
    if subject.serves_requests {
        for number in 0..2 {
            let (took, answer) = serve(host, &scene.request("Create", number, host, None))?;
            let slot = if number == 0 { &mut cold } else { &mut warm };
            *slot = Some(took);
            ready(host)?;
            let physical_id = answer.get("PhysicalResourceId").and_then(Value::as_str).map(str::to_owned);
            scene.check_granted(true)?;
            serve(host, &scene.request("Delete", number, host, physical_id))?;
            ready(host)?;
            scene.check_granted(false)?;
        }
    }
    Ok(Round { init, cold, warm, memory: process.memory()?, processor: process.processor()? })
}

/// Waits until the function asks for an event.
fn ready(host: &Host) -> Result<Instant, SetupError> {
    match host.next_step()? {
        (at, Step::Ready) => Ok(at),
        (_, other) => Err(SetupError::new(format!("instead of asking for an event: {other:?}"))),
    }
}

/// Has the function serve a request; answers how long that took and what CloudFormation was told.
fn serve(host: &Host, request: &Value) -> Result<(Duration, Value), SetupError> {
    let sent = host.send(request);
    let mut answered = None;
    loop {
        match host.next_step()? {
            (_, Step::Answered(answer)) => answered = Some(answer),
            (at, Step::Ended) => {
                let answer = answered.ok_or_else(|| SetupError::new("CloudFormation got no answer"))?;
                if answer.get("Status").and_then(Value::as_str) != Some("SUCCESS") {
                    return Err(SetupError::new(format!("the answer is {answer}")));
                }
                return Ok((at.duration_since(sent), answer));
            }
            (_, other) => return Err(SetupError::new(format!("instead of an answer: {other:?}"))),
        }
    }
}

/// A process that is ended whatever happens.
struct Running(Child);

impl Running {
    /// The largest resident set, in KiB.
    fn memory(&self) -> Result<u64, SetupError> {
        let file = format!("/proc/{}/status", self.0.id());
        let status = fs::read_to_string(&file).map_err(SetupError::while_doing(&file))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB"));
        peak.and_then(|peak| peak.trim().parse().ok())
            .ok_or_else(|| SetupError::new(format!("{file} has no VmHWM")))
    }

    /// What the threads that are there have used of the processor.
    fn processor(&self) -> Result<Duration, SetupError> {
        let folder = format!("/proc/{}/task", self.0.id());
        let mut nanoseconds = 0;
        for thread in fs::read_dir(&folder).map_err(SetupError::while_doing(&folder))? {
            let file = thread.map_err(SetupError::while_doing(&folder))?.path().join("schedstat");
            let text = fs::read_to_string(&file).map_err(SetupError::while_doing(file.display()))?;
            nanoseconds +=
                text.split(' ').next().and_then(|used| used.parse::<u64>().ok()).unwrap_or_default();
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    fn end(&mut self) -> Result<(), SetupError> {
        let ending = || SetupError::while_doing("ending the function");
        self.0.kill().map_err(ending())?;
        self.0.wait().map(drop).map_err(ending())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.end();
    }
}
