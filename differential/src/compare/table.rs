//! The results as Markdown, and where they are kept.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::{Timed, clock};

/// What stands before the results and behind them in the file that keeps them.
const MARKS: [&str; 2] =
    ["<!-- results: written by `cargo compare --record` -->\n", "<!-- end of results -->"];

/// Everything that one run found out.
pub(super) struct Results<'a> {
    /// Each subject; those of the evaluation before those of linting.
    pub evaluation: &'a [Timed],
    pub lint: &'a [Timed],
    pub rounds: usize,
    /// The programs that we compare ourselves with.
    pub versions: &'a [Value],
    /// How many questions were asked.
    pub questions: usize,
    /// How many policies a snapshot has.
    pub policies: usize,
    /// How many snapshots were linted, and the largest resident set in KiB.
    pub memory: &'a [(u32, u64)],
}

/// The results as Markdown.
pub(super) fn of(results: &Results<'_>) -> String {
    let mut text = format!("{}\n\n", run(results));
    let _ = writeln!(text, "Evaluation of {} requests:\n", thousands(results.questions as u64));
    let others = [1, 1, 3, 3, 5, 5];
    rows(&mut text, "one evaluation", results.evaluation, &others);
    let _ = writeln!(text, "\nLinting one snapshot, or the {} policies in it:\n", results.policies);
    rows(&mut text, "one snapshot", results.lint, &[2, 2, 2]);
    if !results.memory.is_empty() {
        text.push_str("\nMemory of a process that lints snapshots one after the other:\n\n");
        text.push_str("| snapshots | largest resident set |\n|---:|---:|\n");
        for (number, peak) in results.memory {
            let _ = writeln!(text, "| {} | {} KiB |", thousands(u64::from(*number)), thousands(*peak));
        }
    }
    text
}

/// When, where and with what.
fn run(results: &Results<'_>) -> String {
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let rust =
        Command::new("rustc").arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    let rust = String::from_utf8_lossy(&rust).split_whitespace().nth(1).unwrap_or("unknown").to_owned();
    let others: Vec<&str> = results.versions.iter().filter_map(Value::as_str).collect();
    let of_time =
        if clock::is_of_processor() { "processor time of the main thread" } else { "wall-clock time" };
    format!(
        "{}, {} {}{}, {} logical processors. Rust {rust}, {}. {} rounds, {of_time}.",
        today(),
        std::env::consts::OS,
        std::env::consts::ARCH,
        processor.map_or(String::new(), |(_, name)| format!(" ({name})")),
        std::thread::available_parallelism().map_or(1, usize::from),
        others.join(", "),
        results.rounds,
    )
}

/// One row per subject. `others` says with which row each is compared.
fn rows(text: &mut String, what: &str, timed: &[Timed], others: &[usize]) {
    let _ = writeln!(text, "| {what} | median | fastest round | per second | of the other's time |");
    text.push_str("|---|---:|---:|---:|---:|\n");
    for (row, other) in timed.iter().zip(others) {
        let other = timed.get(*other).map_or(f64::NAN, |other| other.median);
        let ratio = if row.median == other { "1".to_owned() } else { format!("1/{:.0}", other / row.median) };
        let per_second = thousands((1e9 / row.median) as u64);
        let (median, fastest) = (microseconds(row.median), microseconds(row.fastest));
        let _ = writeln!(text, "| {} | {median} | {fastest} | {per_second} | {ratio} |", row.name);
    }
}

fn microseconds(nanoseconds: f64) -> String {
    let microseconds = nanoseconds / 1e3;
    let decimals = if microseconds < 100.0 { 2 } else { 0 };
    format!("{microseconds:.decimals$} µs")
}

fn thousands(number: u64) -> String {
    match number {
        0..1_000 => number.to_string(),
        _ => format!("{},{:03}", thousands(number / 1_000), number % 1_000),
    }
}

/// Today's date in UTC, by the proleptic Gregorian calendar.
fn today() -> String {
    let days = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 86_400);
    // Eras of 400 years that begin on 1 March, so that a leap day is the last of its year.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    format!("{}-{month:02}-{day:02}", era * 400 + year + u64::from(month <= 2))
}

/// Puts the results in the place of those before.
pub(super) fn write(file: &Path, results: &str) -> Result<(), String> {
    let problem = |error: std::io::Error| format!("{}: {error}", file.display());
    let text = fs::read_to_string(file).map_err(problem)?;
    let [begin, end] = MARKS;
    let parts = text.split_once(begin).and_then(|(before, rest)| Some((before, rest.split_once(end)?.1)));
    let (before, behind) = parts.ok_or_else(|| format!("{}: it has no `{end}`", file.display()))?;
    fs::write(file, format!("{before}{begin}{results}{end}{behind}")).map_err(problem)
}
