//! Every AWS call of every custom resource and of the failure reporter, with every fault in turn: what comes of it.
//!
//! # Layout
//!
//! - this file: the faults, and the work on many cases side by side
//! - [`provider`]: requests of CloudFormation
//! - [`reporter`]: events of failures
//! - [`table`]: the page of the documentation

pub mod provider;
pub mod reporter;
pub mod table;

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::SetupError;
use crate::fault_proxy::Fault;

/// Longer than one attempt at a call may take, shorter than the call with its later attempts.
const LATE: Duration = Duration::from_secs(12);
/// Longer than any request has.
const NEVER: Duration = Duration::from_secs(90);

/// A fault of the matrix: what goes wrong, and whether it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trouble {
    /// What goes wrong.
    pub fault: Fault,
    /// Whether all later calls of the operation go wrong, too.
    pub lasting: bool,
    /// What it is called.
    pub name: &'static str,
}

const fn once(fault: Fault, name: &'static str) -> Trouble {
    Trouble { fault, lasting: false, name }
}

const fn lasting(fault: Fault, name: &'static str) -> Trouble {
    Trouble { fault, lasting: true, name }
}

/// Everything that goes wrong here.
pub const TROUBLES: [Trouble; 14] = [
    once(Fault::Denied, "denied once"),
    lasting(Fault::Denied, "denied"),
    once(Fault::Throttled, "throttled once"),
    lasting(Fault::Throttled, "throttled"),
    once(Fault::ServerError, "500 once"),
    lasting(Fault::ServerError, "500"),
    once(Fault::Reset, "reset once"),
    lasting(Fault::Reset, "reset"),
    once(Fault::AnswerLost, "answer lost"),
    once(Fault::AnswerCut, "answer cut"),
    once(Fault::Late(LATE), "answer late"),
    lasting(Fault::Late(NEVER), "no answer"),
    once(Fault::KilledBefore, "killed before"),
    once(Fault::KilledAfter, "killed after"),
];

/// The fault of this name.
#[must_use]
pub fn trouble(name: &str) -> Option<Trouble> {
    TROUBLES.into_iter().find(|trouble| trouble.name == name)
}

/// What came of one case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As if nothing had gone wrong.
    Done,
    /// It was said to have failed, and everything was taken back; or the event is a dead letter.
    GivenUp,
    /// The alert was sent, and nobody knew: it was sent again, or the event is a dead letter, too.
    Repeated,
    /// It should not be so.
    Bad(String),
}

/// One case and what came of it.
#[derive(Clone, Debug)]
pub struct Row {
    /// What was done: a resource and its request, or a report.
    pub work: String,
    /// The operation that was the first to fail; that of a run without faults, if it was not reached.
    pub operation: String,
    /// What went wrong.
    pub trouble: Trouble,
    /// What came of it.
    pub verdict: Verdict,
}

/// Works on all cases, as many at a time as there are workers, each made by `hire` in a thread of its own.
///
/// # Errors
///
/// The first error of a worker that can't be made.
pub fn share_out<Case: Send, Work: FnMut(Case) -> Row>(
    cases: Vec<Case>,
    workers: usize,
    hire: impl Fn(usize) -> Result<Work, SetupError> + Sync,
) -> Result<Vec<Row>, SetupError> {
    let (waiting, rows) = (Mutex::new(VecDeque::from(cases)), Mutex::new(vec![]));
    let outcomes: Vec<Result<(), SetupError>> = thread::scope(|threads| {
        let (waiting, rows, hire) = (&waiting, &rows, &hire);
        let work = move |worker| {
            let mut work = hire(worker)?;
            loop {
                let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let Some(case) = next else { return Ok(()) };
                let row = work(case);
                rows.lock().unwrap_or_else(PoisonError::into_inner).push(row);
            }
        };
        let started: Vec<_> = (0..workers).map(|worker| threads.spawn(move || work(worker))).collect();
        let ended = |thread: thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|_| Err(SetupError::new("a worker panicked")))
        };
        started.into_iter().map(ended).collect()
    });
    outcomes.into_iter().collect::<Result<(), SetupError>>()?;
    Ok(rows.into_inner().unwrap_or_else(PoisonError::into_inner))
}
