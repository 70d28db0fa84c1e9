//! Requests of CloudFormation while AWS fails.
//!
//! For each there has to be one valid answer before its deadline, and what it says has to be so: after SUCCESS everything
//! is in place, after FAILED CloudFormation's rollback takes everything back. Other people's statements stay as they are.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::{Row, Trouble, Verdict};
use crate::fault_proxy::{Fault, FaultProxy, Plan};
use crate::function_process::{FunctionProcess, Outcome};
use crate::workbench::{Kind, Owner, Targets, Workbench};
use crate::{CallError, SetupError};

/// What a request has while something goes wrong.
const TIME: Duration = Duration::from_secs(25);
/// What a request has that is killed: the shorter, the sooner its lease is over. Long enough to get to the call in question
/// on a busy machine.
const SHORT_LIFE: Duration = Duration::from_secs(16);
/// What a request has while all is well; others' leases may have to end first.
const LONG_TIME: Duration = Duration::from_secs(60);
/// The longest answer that CloudFormation takes.
const ANSWER_BYTES: usize = 4_096;

/// A request of CloudFormation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Create.
    Create,
    /// Update to other properties.
    Update,
    /// Delete.
    Delete,
}

impl Step {
    /// All, in the order of a resource's life.
    pub const ALL: [Self; 3] = [Self::Create, Self::Update, Self::Delete];

    fn name(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Update => "Update",
            Self::Delete => "Delete",
        }
    }
}

/// A call of a request, and what goes wrong with it.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The custom resource.
    pub kind: Kind,
    /// The request.
    pub step: Step,
    /// The call, from 0.
    pub call: usize,
    /// What goes wrong with it.
    pub trouble: Trouble,
}

/// How each target is before and after each request when nothing goes wrong, and the calls that it takes.
#[derive(Debug, Default)]
pub struct Course {
    states: BTreeMap<(Kind, Step), Value>,
    before: BTreeMap<Kind, Value>,
    calls: BTreeMap<(Kind, Step), Vec<String>>,
    ids: BTreeMap<Kind, String>,
}

/// Whoever sends the requests, and the targets that they are about.
pub struct Sender<'a> {
    bench: &'a Workbench,
    targets: Targets,
    owners: Vec<Owner>,
    proxy: FaultProxy,
    /// A process in front of which nothing fails.
    steady: FunctionProcess,
    course: Course,
}

impl<'a> Sender<'a> {
    /// Makes targets, and runs each resource's life once without a fault.
    ///
    /// # Errors
    ///
    /// When something can't be made, or goes wrong by itself.
    pub fn start(bench: &'a Workbench, name: &str, kinds: &[Kind]) -> Result<Self, SetupError> {
        let making = SetupError::while_doing("making targets");
        let targets = bench.make_targets(name).map_err(making)?;
        let resources: Vec<(String, Kind)> =
            kinds.iter().map(|kind| (kind.name().to_owned(), *kind)).collect();
        let owners = bench.open_stack(name, &resources)?;
        let aws = bench.world.tools.aws();
        let proxy = FaultProxy::start(aws.port())?;
        let steady = bench.start_provider(&aws.endpoint())?;
        let mut sender = Self { bench, targets, owners, proxy, steady, course: Course::default() };
        for kind in kinds {
            sender
                .run_course(*kind)
                .map_err(|problem| SetupError::new(format!("{kind:?} without a fault: {problem}")))?;
        }
        Ok(sender)
    }

    /// The operations that a request calls when nothing goes wrong.
    #[must_use]
    pub fn calls(&self, kind: Kind, step: Step) -> &[String] {
        self.course.calls.get(&(kind, step)).map_or(&[], Vec::as_slice)
    }

    /// Each call of each request of a resource, with each of these faults.
    #[must_use]
    pub fn cases(&self, kind: Kind, troubles: &[Trouble]) -> Vec<Case> {
        let calls = Step::ALL
            .into_iter()
            .flat_map(|step| (0..self.calls(kind, step).len()).map(move |call| (step, call)));
        let with_each =
            |(step, call)| troubles.iter().map(move |trouble| Case { kind, step, call, trouble: *trouble });
        calls.flat_map(with_each).collect()
    }

    fn run_course(&mut self, kind: Kind) -> Result<(), String> {
        let before = self.read(kind)?;
        self.course.before.insert(kind, before.clone());
        let mut id = None;
        for step in Step::ALL {
            let process =
                self.bench.start_provider(&self.proxy.endpoint()).map_err(|error| error.to_string())?;
            self.proxy.set_plan(None, None);
            let answer = self.send(&process, self.request(kind, step, id.as_deref())?, TIME)?;
            let calls = self.proxy.end_plan();
            let answered = succeeded(&answer)?;
            let state = self.read(kind)?;
            match step {
                Step::Create | Step::Update if state == before => {
                    return Err(format!("{step:?} changed nothing"));
                }
                Step::Delete if state != before => return Err(format!("Delete left {state} of {before}")),
                _ => {}
            }
            id = Some(answered.clone());
            self.course.ids.insert(kind, answered);
            self.course.states.insert((kind, step), state);
            self.course.calls.insert((kind, step), calls);
        }
        self.forget(kind)
    }

