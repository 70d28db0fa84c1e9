//! A part of what `cargo faults` tries: the faults that are nearest to a lost edit, a leaked grant or a lost alert.

use crosspipe_e2e::faults::{Row, Trouble, Verdict, provider, reporter, share_out, table, trouble};
use crosspipe_e2e::workbench::{Kind, Workbench};

const WORKERS: usize = 10;

#[track_caller]
fn assert_none_bad(rows: &[Row]) {
    let is_bad = rows.iter().any(|row| matches!(row.verdict, Verdict::Bad(_)));
    assert!(!rows.is_empty() && !is_bad, "{}", table::to_markdown(&table::sections(rows)));
}

fn troubles(names: &[&str]) -> Vec<Trouble> {
    names.iter().map(|name| trouble(name).unwrap()).collect()
}

#[test]
fn every_request_is_answered_and_undone() {
    let bench = Workbench::build().unwrap();
    let kinds = [Kind::Key, Kind::Pipeline];
    let scout = provider::Sender::start(&bench, "scout", &kinds).unwrap();
    let mut cases = scout.cases(Kind::Key, &troubles(&["denied", "answer lost", "killed after"]));
    cases.extend(scout.cases(Kind::Pipeline, &troubles(&["answer lost"])));
    let rows = share_out(cases, WORKERS, |worker| {
        let mut sender = provider::Sender::start(&bench, &format!("worker{worker}"), &kinds)?;
        Ok(move |case| sender.try_case(case))
    });
    assert_none_bad(&rows.unwrap());
}

#[test]
fn every_failure_is_alerted_or_kept() {
    let bench = Workbench::build().unwrap();
    let pipeline = reporter::FailingPipeline::make(&bench).unwrap();
    let scout = reporter::Sender::start(&pipeline, "scout").unwrap();
    let cases = scout.cases(&troubles(&["denied", "answer lost", "killed after"]));
    let rows = share_out(cases, WORKERS, |worker| {
        let mut sender = reporter::Sender::start(&pipeline, &format!("worker{worker}"))?;
        Ok(move |case| sender.try_case(case))
    });
    assert_none_bad(&rows.unwrap());
}
