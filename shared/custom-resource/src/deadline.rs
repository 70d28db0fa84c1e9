use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The wall-clock instant by which something has to be finished.
///
/// Wall clock because that is how Lambda states the end of an invocation: milliseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(SystemTime);

impl Deadline {
    /// A deadline at this instant.
    pub fn at(instant: SystemTime) -> Self {
        Self(instant)
    }

    /// A deadline in milliseconds since the epoch, as Lambda's runtime API states it.
    pub fn at_epoch_millis(millis: u64) -> Self {
        Self(UNIX_EPOCH.checked_add(Duration::from_millis(millis)).unwrap_or(UNIX_EPOCH))
    }

    /// A deadline this long from now: for tests and for commands that have no invocation.
    pub fn after(duration: Duration) -> Self {
        let now = SystemTime::now();
        Self(now.checked_add(duration).unwrap_or(now))
    }

    /// The time that is left; zero once the deadline has passed.
    pub fn remaining(self) -> Duration {
        self.0.duration_since(SystemTime::now()).unwrap_or_default()
    }

    /// The deadline that lies `by` before this one.
    #[must_use]
    pub fn earlier(self, by: Duration) -> Self {
        Self(self.0.checked_sub(by).unwrap_or(UNIX_EPOCH))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_past_deadline_has_nothing_left() {
        assert_eq!(Deadline::at_epoch_millis(1).remaining(), Duration::ZERO);
        assert_eq!(Deadline::at(UNIX_EPOCH).remaining(), Duration::ZERO);
    }

    #[test]
    fn earlier_is_before() {
        let end = Deadline::at_epoch_millis(5_000);
        assert_eq!(end.earlier(Duration::from_secs(2)), Deadline::at_epoch_millis(3_000));
        assert_eq!(end.earlier(Duration::MAX), Deadline::at(UNIX_EPOCH));
        assert!(Deadline::after(Duration::from_secs(3600)).remaining() > Duration::from_secs(3000));
    }
}
