//! Log lines as Lambda reads them: one JSON object a line, with `timestamp` and `level`.
//!
//! Lambda takes a line's level from these two members. A line without a valid timestamp counts as `INFO`, whatever it
//! says, so it is dropped where only errors are wanted. See
//! <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>.

use std::io;
use std::panic;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging to standard output. `RUST_LOG` decides what is logged; without it, everything from `INFO` on. A
/// panic is an error, too.
pub fn init() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    json_lines(filter, io::stdout).init();
    panic::set_hook(Box::new(log_panic));
}

/// A subscriber that writes one JSON object a line.
fn json_lines<W>(filter: EnvFilter, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(writer).finish()
}

fn log_panic(panicked: &panic::PanicHookInfo<'_>) {
    tracing::error!(panic = %panicked, "panicked");
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use serde_json::Value;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const LEVELS: [&str; 5] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"];

    fn rank(level: &str) -> usize {
        LEVELS.iter().position(|known| *known == level).unwrap()
    }

    /// The level that Lambda takes a line for.
    fn level_for_lambda(line: &str) -> String {
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        let is_rfc_3339 = |time: &str| {
            let digits = |range| {
                time.get(range)
                    .is_some_and(|it: &str| !it.is_empty() && it.bytes().all(|b| b.is_ascii_digit()))
            };
            digits(0..4) && digits(5..7) && digits(8..10) && digits(11..13) && time.ends_with('Z')
        };
        let level = line["level"].as_str().filter(|level| LEVELS.contains(level));
        let is_valid = line["timestamp"].as_str().is_some_and(is_rfc_3339);
        level.filter(|_| is_valid).unwrap_or("INFO").to_owned()
    }

    /// The messages that Lambda keeps, where both our filter and Lambda's are at `level`.
    fn kept(level: &str) -> Vec<String> {
        let lines = Lines::default();
        let writer = lines.clone();
        tracing::subscriber::with_default(json_lines(EnvFilter::new(level), move || writer.clone()), || {
            tracing::trace!("trace");
            tracing::debug!("debug");
            tracing::info!("info");
            tracing::warn!("warn");
            tracing::error!("error");
            panic::set_hook(Box::new(log_panic));
            assert!(panic::catch_unwind(|| panic!("on purpose")).is_err());
            drop(panic::take_hook());
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let kept = text.lines().filter(|line| rank(&level_for_lambda(line)) >= rank(level));
        let message = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["fields"]["message"].as_str().unwrap().to_owned()
        };
        kept.map(message).collect()
    }

    #[test]
    fn lambda_keeps_each_level() {
        assert_eq!(kept("ERROR"), ["error", "panicked"]);
        assert_eq!(kept("WARN"), ["warn", "error", "panicked"]);
        assert_eq!(kept("INFO"), ["info", "warn", "error", "panicked"]);
        assert_eq!(kept("DEBUG"), ["debug", "info", "warn", "error", "panicked"]);
    }

    #[test]
    fn lines_without_time_count_as_info() {
        assert_eq!(level_for_lambda(r#"{"level": "ERROR"}"#), "INFO");
        assert_eq!(level_for_lambda("thread 'main' panicked"), "INFO");
    }
}
