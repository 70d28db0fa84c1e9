use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use crate::Deadline;

/// The pace at which an answer is sent again. The default suits Lambda; tests set their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How long one attempt may take, from connecting to the reply's status.
    pub attempt_timeout: Duration,
    /// The pause after the first attempt; it doubles with each further one.
    pub first_pause: Duration,
    /// No pause is longer than twice this.
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
            first_pause: Duration::from_millis(150),
            longest_pause: Duration::from_secs(3),
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

    /// The pauses between attempts, each up to twice as long by chance, so that many functions that failed together
    /// don't come back together.
    pub(crate) fn pauses(&self) -> impl Iterator<Item = Duration> + Send + use<> {
        let doubling = ExponentialBuilder::new().with_factor(2.0);
        let bounded = doubling.with_min_delay(self.first_pause).with_max_delay(self.longest_pause);
        bounded.without_max_times().with_jitter().build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_bounded() {
        let policy = RetryPolicy::default();
        for (attempt, pause) in policy.pauses().take(100).enumerate() {
            let least = (policy.first_pause * (1 << attempt.min(10))).min(policy.longest_pause);
            assert!(least <= pause && pause <= least * 2, "attempt {attempt}: {pause:?}");
        }
    }

    #[test]
    fn pauses_differ() {
        let policy = RetryPolicy::default();
        let pauses: std::collections::BTreeSet<_> = (0..50).filter_map(|_| policy.pauses().nth(3)).collect();
        assert!(pauses.len() > 1, "{pauses:?}");
    }

    #[test]
    fn short_invocation_favours_handler() {
        let deadline = Deadline::after(Duration::from_secs(3));
        assert!(RetryPolicy::default().handler_deadline(deadline).remaining() > Duration::from_secs(1));
    }
}
