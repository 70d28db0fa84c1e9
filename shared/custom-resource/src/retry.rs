use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use crate::Deadline;

/// The pace at which an answer is sent again. The default suits Lambda; tests set their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How long one attempt may take, from connecting to the reply's status.
    pub attempt_timeout: Duration,
    /// The pause after the first attempt; it doubles with each further one.
    pub first_pause: Duration,
    /// No pause is longer than this.
    pub longest_pause: Duration,
    /// How often in all an answer may be refused with a status that says that sending it again won't
    /// help, such as 403 for an expired `ResponseURL`.
    pub refusals: u32,
    /// The time at the end of an invocation that is kept for the answer: the handler is stopped
    /// this long before the deadline. Never more than a quarter of the time there is.
    pub reserve: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempt_timeout: Duration::from_secs(4),
            first_pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(5),
            refusals: 2,
            reserve: Duration::from_secs(12),
        }
    }
}

impl RetryPolicy {
    /// By when the handler has to be finished for the answer still to get through.
    pub(crate) fn handler_deadline(&self, deadline: Deadline) -> Deadline {
        deadline.earlier(self.reserve.min(deadline.remaining() / 4))
    }

    /// The pause after this attempt (counted from one): between half and all of the backed-off time, so that
    /// many functions that failed together don't come back together.
    pub(crate) fn pause(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(16);
        let full = self.first_pause.saturating_mul(1 << doublings).min(self.longest_pause);
        // Each `RandomState` is seeded anew: random enough for jitter, without a dependency.
        let random = RandomState::new().build_hasher().finish();
        let share = (random % 1_000) as u32;
        full / 2 + full / 2 * share / 1_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_bounded() {
        let policy = RetryPolicy::default();
        for attempt in 1..100 {
            let full = (policy.first_pause * (1 << (attempt - 1).min(10))).min(policy.longest_pause);
            let pause = policy.pause(attempt);
            assert!(full / 2 <= pause && pause <= full, "attempt {attempt}: {pause:?}");
        }
    }

    #[test]
    fn pauses_differ() {
        let policy = RetryPolicy::default();
        let pauses: std::collections::BTreeSet<_> = (0..50).map(|_| policy.pause(4)).collect();
        assert!(pauses.len() > 1, "{pauses:?}");
    }

    #[test]
    fn short_invocation_favours_handler() {
        let deadline = Deadline::after(Duration::from_secs(3));
        assert!(RetryPolicy::default().handler_deadline(deadline).remaining() > Duration::from_secs(1));
    }
}
