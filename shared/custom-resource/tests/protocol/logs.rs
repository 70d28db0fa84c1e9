//! Everything that is logged by this test program, at the most talkative level, dependencies included.

use std::io::{self, Write};
use std::sync::{Mutex, Once, PoisonError};

use crate::QUERY;

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Starts to capture. All tests share one log: what one of them leaks is found by whichever looks.
pub(crate) fn capture() {
    static START: Once = Once::new();
    START.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_writer(|| Writer)
            .with_ansi(false)
            .init();
    });
}

/// Asserts that this was logged, and that no part of a `ResponseURL` nor a property's value was.
pub(crate) fn assert_told_without_secrets(told: &str) {
    let log = String::from_utf8(LOG.lock().unwrap_or_else(PoisonError::into_inner).clone()).unwrap();
    assert!(log.contains(told), "{told} is not in the log:\n{log}");
    let parts = QUERY.split('&').filter_map(|parameter| parameter.split_once('=')).map(|(_, value)| value);
    for secret in parts.chain(["stack%7CKey", "hunter2"]) {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}

struct Writer;

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
