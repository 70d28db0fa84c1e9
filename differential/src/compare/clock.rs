//! What a thread has used of a processor.

use std::fs;
use std::sync::OnceLock;
use std::time::Instant;

/// Does something that often, and says how long it took in nanoseconds and the sum of what came out.
///
/// On the main thread only: that is the one which Linux's `/proc/self/schedstat` speaks of.
pub(super) fn time(passes: u64, mut pass: impl FnMut() -> u64) -> (f64, u64) {
    let start = now();
    let result = (0..passes).map(|_| pass()).sum();
    (now() - start, result)
}

/// Whether the clock is the processor's; the programs that are compared read the same one.
pub(super) fn is_of_processor() -> bool {
    of_processor().is_some()
}

/// What the main thread has used of a processor, where the system tells, else the time that passes.
fn now() -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    of_processor().unwrap_or_else(|| START.get_or_init(Instant::now).elapsed().as_nanos() as f64)
}

fn of_processor() -> Option<f64> {
    fs::read_to_string("/proc/self/schedstat").ok()?.split(' ').next()?.parse().ok()
}
