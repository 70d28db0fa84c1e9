//! How often a target was put back lately. What somebody removes again and again is meant to be gone, so after
//! [`MOST_TIMES`] remediations within [`WINDOW`] nothing is put back there any more.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crosspipe_aws::AwsError;
use crosspipe_aws::lease::{Lease, LeaseError, Leases};
use crosspipe_core::remediation::Target;

/// How often one target is put back within [`WINDOW`].
const MOST_TIMES: usize = 2;
/// The window slides: each remediation counts for this long.
const WINDOW: Duration = Duration::from_secs(24 * 60 * 60);
/// The note on the row of a target: seconds since the epoch, separated by blanks.
const TIMES: &str = "Remediated";

/// The remediations of one target, held by this invocation.
#[derive(Debug)]
pub(super) struct History {
    lease: Lease,
    times: Vec<u64>,
}

impl History {
    /// Reads the history of a target, and holds it until it is recorded or released.
    ///
    /// # Errors
    /// When another invocation holds it until `deadline`, or the lock table can't be written.
    pub(super) async fn open(
        leases: &Leases,
        target: &Target,
        holder: &str,
        deadline: SystemTime,
    ) -> Result<Self, LeaseError> {
        let key = format!("remediated:{:?}:{}", target.kind, target.name);
        let lease = leases.acquire(&key, holder, deadline, deadline).await?;
        let times = recent_times(lease.notes().get(TIMES).map(String::as_str), SystemTime::now());
        Ok(History { lease, times })
    }

    /// Whether the target was put back too often to be put back again.
    pub(super) fn is_exhausted(&self) -> bool {
        self.times.len() >= MOST_TIMES
    }

    /// Adds a remediation, and lets the next invocation in.
    ///
    /// # Errors
    /// When the lock table can't be written.
    pub(super) async fn record(mut self) -> Result<(), AwsError> {
        self.times.push(epoch_seconds(SystemTime::now()));
        let times: Vec<String> = self.times.iter().map(u64::to_string).collect();
        self.lease.release_noting(TIMES, Some(&times.join(" "))).await
    }

    /// Lets the next invocation in.
    pub(super) async fn release(self) {
        self.lease.release().await;
    }
}

/// What to say of a target that is not put back any more.
pub(super) fn exhausted_step(target: &Target) -> String {
    format!(
        "Did not put back {}: it was put back {MOST_TIMES} times within {} hours and removed each time. If it is still wanted, \
         update the stack that owns it; to pause remediation, set RemediationMode=propose.",
        target.label(),
        WINDOW.as_secs() / 3600
    )
}

/// The times of a note that are within [`WINDOW`]; what can't be read counts for nothing.
fn recent_times(note: Option<&str>, now: SystemTime) -> Vec<u64> {
    let since = epoch_seconds(now).saturating_sub(WINDOW.as_secs());
    let times = note.unwrap_or_default().split(' ').filter_map(|time| time.parse().ok());
    times.filter(|time| *time > since).collect()
}

fn epoch_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_recent_times_count() {
        let now = UNIX_EPOCH + Duration::from_secs(1_000_000);
        assert!(recent_times(None, now).is_empty());
        assert_eq!(recent_times(Some("x 913600 913601 999999"), now), [913_601, 999_999]);
    }
}
