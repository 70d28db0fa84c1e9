//! How long our evaluation and our linter take beside others, on the same inputs in one run.
//!
//! `cargo compare` prints the tables of `docs/performance.md`; `--record FILE` writes them into that file,
//! `--rounds N` sets how often each subject is timed.
//!
//! # Layout
//! - this file: the rounds; subjects take turns, so that whatever else the machine does meets all of them
//! - [`ours`]: what we time of our own; [`parliament`]: the linter of policies
//! - [`clock`]: what a thread has used of a processor
//! - [`memory`]: what a process that lints many snapshots needs at most
//! - [`table`]: the results as Markdown

mod clock;
mod memory;
mod ours;
mod parliament;
mod table;

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde_json::{Value, json};

use crate::oracle;
use crate::peer::Peer;
use ours::Ours;

/// How long one round of one subject lasts, about: long enough for the clock, short enough to take turns.
const ROUND: f64 = 5e8;

/// How many of the subjects evaluate; the others lint.
const EVALUATIONS: usize = 6;

/// What is timed: called with how often, it says how long that took in nanoseconds and what came out.
struct Subject<'a> {
    name: &'static str,
    /// How many of its inputs one pass takes.
    inputs: usize,
    /// What one pass has to come to, where that is known: a subject that does not do the work is not timed.
    expected: Option<u64>,
    run: Run<'a>,
}

/// Makes this many passes, and tells how many nanoseconds they took and what they came to.
type Run<'a> = Box<dyn FnMut(u64) -> Result<(f64, u64), String> + 'a>;

/// How long one input took a subject, in nanoseconds.
struct Timed {
    name: &'static str,
    median: f64,
    fastest: f64,
}

/// Compares. True, since there is nothing that it could fail but to run.
pub(crate) fn run(mut arguments: impl Iterator<Item = String>) -> Result<bool, String> {
    let (mut rounds, mut record) = (9u32, None);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("`{name}` needs a value"))?;
        let number =
            || value.parse().map_err(|_| format!("`{value}` after `{name}` is not a number above 0"));
        match name.as_str() {
            "--rounds" => rounds = number()?,
            "--record" => record = Some(PathBuf::from(value)),
            memory::OPTION => return memory::child(number()?).map(|()| true),
            _ => return Err(format!("`{name}` is unknown: there are --rounds N and --record FILE")),
        }
    }
    if rounds == 0 {
        return Err("`--rounds` is 0: a median needs one at least".into());
    }
    if cfg!(debug_assertions) {
        return Err("this is a debug build, which says nothing about time: run `cargo compare`".into());
    }
    let text = compare(rounds as usize)?;
    println!("{text}");
    if let Some(file) = record {
        table::write(&file, &text)?;
    }
    Ok(true)
}

fn compare(rounds: usize) -> Result<String, String> {
    let folder = crate::folder();
    let ours = Ours::new(crosspipe_testing::EVALUATIONS)?;
    let policies = ours.policies();
    let questions = absolute(&folder.join("questions.jsonl"), &ours.questions())?;
    let mut node = oracle::start(&folder, "timing.mjs", &[&questions]).map_err(|error| error.to_string())?;
    let mut linter = parliament::start(&folder, &absolute(&folder.join("policies.jsonl"), &policies)?)?;
    let versions = [&mut node, &mut linter].map(|peer| peer.answer().map_err(|error| error.to_string()));
    let [evaluator, python] = versions;
    let versions = [evaluator?, python?];

    let mut subjects = subjects(&ours, Rc::new(RefCell::new(node)), linter);
    let mut timed = in_turns(&mut subjects, rounds)?;
    let lint = timed.split_off(EVALUATIONS);
    Ok(table::of(&table::Results {
        evaluation: &timed,
        lint: &lint,
        rounds,
        versions: &versions,
        questions: ours.number_of_questions(),
        policies: policies.lines().count() / ours.number_of_snapshots(),
        memory: &memory::measure()?,
    }))
}

