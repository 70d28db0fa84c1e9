//! What the product has to keep to over the public reports.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::fs;

use crosspipe_accuracy::public::{FIFTH, FIRST, FOURTH, ReportSet, SECOND, SETS, SIXTH, THIRD};

/// What a set has to keep to: failures and pipelines that have to be right, raised as the product gets better and never
/// lowered.
const FLOORS: [(ReportSet, usize, usize); 6] =
    [(FIRST, 74, 33), (SECOND, 46, 10), (THIRD, 22, 0), (FOURTH, 40, 10), (FIFTH, 28, 10), (SIXTH, 42, 9)];

#[test]
fn score_keeps_to_its_floor() {
    for (set, failures, pipelines) in FLOORS {
        let outcome = set.run().unwrap();
        let score = outcome.score();
        assert!(score.failures_right >= failures && score.pipelines_right >= pipelines, "{outcome}");
    }
}

#[test]
fn nothing_is_wrongly_confirmed() {
    for (set, ..) in FLOORS {
        let outcome = set.run().unwrap();
        assert!(outcome.wrongly_confirmed().is_empty(), "{outcome}");
    }
}

#[test]
fn no_report_goes_missing() {
    for (set, ..) in FLOORS {
        let score = set.run().unwrap().score();
        let first = set.first_run;
        assert!(score.failures >= first.failures && score.pipelines >= first.pipelines, "{score}");
    }
}

#[test]
fn every_report_has_its_source() {
    for folder in SETS.into_iter().flat_map(|set| ["diagnose", "lint"].map(|kind| set.path().join(kind))) {
        for report in fs::read_dir(folder).into_iter().flatten() {
            let path = report.unwrap().path().join("source.md");
            let source = fs::read_to_string(&path).unwrap_or_default();
            assert!(source.contains("https://"), "{} says not where it is from", path.display());
        }
    }
}
