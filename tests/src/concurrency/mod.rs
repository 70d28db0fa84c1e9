//! Many function processes grant, update and revoke on one key, one bucket, one build project and one pipeline, while
//! somebody else edits the same documents and some of the processes are killed.
//!
//! In the end every SUCCESS holds, every edit of the other is there, and nothing else is.
//!
//! # Layout
//!
//! - this file: the writers, and one run of them all
//! - [`gate`]: when the other one may edit
//! - `outsider`: what the other one edits
//! - `check`: what has to be there in the end

mod check;
pub mod gate;
mod outsider;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use self::check::{Expected, check_targets};
use self::gate::{Gate, Visitor};
use self::outsider::Outsider;
use crate::SetupError;
use crate::fault_proxy::{Fault, FaultProxy, Plan};
use crate::function_process::{FunctionProcess, Outcome};
use crate::workbench::{Kind, Owner, Targets, Workbench, writer_accounts};

/// What is written to.
pub const KINDS: [Kind; 4] = [Kind::Key, Kind::Bucket, Kind::Project, Kind::Pipeline];
/// What a request has. Others are waited for.
const TIME: Duration = Duration::from_secs(150);
/// What a request has that is killed: the shorter, the sooner its lease is over.
const SHORT_LIFE: Duration = Duration::from_secs(40);
/// One in so many processes is killed.
const KILLED: usize = 5;
/// The calls of a request, roughly: it is killed at one of them.
const CALLS: usize = 12;

/// What is added to a writer's number for the process that follows a killed one.
const AGAIN: usize = 1_000;

/// What a writer does while all the others do the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Grant,
    Update,
    Revoke,
}

/// A custom resource of its own, and what it does.
struct Writer {
    number: usize,
    owner: Owner,
    deed: Deed,
}

/// What one run came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Requests that were answered with SUCCESS.
    pub succeeded: usize,
    /// Requests that were answered with FAILED, and then rolled back.
    pub failed: usize,
    /// Processes that were killed, whose requests were sent again.
    pub killed: usize,
    /// Edits of the other.
    pub edits: usize,
}

/// Writers with a custom resource each.
pub struct Crowd<'a> {
    bench: &'a Workbench,
    owners: Vec<Owner>,
}

impl<'a> Crowd<'a> {
    /// So many writers, spread over the kinds.
    ///
    /// # Errors
    ///
    /// When their stack can't be opened.
    pub fn gather(bench: &'a Workbench, writers: usize) -> Result<Self, SetupError> {
        let kinds = KINDS.iter().copied().cycle().take(writers).enumerate();
        let resources: Vec<(String, Kind)> =
            kinds.map(|(writer, kind)| (format!("Writer{writer}"), kind)).collect();
        Ok(Self { bench, owners: bench.open_stack("crowd", &resources)? })
    }

    /// One run, on targets of its own. `seed` says which processes are killed where.
    ///
    /// # Errors
    ///
    /// What is not as it should be.
    pub fn run(&self, name: &str, seed: usize) -> Result<Tally, String> {
        let targets = self.bench.make_targets(name).map_err(|error| error.to_string())?;
        let run = Run {
            bench: self.bench,
            targets,
            gates: KINDS.map(|kind| (kind, Arc::new(Gate::default()))).into(),
        };
        let writers: Vec<Writer> = self
            .owners
            .iter()
            .enumerate()
            .map(|(number, owner)| Writer {
                number,
                owner: owner.clone(),
                // Each kind sees all three.
                deed: match (number / KINDS.len() + seed) % 3 {
                    0 => Deed::Grant,
                    1 => Deed::Update,
                    _ => Deed::Revoke,
                },
            })
            .collect();
        run.all(&writers, seed)
    }
}

struct Run<'a> {
    bench: &'a Workbench,
    targets: Targets,
    gates: BTreeMap<Kind, Arc<Gate>>,
}

