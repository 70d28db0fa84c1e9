//! Prints how often the diagnosis names the cause of labelled failures, and where it does not: for the set made
//! beside the rules, and for the sets of public reports.

use std::process::ExitCode;

use crosspipe_accuracy::case::all;
use crosspipe_accuracy::judge::judge;
use crosspipe_accuracy::public::{ReportSet, SETS};
use crosspipe_accuracy::report::Totals;

fn main() -> ExitCode {
    let judged = all().and_then(|cases| cases.into_iter().map(judge).collect::<Result<Vec<_>, _>>());
    let sets = SETS.into_iter().map(ReportSet::run).collect::<Result<Vec<_>, _>>();
    let all = judged.and_then(|judged| Ok((Totals(judged), sets?)));
    match all {
        Ok((totals, sets)) => {
            print!("{totals}");
            sets.iter().for_each(|set| print!("\n{set}"));
            if totals.wrong().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(message) => {
            eprintln!("accuracy: {message}");
            ExitCode::from(2)
        }
    }
}
