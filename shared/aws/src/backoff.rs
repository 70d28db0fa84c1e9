//! The pauses between attempts.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

/// Pauses that double from `first` to `longest`, each up to twice as long by chance, so that many who failed together
/// don't come back together. They never end: whoever pauses knows until when.
pub fn backoff(first: Duration, longest: Duration) -> impl Iterator<Item = Duration> + Send {
    let doubling = ExponentialBuilder::new().with_factor(2.0).with_min_delay(first).with_max_delay(longest);
    doubling.without_max_times().with_jitter().build()
}
