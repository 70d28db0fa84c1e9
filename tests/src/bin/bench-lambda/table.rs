//! The results as Markdown, and where they are kept.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crosspipe_e2e::SetupError;

use crate::process::Round;
use crate::subjects::Subject;

/// What stands before the results and behind them in the file that keeps them.
const MARKS: [&str; 2] =
    ["<!-- functions: written by `cargo bench-lambda --record` -->\n", "<!-- end of functions -->"];

/// The medians of one function.
struct Medians {
    /// In milliseconds; none where it serves no requests here.
    times: [Option<f64>; 4],
    kibibytes: f64,
}

/// The results as Markdown.
pub(crate) fn of(subjects: &[Subject], measured: &[Vec<Round>]) -> String {
    let medians: Vec<Medians> = measured.iter().map(|rounds| medians_of(rounds)).collect();
    // What all are compared with: the one whose package is not ours.
    let other = subjects.iter().zip(&medians).find(|(subject, _)| subject.package.is_none());
    let mut text = format!("{}\n\n", run(measured.first().map_or(0, Vec::len)));
    text.push_str("| | init | cold request | warm request | processor | peak memory | package |\n");
    text.push_str("|---|---:|---:|---:|---:|---:|---:|\n");
    for (subject, own) in subjects.iter().zip(&medians) {
        let _ = write!(text, "| {} |", subject.name);
        let compared = other.filter(|_| subject.package.is_some()).map(|(_, other)| other);
        for (index, time) in own.times.iter().enumerate() {
            let other = compared.and_then(|other| other.times.get(index).copied().flatten());
            let shown = time.map_or("–".to_owned(), |time| format!("{time:.1} ms{}", share(time, other)));
            let _ = write!(text, " {shown} |");
        }
        let memory = share(own.kibibytes, compared.map(|other| other.kibibytes));
        let package =
            subject.package.map_or("–".to_owned(), |bytes| format!("{:.1} MB", bytes as f64 / 1e6));
        let _ = writeln!(text, " {:.1} MiB{memory} | {package} |", own.kibibytes / 1024.0);
    }
    text
}

/// Which part of the other's this is.
fn share(own: f64, other: Option<f64>) -> String {
    other.map_or(String::new(), |other| match other / own {
        times if times >= 10.0 => format!(" (1/{times:.0})"),
        times if times >= 1.0 => format!(" (1/{times:.1})"),
        times => format!(" ({:.1} times)", 1.0 / times),
    })
}

fn medians_of(rounds: &[Round]) -> Medians {
    let time = |of: fn(&Round) -> Option<Duration>| {
        let times: Vec<f64> = rounds.iter().filter_map(of).map(|time| time.as_secs_f64() * 1e3).collect();
        median(times)
    };
    Medians {
        times: [
            time(|round| Some(round.init)),
            time(|round| round.cold),
            time(|round| round.warm),
            time(|round| Some(round.processor)),
        ],
        kibibytes: median(rounds.iter().map(|round| round.memory as f64).collect()).unwrap_or_default(),
    }
}

fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied()
}

/// Where and with what.
fn run(rounds: usize) -> String {
    let printed = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().map(|output| output.stdout);
        String::from_utf8_lossy(&output.unwrap_or_default()).trim().to_owned()
    };
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    format!(
        "{}, {} {}{}, {} logical processors. {}, {}. Medians of {rounds} starts.",
        printed("date", &["-u", "+%Y-%m-%d"]),
        std::env::consts::OS,
        std::env::consts::ARCH,
        processor.map_or(String::new(), |(_, name)| format!(" ({name})")),
        std::thread::available_parallelism().map_or(1, usize::from),
        printed("rustc", &["--version"]),
        printed("python3", &["--version"]),
    )
}

/// Puts the results in the place of those before.
///
/// # Errors
///
/// When the file can't be read or written, or has no place for them.
pub(crate) fn write(file: &Path, results: &str) -> Result<(), SetupError> {
    let doing = || SetupError::while_doing(file.display());
    let text = fs::read_to_string(file).map_err(doing())?;
    let [begin, end] = MARKS;
    let parts = text.split_once(begin).and_then(|(before, rest)| Some((before, rest.split_once(end)?.1)));
    let (before, behind) =
        parts.ok_or_else(|| SetupError::new(format!("{}: it has no `{end}`", file.display())))?;
    fs::write(file, format!("{before}{begin}{results}{end}{behind}")).map_err(doing())
}
