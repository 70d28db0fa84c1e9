//! `cargo concurrency [RUNS]`: fifty function processes grant, update and revoke on the same key, bucket, build project and
//! pipeline while somebody else edits them and one in five processes is killed; so many times in a row (20).
//!
//! It ends with 1 at the first run in which something is lost or left.

use std::error::Error;
use std::time::Instant;

use crosspipe_e2e::concurrency::Crowd;
use crosspipe_e2e::workbench::Workbench;

const WRITERS: usize = 50;

fn main() -> Result<(), Box<dyn Error>> {
    let runs = std::env::args().nth(1).map_or(Ok(20), |runs| runs.parse())?;
    let bench = Workbench::build()?;
    let crowd = Crowd::gather(&bench, WRITERS)?;
    println!("| run | SUCCESS | FAILED, undone | killed, sent again | edits of the other | seconds |");
    println!("|---:|---:|---:|---:|---:|---:|");
    for run in 0..runs {
        let started = Instant::now();
        let tally = crowd.run(&format!("run{run}"), run)?;
        println!(
            "| {} | {} | {} | {} | {} | {} |",
            run + 1,
            tally.succeeded,
            tally.failed,
            tally.killed,
            tally.edits,
            started.elapsed().as_secs()
        );
    }
    Ok(())
}
