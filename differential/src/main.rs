//! Compares our evaluation with an independent one, on random policies and requests.
//!
//! `cargo differential` takes a fresh seed and prints it; `--seed N` repeats a run, `--pairs N` sets its
//! length, `--record FILE` writes the pairs and answers down for the test that needs no Node.js.
//! `cargo compare` says how long each takes: see [`compare`].

mod cases;
mod compare;
mod conditions;
mod keys;
mod known;
mod oracle;
mod parts;
mod peer;
mod random;
mod report;
mod scene;
mod shrink;
mod statements;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use crosspipe_core::evaluation::Question;
use serde_json::Value;

use oracle::Oracle;
use random::Random;
use report::Report;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).peekable();
    let outcome = match arguments.next_if(|first| first == "compare") {
        Some(_) => compare::run(arguments),
        None => Options::read(arguments).and_then(|options| run(&options)),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("differential: {message}");
            ExitCode::from(2)
        }
    }
}

/// Whether the two agree wherever they should.
fn run(options: &Options) -> Result<bool, String> {
    let mut oracle = Oracle::start(&folder()).map_err(|error| error.to_string())?;
    let mut random = Random::new(options.seed);
    let mut report = Report::default();
    let mut left = options.pairs;
    println!("seed {}", options.seed);
    while left > 0 {
        let batch: Vec<Value> = (0..left.min(2_000)).map(|_| cases::case(&mut random)).collect();
        left -= batch.len();
        let answers = oracle.ask(&batch).map_err(|error| error.to_string())?;
        for (case, theirs) in batch.into_iter().zip(answers) {
            report.add(case, theirs)?;
        }
    }
    report.print(&mut oracle);
    if let Some(file) = &options.record {
        std::fs::write(file, report.recording()).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(report.agrees())
}

/// Our answer to a case.
fn ours(case: &Value) -> Result<String, String> {
    let question: Question = serde_json::from_value(case.clone()).map_err(|error| error.to_string())?;
    let decision = question.evaluate().decision;
    let name = serde_json::to_value(decision).map_err(|error| error.to_string())?;
    Ok(name.as_str().unwrap_or_default().to_owned())
}

fn folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"));
    target.join("differential")
}

struct Options {
    pairs: usize,
    seed: u64,
    record: Option<PathBuf>,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs());
        let mut options = Options { pairs: 20_000, seed: now, record: None };
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("`{name}` needs a value"))?;
            let number = || value.parse().map_err(|_| format!("`{value}` after `{name}` is not a number"));
            match name.as_str() {
                "--pairs" => {
                    options.pairs =
                        value.parse().map_err(|_| format!("`{value}` after `{name}` is not a number"))?
                }
                "--seed" => options.seed = number()?,
                "--record" => options.record = Some(PathBuf::from(value)),
                _ => {
                    return Err(format!(
                        "`{name}` is unknown: there are --pairs N, --seed N and --record FILE"
                    ));
                }
            }
        }
        Ok(options)
    }
}