    /// Sends the request of a case while its fault is on, and then what CloudFormation would send.
    pub fn try_case(&mut self, case: Case) -> Row {
        let Case { kind, step, call, trouble } = case;
        let planned = self.calls(kind, step).get(call).cloned().unwrap_or_default();
        let (verdict, seen) = self.try_request(case);
        let verdict = match verdict {
            Ok(verdict) => match self.forget(kind) {
                Ok(()) => verdict,
                Err(problem) => Verdict::Bad(problem),
            },
            Err(problem) => {
                // The next case must not suffer from it.
                let cleaned = self.clean_up(kind);
                Verdict::Bad(match cleaned {
                    Ok(()) => problem,
                    Err(error) => format!("{problem}; and then: {error}"),
                })
            }
        };
        let operation = seen.get(call).cloned().unwrap_or(planned);
        Row { work: format!("{} {}", kind.name(), step.name()), operation, trouble, verdict }
    }

    fn try_request(&mut self, case: Case) -> (Result<Verdict, String>, Vec<String>) {
        let (answer, seen) = match self.send_with_fault(case) {
            Ok(sent) => sent,
            Err(problem) => return (Err(problem), self.proxy.end_plan()),
        };
        (self.follow_up(case.kind, case.step, &answer), seen)
    }

    /// What comes before the request, and the request.
    fn send_with_fault(
        &mut self,
        Case { kind, step, call, trouble }: Case,
    ) -> Result<(Value, Vec<String>), String> {
        let mut id = None;
        if step != Step::Create {
            let created = self.send_steadily(self.request(kind, Step::Create, None)?)?;
            id = Some(succeeded(&created)?);
        }
        let request = self.request(kind, step, id.as_deref())?;
        let endpoint = self.proxy.endpoint();
        let start = || self.bench.start_provider(&endpoint).map_err(|error| error.to_string());
        let process = start()?;
        let plan = Plan { call, lasting: trouble.lasting, fault: trouble.fault };
        self.proxy.set_plan(Some(plan), Some(process.process()));
        if !matches!(trouble.fault, Fault::KilledBefore | Fault::KilledAfter) {
            let answer = self.send(&process, request, TIME);
            let seen = self.proxy.end_plan();
            return Ok((answer?, seen));
        }
        let request_id = text(&request, "RequestId");
        let outcome = process.invoke(&request_id, &request, SHORT_LIFE);
        let seen = self.proxy.end_plan();
        if outcome != Outcome::Died {
            return Err(format!("the process was not killed: {outcome:?}"));
        }
        if !self.bench.answers.to(&request_id).is_empty() {
            return Err("it was answered before it was done".to_owned());
        }
        // Lambda invokes the function again with the same request.
        Ok((self.send(&start()?, request, LONG_TIME)?, seen))
    }

    /// What CloudFormation does after this answer, until nothing is left; whether everything is as the answers say.
    fn follow_up(&self, kind: Kind, step: Step, answer: &Value) -> Result<Verdict, String> {
        let id = text(answer, "PhysicalResourceId");
        let is_done = text(answer, "Status") == "SUCCESS";
        let state = |step| self.course.states.get(&(kind, step)).cloned().unwrap_or_default();
        if step != Step::Create && self.course.ids.get(&kind) != Some(&id) {
            return Err(format!("the answer has another physical id: {answer}"));
        }
        match (step, is_done) {
            (Step::Create | Step::Update, true) => {
                self.expect(kind, &state(step), "after SUCCESS")?;
                let delete = self.delete_request(kind, step, &id)?;
                succeeded(&self.send_steadily(delete)?)?;
            }
            (Step::Create, false) => {
                let delete = self.delete_request(kind, step, &id)?;
                succeeded(&self.send_steadily(delete)?)?;
            }
            (Step::Update, false) => {
                // The rollback is an update to what was there before.
                let [first, second] = self.bench.properties(kind, &self.targets);
                let mut back = self.request_with("Update", kind, &first)?;
                set(&mut back, "OldResourceProperties", second);
                set(&mut back, "PhysicalResourceId", json!(id));
                succeeded(&self.send_steadily(back)?)?;
                self.expect(kind, &state(Step::Create), "after the rollback")?;
                succeeded(&self.send_steadily(self.delete_request(kind, Step::Create, &id)?)?)?;
            }
            (Step::Delete, true) => {}
            // Somebody deletes the stack again.
            (Step::Delete, false) => {
                succeeded(&self.send_steadily(self.delete_request(kind, Step::Create, &id)?)?)?;
            }
        }
        let before = self.course.before.get(&kind).cloned().unwrap_or_default();
        self.expect(kind, &before, "in the end")?;
        self.expect_no_record(kind)?;
        Ok(if is_done { Verdict::Done } else { Verdict::GivenUp })
    }

    fn expect(&self, kind: Kind, expected: &Value, when: &str) -> Result<(), String> {
        let found = self.read(kind)?;
        if found == *expected {
            return Ok(());
        }
        Err(format!("{when} it is {found} instead of {expected}"))
    }

