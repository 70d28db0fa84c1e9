//! `cargo faults`: every AWS call of every custom resource and of the failure reporter with every fault, on local AWS.
//!
//! `--record FILE` writes the tables into the file, `--workers N` sets how many cases run side by side, `--only NAME` keeps
//! to one resource type or to `reporter`, and leaves the tables of the others in the file as they are. It ends with 1 where something is as it should not be.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use crosspipe_e2e::faults::{Row, TROUBLES, Trouble, Verdict, provider, reporter, share_out, table, trouble};
use crosspipe_e2e::workbench::{Kind, Workbench};

const BEGIN: &str = "<!-- results: written by `cargo faults --record` -->\n";
const END: &str = "<!-- end of results -->";
/// What goes wrong with the calls of all types but the key grant, whose calls see everything.
const BESIDE_KEY: [&str; 7] =
    ["denied", "500", "reset once", "answer lost", "answer late", "killed before", "killed after"];
/// What goes wrong with the calls of a report.
const OF_REPORT: [&str; 9] = [
    "denied",
    "throttled once",
    "500",
    "reset once",
    "answer lost",
    "answer cut",
    "no answer",
    "killed before",
    "killed after",
];

struct Arguments {
    record: Option<PathBuf>,
    workers: usize,
    only: Option<String>,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments = read_arguments()?;
    let started = Instant::now();
    let bench = Workbench::build()?;
    let is_asked = |name: &str| arguments.only.as_deref().is_none_or(|only| only == name);
    let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| is_asked(kind.name())).collect();
    let mut rows = vec![];
    if !kinds.is_empty() {
        rows.extend(try_provider(&bench, &kinds, arguments.workers)?);
    }
    if is_asked("reporter") {
        rows.extend(try_reporter(&bench, arguments.workers)?);
    }
    let sections = table::sections(&rows);
    eprintln!("{}, {} s", table::summary(&rows), started.elapsed().as_secs());
    match &arguments.record {
        Some(path) => {
            let page = std::fs::read_to_string(path)?;
            let (before, rest) = page.split_once(BEGIN).ok_or("the page has no place for results")?;
            let (results, after) = rest.split_once(END).ok_or("the page's results have no end")?;
            let mut all = table::from_markdown(results);
            all.extend(sections);
            std::fs::write(path, format!("{before}{BEGIN}{}{END}{after}", table::to_markdown(&all)))?;
        }
        None => println!("{}", table::to_markdown(&sections)),
    }
    let is_bad = rows.iter().any(|row| matches!(row.verdict, Verdict::Bad(_)));
    Ok(if is_bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn read_arguments() -> Result<Arguments, Box<dyn Error>> {
    let mut arguments = Arguments { record: None, workers: 12, only: None };
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        let value = given.next().ok_or("usage: cargo faults [--record FILE] [--workers N] [--only NAME]")?;
        match name.as_str() {
            "--record" => arguments.record = Some(value.into()),
            "--workers" => arguments.workers = value.parse()?,
            "--only" => arguments.only = Some(value),
            _ => return Err(format!("`{name}` is not known").into()),
        }
    }
    Ok(arguments)
}

fn try_provider(bench: &Workbench, kinds: &[Kind], workers: usize) -> Result<Vec<Row>, Box<dyn Error>> {
    let scout = provider::Sender::start(bench, "scout", kinds)?;
    let mut cases = vec![];
    for kind in kinds {
        let beside: Vec<Trouble> = BESIDE_KEY.into_iter().filter_map(trouble).collect();
        let troubles: &[Trouble] = if *kind == Kind::Key { &TROUBLES } else { &beside };
        cases.extend(scout.cases(*kind, troubles));
    }
    eprintln!("{} cases of custom resources", cases.len());
    Ok(share_out(cases, workers, |worker| {
        let mut sender = provider::Sender::start(bench, &format!("worker{worker}"), kinds)?;
        Ok(move |case| shown(sender.try_case(case)))
    })?)
}

fn try_reporter(bench: &Workbench, workers: usize) -> Result<Vec<Row>, Box<dyn Error>> {
    let pipeline = reporter::FailingPipeline::make(bench)?;
    let scout = reporter::Sender::start(&pipeline, "scout")?;
    let troubles: Vec<Trouble> = OF_REPORT.into_iter().filter_map(trouble).collect();
    let cases = scout.cases(&troubles);
    eprintln!("{} cases of reports; calls: {}", cases.len(), scout.calls().join(", "));
    Ok(share_out(cases, workers, |worker| {
        let mut sender = reporter::Sender::start(&pipeline, &format!("worker{worker}"))?;
        Ok(move |case| shown(sender.try_case(case)))
    })?)
}

/// Shows a row while the others are still to come.
fn shown(row: Row) -> Row {
    eprintln!("{}, {}, {}: {:?}", row.work, row.operation, row.trouble.name, row.verdict);
    row
}