/// What is timed, in the order of the tables.
fn subjects<'a>(ours: &'a Ours, node: Rc<RefCell<Peer>>, mut linter: Peer) -> Vec<Subject<'a>> {
    let (questions, snapshots) = (ours.number_of_questions(), ours.number_of_snapshots());
    let own = |name, inputs, expected, pass: fn(&Ours) -> u64| Subject {
        name,
        inputs,
        expected: Some(expected),
        run: Box::new(move |passes| Ok(clock::time(passes, || pass(ours)))),
    };
    let other = |name, times: u64, what: &'static str| {
        let node = Rc::clone(&node);
        let run = move |passes| ask(&mut node.borrow_mut(), &json!({"what": what, "passes": passes}));
        let expected = Some(ours.allowed_by_other * times);
        Subject { name, inputs: questions * times as usize, expected, run: Box::new(run) }
    };
    vec![
        own("Crosspipe, each ten times", questions * 10, ours.allowed * 10, Ours::decide_ten_times),
        other("iam-simulate, each ten times", 10, "decide_ten_times"),
        own("Crosspipe, all in turn", questions, ours.allowed, Ours::decide),
        other("iam-simulate, all in turn", 1, "decide"),
        own("Crosspipe, all in turn, from JSON", questions, ours.allowed, Ours::parse_and_decide),
        other("iam-simulate, all in turn, from JSON", 1, "parse_and_decide"),
        own("Crosspipe, snapshot parsed before", snapshots, 0, Ours::lint),
        own("Crosspipe, from JSON", snapshots, 0, Ours::parse_and_lint),
        Subject {
            name: "parliament, from JSON",
            inputs: snapshots,
            expected: None,
            run: Box::new(move |passes| ask(&mut linter, &json!({"passes": passes}))),
        },
    ]
}

/// Rounds in which each subject has its turn, after a warm-up that also says how many passes a round has.
fn in_turns(subjects: &mut [Subject<'_>], rounds: usize) -> Result<Vec<Timed>, String> {
    let mut passes = vec![];
    for subject in &mut *subjects {
        // The first passes load caches, and let Node.js compile what it runs often.
        let (mut took, mut warm) = (0.0, 1);
        while took < ROUND {
            let (time, result) = (subject.run)(warm)?;
            took = time;
            let one = result / warm;
            if subject.expected.is_some_and(|expected| expected != one) {
                return Err(format!("{}: {one} came out, not {:?}", subject.name, subject.expected));
            }
            warm *= 2;
        }
        passes.push(warm / 2);
    }
    let mut times: Vec<Vec<f64>> = subjects.iter().map(|_| vec![]).collect();
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}");
        for ((subject, passes), times) in subjects.iter_mut().zip(&passes).zip(&mut times) {
            let (time, _) = (subject.run)(*passes)?;
            times.push(time / (*passes as f64) / (subject.inputs as f64));
        }
    }
    let timed = subjects.iter().zip(times).map(|(subject, mut times)| {
        times.sort_by(f64::total_cmp);
        let at = |index: usize| times.get(index).copied().unwrap_or(f64::NAN);
        Timed { name: subject.name, median: at(rounds / 2), fastest: at(0) }
    });
    Ok(timed.collect())
}

fn ask(peer: &mut Peer, question: &Value) -> Result<(f64, u64), String> {
    let mut ask = || {
        peer.send(&format!("{question}\n"))?;
        peer.answer()
    };
    let answer = ask().map_err(|error| error.to_string())?;
    let time =
        answer.get("nanoseconds").and_then(Value::as_f64).ok_or_else(|| format!("{answer} is no time"))?;
    Ok((time, answer.get("result").and_then(Value::as_u64).unwrap_or_default()))
}

/// Writes a file and says where it is, wherever a program that reads it runs.
fn absolute(file: &Path, text: &str) -> Result<PathBuf, String> {
    let write = || {
        file.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(file, text)?;
        file.canonicalize()
    };
    write().map_err(|error| format!("{}: {error}", file.display()))
}
