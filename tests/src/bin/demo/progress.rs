//! A stack's resources while they are made.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use crosspipe_e2e::{Account, StackError, StackEvent};

use crate::screen::Screen;

const POLL: Duration = Duration::from_millis(100);
/// What a reader wants to see by name; everything else is counted.
const NAMED: [&str; 2] = ["Custom::", "AWS::Lambda::Function"];

/// Runs an operation on the stack and prints its resources as they are done.
pub(crate) fn watch<T: Send>(
    screen: &Screen,
    account: &Account<'_>,
    stack: &str,
    operation: impl FnOnce() -> Result<T, StackError> + Send,
) -> Result<T, StackError> {
    thread::scope(|scope| {
        let running = scope.spawn(operation);
        let mut watched = Watched { seen: already_there(account, stack), id: None, others: 0 };
        while !running.is_finished() {
            thread::sleep(POLL);
            watched.show_news(screen, account, stack);
        }
        watched.show_news(screen, account, stack);
        screen.say(&format!("and {} more resources", watched.others));
        running.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

struct Watched {
    seen: BTreeSet<(String, String)>,
    /// A deleted stack is found by its id only.
    id: Option<String>,
    others: usize,
}

impl Watched {
    fn show_news(&mut self, screen: &Screen, account: &Account<'_>, stack: &str) {
        let events = account.stack_events(self.id.as_deref().unwrap_or(stack)).unwrap_or_default();
        if let Some(of_stack) = events.iter().find(|event| event.logical_id == stack) {
            self.id = Some(of_stack.physical_id.clone());
        }
        for event in events.iter().filter(|event| event.logical_id != stack) {
            if event.status.ends_with("_IN_PROGRESS") || !self.seen.insert(key(event)) {
                continue;
            }
            if NAMED.iter().any(|kind| event.resource_type.starts_with(kind))
                || event.status.ends_with("_FAILED")
            {
                screen.say(&format!("{:<16} {:<22} {}", event.status, event.logical_id, event.resource_type));
            } else {
                self.others += 1;
            }
        }
    }
}

fn already_there(account: &Account<'_>, stack: &str) -> BTreeSet<(String, String)> {
    account.stack_events(stack).unwrap_or_default().iter().map(key).collect()
}

fn key(event: &StackEvent) -> (String, String) {
    (event.logical_id.clone(), event.status.clone())
}
