//! How a function starts and serves custom resource requests, beside the same work in Python with crhelper and boto3.
//!
//! `cargo bench-lambda` prints the table of `docs/performance.md`; `--record FILE` writes it into that file, `--rounds N`
//! sets how often each function is started.
//!
//! # Layout
//! - this file: the rounds; functions take turns, so that whatever else the machine does meets all of them
//! - [`host`]: what Lambda is to a function: the Runtime API on loopback
//! - [`process`]: one function's process, from its start to its end, measured
//! - [`scene`]: a key on local AWS, and a stack that waits for a grant on it
//! - [`subjects`]: the functions
//! - [`table`]: the results as Markdown

mod host;
mod process;
mod scene;
mod subjects;
mod table;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use crosspipe_e2e::LocalAws;

use crate::process::Round;
use crate::scene::Scene;

fn main() -> ExitCode {
    match compare() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn compare() -> Result<(), Box<dyn Error>> {
    let (mut rounds, mut record) = (9_usize, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("`{name}` needs a value"))?;
        match name.as_str() {
            "--rounds" => {
                rounds = value
                    .parse()
                    .ok()
                    .filter(|rounds| *rounds > 0)
                    .ok_or_else(|| format!("`{value}` after `--rounds` is not a number above 0"))?;
            }
            "--record" => record = Some(PathBuf::from(value)),
            _ => return Err(format!("`{name}` is unknown: there are --rounds N and --record FILE").into()),
        }
    }
    if cfg!(debug_assertions) {
        return Err("this is a debug build, which says nothing about time: run `cargo bench-lambda`".into());
    }
    eprintln!("building the functions and starting local AWS");
    let aws = LocalAws::start()?;
    let scene = Scene::build(&aws)?;
    let subjects = subjects::all()?;
    let mut measured: Vec<Vec<Round>> = subjects.iter().map(|_| vec![]).collect();
    // The first round of each only fills the caches of the machine.
    for round in 0..=rounds {
        eprintln!("round {round} of {rounds}");
        for (subject, rounds) in subjects.iter().zip(&mut measured) {
            let measured = process::run(subject, &scene)?;
            if round > 0 {
                rounds.push(measured);
            }
        }
    }
    let text = table::of(&subjects, &measured);
    println!("{text}");
    if let Some(file) = record {
        table::write(&file, &text)?;
    }
    Ok(())
}