    /// That nothing is on record that could be applied again. A lease that could not be released may be left: it ends with
    /// its request.
    fn expect_no_record(&self, kind: Kind) -> Result<(), String> {
        let row = self.bench.lock_row(&self.bench.lock_key(kind, &self.targets));
        let row = row.map_err(|error| error.to_string())?;
        let members = row.as_object().cloned().unwrap_or_default();
        let is_left = |(name, value): &(String, Value)| {
            name.starts_with("Note:") && !value.to_string().contains("DeletedAt")
        };
        if let Some((name, value)) = members.into_iter().find(is_left) {
            return Err(format!("the lock table still has {name}: {value}"));
        }
        let held = row.pointer("/HeldUntil/N").and_then(Value::as_str).and_then(|at| at.parse().ok());
        let held = held.map(|at| UNIX_EPOCH + Duration::from_secs(at));
        match held.filter(|held| *held > SystemTime::now() + TIME) {
            Some(held) => Err(format!("the lease is held until {held:?}")),
            None => Ok(()),
        }
    }

    /// The next case begins without a memory of this one.
    fn forget(&self, kind: Kind) -> Result<(), String> {
        let key = self.bench.lock_key(kind, &self.targets);
        self.bench.delete_lock_row(&key).map_err(|error| error.to_string())
    }

    fn clean_up(&self, kind: Kind) -> Result<(), String> {
        self.forget(kind)?;
        let id = self.course.ids.get(&kind).cloned().unwrap_or_default();
        succeeded(&self.send_steadily(self.delete_request(kind, Step::Update, &id)?)?)?;
        self.forget(kind)
    }

    fn delete_request(&self, kind: Kind, after: Step, id: &str) -> Result<Value, String> {
        let [first, second] = self.bench.properties(kind, &self.targets);
        let properties = if after == Step::Update { second } else { first };
        let mut request = self.request_with("Delete", kind, &properties)?;
        set(&mut request, "PhysicalResourceId", json!(id));
        Ok(request)
    }

    fn request(&self, kind: Kind, step: Step, id: Option<&str>) -> Result<Value, String> {
        let [first, second] = self.bench.properties(kind, &self.targets);
        let mut request = match step {
            Step::Update => self.request_with("Update", kind, &second)?,
            Step::Create | Step::Delete => self.request_with(step.name(), kind, &first)?,
        };
        if step == Step::Update {
            set(&mut request, "OldResourceProperties", first);
        }
        if let Some(id) = id {
            set(&mut request, "PhysicalResourceId", json!(id));
        }
        Ok(request)
    }

    fn request_with(&self, request_type: &str, kind: Kind, properties: &Value) -> Result<Value, String> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let owner = self.owners.iter().find(|owner| owner.kind == kind).ok_or("no such resource")?;
        let request_id = format!("request-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        Ok(owner.request(request_type, &request_id, properties, &self.bench.answers))
    }

    fn send_steadily(&self, request: Value) -> Result<Value, String> {
        self.send(&self.steady, request, LONG_TIME)
    }

    /// Sends a request, for which there has to be one valid answer in time.
    fn send(&self, process: &FunctionProcess, request: Value, time: Duration) -> Result<Value, String> {
        let deadline = SystemTime::now() + time;
        let request_id = text(&request, "RequestId");
        let outcome = process.invoke(&request_id, &request, time);
        if !matches!(outcome, Outcome::Returned(_)) {
            return Err(format!("the {} ended as {outcome:?}", text(&request, "RequestType")));
        }
        let answers = self.bench.answers.to(&request_id);
        let [answer] = answers.as_slice() else {
            return Err(format!(
                "there are {} answers to a {}",
                answers.len(),
                text(&request, "RequestType")
            ));
        };
        let same = |member: &str| text(&answer.body, member) == text(&request, member);
        let status = text(&answer.body, "Status");
        let is_valid = ["StackId", "RequestId", "LogicalResourceId"].into_iter().all(same)
            && (status == "SUCCESS" || status == "FAILED" && !text(&answer.body, "Reason").is_empty())
            && !text(&answer.body, "PhysicalResourceId").is_empty()
            && answer.bytes <= ANSWER_BYTES;
        match is_valid {
            true if answer.at <= deadline => Ok(answer.body.clone()),
            true => Err("the answer came after the deadline".to_owned()),
            false => Err(format!("CloudFormation does not take the answer {}", answer.body)),
        }
    }

    fn read(&self, kind: Kind) -> Result<Value, String> {
        self.bench.read(kind, &self.targets).map_err(|error: CallError| error.to_string())
    }
}

/// The physical id of an answer that says SUCCESS.
fn succeeded(answer: &Value) -> Result<String, String> {
    match text(answer, "Status").as_str() {
        "SUCCESS" => Ok(text(answer, "PhysicalResourceId")),
        _ => Err(format!("a request in front of which nothing fails was answered {answer}")),
    }
}

fn set(request: &mut Value, member: &str, value: Value) {
    if let Value::Object(members) = request {
        members.insert(member.to_owned(), value);
    }
}

fn text(value: &Value, member: &str) -> String {
    value.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
}