impl Run<'_> {
    fn all(&self, writers: &[Writer], seed: usize) -> Result<Tally, String> {
        let steady = self
            .bench
            .start_provider(&self.bench.world.tools.aws().endpoint())
            .map_err(|error| error.to_string())?;
        let mut expected = Expected::before(self.bench, &self.targets)?;
        // What is to be updated or revoked is there already.
        for writer in writers.iter().filter(|writer| writer.deed != Deed::Grant) {
            let answer = self.send(&steady, &self.request(writer, "Create", false, None)?, TIME)?;
            expected.grant(writer.owner.kind, writer.number, false, &answer);
            if text(&answer, "Status") != "SUCCESS" {
                return Err(format!("before the others came: {answer}"));
            }
        }
        let is_over = AtomicBool::new(false);
        let start = Barrier::new(writers.len());
        let outsiders: Vec<Outsider<'_>> =
            KINDS.into_iter().map(|kind| Outsider::new(self.bench, &self.targets, kind)).collect();
        let (answers, outsiders) = thread::scope(|threads| {
            let edits: Vec<_> = outsiders
                .into_iter()
                .map(|mut outsider| {
                    let (gate, is_over) =
                        (self.gates.get(&outsider.kind()).cloned().unwrap_or_default(), &is_over);
                    threads.spawn(move || {
                        let mut outcome = Ok(());
                        while outcome.is_ok() && !is_over.load(Ordering::Relaxed) {
                            outcome = gate.edit(|| outsider.edit());
                            thread::sleep(Duration::from_millis(100));
                        }
                        outcome.map(|()| outsider)
                    })
                })
                .collect();
            let (expected, start) = (&expected, &start);
            let work: Vec<_> = writers
                .iter()
                .map(|writer| threads.spawn(move || self.work(writer, expected, seed, start)))
                .collect();
            let joined = |problem: &str| problem.to_owned();
            let answers: Vec<Result<(Value, bool), String>> = work
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|_| Err(joined("a writer panicked"))))
                .collect();
            is_over.store(true, Ordering::Relaxed);
            let outsiders: Vec<Result<Outsider<'_>, String>> = edits
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|_| Err(joined("the other one panicked"))))
                .collect();
            (answers, outsiders)
        });
        let outsiders = outsiders.into_iter().collect::<Result<Vec<_>, String>>()?;
        let mut tally = Tally { edits: outsiders.iter().map(Outsider::edits).sum(), ..Tally::default() };
        for (writer, answer) in writers.iter().zip(answers) {
            let (answer, was_killed) =
                answer.map_err(|problem| format!("writer {}: {problem}", writer.number))?;
            tally.killed += usize::from(was_killed);
            if text(&answer, "Status") == "SUCCESS" {
                tally.succeeded += 1;
                expected.apply(writer.owner.kind, writer.number, writer.deed, &answer);
            } else {
                tally.failed += 1;
                self.roll_back(&steady, writer, &answer, &mut expected)?;
            }
        }
        check_targets(self.bench, &self.targets, &expected, &outsiders)?;
        for writer in writers {
            if let Some((id, updated)) = expected.granted(writer.owner.kind, writer.number) {
                let answer =
                    self.send(&steady, &self.request(writer, "Delete", updated, Some(&id))?, TIME)?;
                if text(&answer, "Status") != "SUCCESS" {
                    return Err(format!("in the end: {answer}"));
                }
                expected.revoke(writer.owner.kind, writer.number);
            }
        }
        check_targets(self.bench, &self.targets, &expected, &outsiders)?;
        Ok(tally)
    }

    /// Sends a writer's request from a process of its own; the answer, and whether the first process was killed over it.
    fn work(
        &self,
        writer: &Writer,
        expected: &Expected,
        seed: usize,
        start: &Barrier,
    ) -> Result<(Value, bool), String> {
        let granted = expected.granted(writer.owner.kind, writer.number).map(|(id, _)| id);
        let request = match writer.deed {
            Deed::Grant => self.request(writer, "Create", false, None),
            Deed::Update => self.request(writer, "Update", true, granted.as_deref()),
            Deed::Revoke => self.request(writer, "Delete", false, granted.as_deref()),
        };
        let (gate, kind) =
            (self.gates.get(&writer.owner.kind).cloned().unwrap_or_default(), writer.owner.kind);
        let begin = |id: usize| {
            let visitor = Visitor::new(Arc::clone(&gate), kind, id);
            let proxy = FaultProxy::start_watched(self.bench.world.tools.aws().port(), visitor);
            let proxy = proxy.map_err(|error| error.to_string())?;
            let process = self.bench.start_provider(&proxy.endpoint()).map_err(|error| error.to_string())?;
            Ok::<_, String>((proxy, process))
        };
        let begun = begin(writer.number);
        // Whatever went wrong: the others wait for everybody.
        start.wait();
        let ((proxy, process), request) = (begun?, request?);
        let number = writer.number + seed;
        if !number.is_multiple_of(KILLED) {
            let answer = self.send(&process, &request, TIME);
            gate.end(writer.number);
            return Ok((answer?, false));
        }
        let fault =
            if (number / KILLED).is_multiple_of(2) { Fault::KilledBefore } else { Fault::KilledAfter };
        let call = (number * 7) % CALLS;
        proxy.set_plan(Some(Plan { call, lasting: false, fault }), Some(process.process()));
        let outcome = process.invoke(&text(&request, "RequestId"), &request, SHORT_LIFE);
        proxy.end_plan();
        gate.end(writer.number);
        match outcome {
            Outcome::Died => {}
            // It was done in fewer calls.
            Outcome::Returned(_) => return Ok((self.answer_to(&request, SystemTime::now())?, false)),
            other => return Err(format!("the function ended as {other:?}")),
        }
        let again = writer.number + AGAIN;
        let (_proxy, process) = begin(again)?;
        let answer = self.send(&process, &request, TIME);
        gate.end(again);
        Ok((answer?, true))
    }

    /// What CloudFormation does after FAILED.
    fn roll_back(
        &self,
        steady: &FunctionProcess,
        writer: &Writer,
        failed: &Value,
        expected: &mut Expected,
    ) -> Result<(), String> {
        let id = text(failed, "PhysicalResourceId");
        let request = match writer.deed {
            Deed::Grant => self.request(writer, "Delete", false, Some(&id))?,
            Deed::Update => self.request(writer, "Update", false, Some(&id))?,
            Deed::Revoke => self.request(writer, "Delete", false, Some(&id))?,
        };
        let answer = self.send(steady, &request, TIME)?;
        if text(&answer, "Status") != "SUCCESS" {
            return Err(format!("the rollback failed: {answer}"));
        }
        match writer.deed {
            Deed::Update => expected.grant(writer.owner.kind, writer.number, false, &answer),
            Deed::Grant | Deed::Revoke => expected.revoke(writer.owner.kind, writer.number),
        }
        Ok(())
    }

    fn request(
        &self,
        writer: &Writer,
        request_type: &str,
        updated: bool,
        id: Option<&str>,
    ) -> Result<Value, String> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let request_id = format!("crowd-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let [first, second] = [false, true].map(|updated| self.properties(writer, updated));
        let (properties, old) = if updated { (second, first) } else { (first, second) };
        let mut request = writer.owner.request(request_type, &request_id, &properties, &self.bench.answers);
        let members = request.as_object_mut().ok_or("no request")?;
        if request_type == "Update" {
            members.insert("OldResourceProperties".to_owned(), old);
        }
        if let Some(id) = id {
            members.insert("PhysicalResourceId".to_owned(), json!(id));
        }
        Ok(request)
    }

    /// What a writer's resource is given.
    fn properties(&self, writer: &Writer, updated: bool) -> Value {
        let accounts = writer_accounts(writer.number);
        let accounts = accounts.get(..if updated { 2 } else { 1 }).unwrap_or_default();
        let targets = &self.targets;
        let [key, _] = &targets.keys;
        match writer.owner.kind {
            Kind::Key => {
                json!({"KeyArn": key, "ServiceRoleArn": self.bench.world.service_role_arn, "TargetAccounts": accounts})
            }
            // The denials of all of them would not fit into one policy.
            Kind::Bucket => {
                json!({"BucketName": targets.bucket, "TargetAccounts": accounts, "AllowWrites": updated,
                "DenyUnencryptedUploads": false, "DenyInsecureTransport": false})
            }
            Kind::Role => json!({}),
            Kind::Project => json!({"ProjectNames": [targets.project], "KeyArn": key}),
            Kind::Pipeline => json!({"PipelineName": targets.pipeline, "EncryptionKeyArn": key, "Actions": [{
                "Stage": "Staging", "Action": {
                    "Name": check::action_name(writer.number), "RunOrder": "2",
                    "ActionTypeId": {"Category": "Deploy", "Owner": "AWS", "Provider": "CodeDeploy", "Version": "1"},
                    "Configuration": {"ApplicationName": "crowd", "DeploymentGroupName": check::group_name(updated)},
                    "InputArtifacts": [{"Name": "BuildOutput"}],
                },
            }]}),
        }
    }

    /// Sends a request, for which there has to be one answer in time.
    fn send(&self, process: &FunctionProcess, request: &Value, time: Duration) -> Result<Value, String> {
        let deadline = SystemTime::now() + time;
        match process.invoke(&text(request, "RequestId"), request, time) {
            Outcome::Returned(_) => self.answer_to(request, deadline),
            other => Err(format!("the function ended as {other:?}")),
        }
    }

    fn answer_to(&self, request: &Value, deadline: SystemTime) -> Result<Value, String> {
        match self.bench.answers.to(&text(request, "RequestId")).as_slice() {
            [answer] if answer.at <= deadline => Ok(answer.body.clone()),
            answers => Err(format!("{} answers, or one too late: {answers:?}", answers.len())),
        }
    }
}

fn text(value: &Value, member: &str) -> String {
    value.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
}
