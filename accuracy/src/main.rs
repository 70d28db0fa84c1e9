//! Prints how often the diagnosis names the cause of labelled failures, and where it does not.

use std::process::ExitCode;

use crosspipe_accuracy::case::all;
use crosspipe_accuracy::judge::judge;
use crosspipe_accuracy::report::Totals;

fn main() -> ExitCode {
    let judged = all().and_then(|cases| cases.into_iter().map(judge).collect::<Result<Vec<_>, _>>());
    match judged.map(Totals) {
        Ok(totals) => {
            print!("{totals}");
            if totals.wrong().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(message) => {
            eprintln!("accuracy: {message}");
            ExitCode::from(2)
        }
    }
}
