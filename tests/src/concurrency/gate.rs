//! When somebody else may edit a target so that no edit can be lost by AWS's doing.
//!
//! KMS, S3, CodeBuild and CodePipeline write whatever they are sent: an edit between another's read and its write is
//! overwritten, and nobody can prevent that from outside. Crosspipe's part is that this window is one call wide, from the
//! read to the write that follows at once, and never a wait. So the other one keeps out of exactly this window, which the
//! calls show: from a process's read of the target to the answer to its write, or, where it finds nothing to write, to the
//! release of its lease. All other times are allowed: while processes wait for a lease, between two attempts, between two
//! requests, and after one was killed.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::fault_proxy::Watcher;
use crate::http::Message;
use crate::workbench::Kind;

/// The longest that the other one waits; longer means that a process stays in its window.
const PATIENCE: Duration = Duration::from_secs(120);

/// Of one target.
#[derive(Debug, Default)]
pub struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The processes between their read and their write.
    inside: BTreeSet<usize>,
    /// The processes that have ended: a call of theirs that is still on its way counts no more.
    ended: BTreeSet<usize>,
    /// The other one edits, or waits for it; no process enters now.
    is_claimed: bool,
}

impl Gate {
    /// Edits when no process is between its read and its write; none reads meanwhile.
    ///
    /// # Errors
    ///
    /// What the edit fails with, and when the processes never let it.
    pub fn edit(&self, edit: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
        let mut state = self.locked();
        state.is_claimed = true;
        let waited = self.changed.wait_timeout_while(state, PATIENCE, |state| !state.inside.is_empty());
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let outcome = match state.inside.is_empty() {
            true => {
                drop(state);
                edit()
            }
            false => Err(format!("{:?} never leave their window", state.inside)),
        };
        self.locked().is_claimed = false;
        self.changed.notify_all();
        outcome
    }

    /// A process has written, or given up.
    pub fn leave(&self, process: usize) {
        self.locked().inside.remove(&process);
        self.changed.notify_all();
    }

    /// A process has ended, in whatever way.
    pub fn end(&self, process: usize) {
        self.locked().ended.insert(process);
        self.leave(process);
    }

    fn enter(&self, process: usize) {
        let started = Instant::now();
        let mut state = self.locked();
        while state.is_claimed && !state.inside.contains(&process) && started.elapsed() < PATIENCE {
            let waited = self.changed.wait_timeout(state, Duration::from_secs(1));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if !state.ended.contains(&process) {
            state.inside.insert(process);
        }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A process that passes the gate with its calls.
#[derive(Debug)]
pub struct Visitor {
    gate: Arc<Gate>,
    kind: Kind,
    process: usize,
}

impl Visitor {
    /// The process of this number, which writes to a target of this kind.
    #[must_use]
    pub fn new(gate: Arc<Gate>, kind: Kind, process: usize) -> Self {
        Self { gate, kind, process }
    }

    /// The calls that read and write the target.
    fn operations(&self) -> (&str, &str) {
        match self.kind {
            Kind::Key => ("kms GetKeyPolicy", "kms PutKeyPolicy"),
            Kind::Bucket => ("s3 GET policy", "s3 PUT policy"),
            Kind::Role => ("iam GetRolePolicy", "iam PutRolePolicy"),
            Kind::Project => ("codebuild BatchGetProjects", "codebuild UpdateProject"),
            Kind::Pipeline => ("codepipeline GetPipeline", "codepipeline UpdatePipeline"),
        }
    }
}

impl Watcher for Visitor {
    fn before(&self, operation: &str, _: &Message) {
        if operation == self.operations().0 {
            self.gate.enter(self.process);
        }
    }

    fn after(&self, operation: &str, request: &Message) {
        let releases = || String::from_utf8_lossy(&request.body).contains("REMOVE Holder");
        let deletes_policy = || operation == "s3 DELETE policy";
        if operation == self.operations().1
            || deletes_policy()
            || (operation == "dynamodb UpdateItem" && releases())
        {
            self.gate.leave(self.process);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    #[test]
    fn edit_keeps_out_of_the_window() {
        let gate = Arc::new(Gate::default());
        gate.enter(1);
        let (sender, happened) = channel();
        let (editing, edited) = (Arc::clone(&gate), sender.clone());
        let edit = thread::spawn(move || {
            editing.edit(|| {
                edited.send("edit").map_err(|error| error.to_string())?;
                thread::sleep(Duration::from_millis(100));
                edited.send("edited").map_err(|error| error.to_string())
            })
        });
        thread::sleep(Duration::from_millis(100));
        // One that is inside may read again; another one may not come in any more.
        gate.enter(1);
        let (entering, entered) = (Arc::clone(&gate), sender);
        let second = thread::spawn(move || {
            entering.enter(2);
            entered.send("read")
        });
        thread::sleep(Duration::from_millis(100));
        assert!(happened.try_recv().is_err(), "the first one is still between its read and its write");
        gate.leave(1);
        edit.join().unwrap().unwrap();
        second.join().unwrap().unwrap();
        // A call that was on its way when its process was killed keeps nobody out.
        gate.leave(2);
        gate.end(3);
        gate.enter(3);
        gate.edit(|| Ok(())).unwrap();
        assert_eq!(happened.iter().collect::<Vec<_>>(), ["edit", "edited", "read"]);
    }
}
