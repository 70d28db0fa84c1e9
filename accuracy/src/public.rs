//! Failures and pipelines that strangers reported in public, and whether the product is right about them.
//!
//! There are six sets, one folder per report. They differ from `cases` in that nobody who works on the rules made their
//! worlds up, and in that their labels were fixed before the first run.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::{Path, PathBuf};

use crosspipe_core::diagnosis::{Confidence, Remediation, diagnose};
use crosspipe_core::incident::Failure;
use crosspipe_core::rules::lint;
use crosspipe_core::snapshot::Snapshot;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::judge::name as confidence_name;

/// A set of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportSet {
    /// The folder that it is in.
    pub folder: &'static str,
    /// The score of the first run over it, before anything was made with it in view. It never changes:
    /// `docs/accuracy.md` says when and on which commit it was taken.
    pub first_run: Score,
}

/// The set of November 2026.
pub const FIRST: ReportSet = ReportSet {
    folder: "public",
    first_run: Score {
        failures_right: 41,
        failures: 74,
        pipelines_right: 25,
        pipelines: 33,
        wrongly_confirmed: 0,
    },
};

/// The set that was made after the product had been fitted to the first.
pub const SECOND: ReportSet = ReportSet {
    folder: "public-second",
    first_run: Score {
        failures_right: 38,
        failures: 46,
        pipelines_right: 8,
        pipelines: 10,
        wrongly_confirmed: 0,
    },
};

/// The failures that were found after the product had been fitted to both.
pub const THIRD: ReportSet = ReportSet {
    folder: "public-third",
    first_run: Score {
        failures_right: 18,
        failures: 22,
        pipelines_right: 0,
        pipelines: 0,
        wrongly_confirmed: 0,
    },
};

/// The reports that were found after the product had been fitted to all three.
pub const FOURTH: ReportSet = ReportSet {
    folder: "public-fourth",
    first_run: Score {
        failures_right: 23,
        failures: 40,
        pipelines_right: 10,
        pipelines: 10,
        wrongly_confirmed: 1,
    },
};

/// What was found beside the fourth, by other people: other providers, partitions and wordings.
pub const FIFTH: ReportSet = ReportSet {
    folder: "public-fifth",
    first_run: Score {
        failures_right: 19,
        failures: 30,
        pipelines_right: 10,
        pipelines: 10,
        wrongly_confirmed: 0,
    },
};

/// What was found after the product had been fitted to all five.
pub const SIXTH: ReportSet = ReportSet {
    folder: "public-sixth",
    first_run: Score {
        failures_right: 33,
        failures: 42,
        pipelines_right: 9,
        pipelines: 9,
        wrongly_confirmed: 0,
    },
};

/// Every set, in the order in which they were made.
pub const SETS: [ReportSet; 6] = [FIRST, SECOND, THIRD, FOURTH, FIFTH, SIXTH];

/// What is expected of the diagnosis of a failure: `expect.json` under `diagnose`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedCause {
    /// The rules of which one has to be the root cause; null where none may be named.
    pub accept: Vec<Option<String>>,
    /// Why, in a sentence.
    pub why: String,
}

/// What is expected of linting a pipeline: `expect.json` under `lint`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExpectedFindings {
    /// Groups of rules, of each of which one has to be found.
    pub must: Vec<Vec<String>>,
    /// Rules that may not be found, as error or as warning.
    pub must_not: Vec<String>,
    /// Why, in a sentence.
    pub why: String,
}

/// What came of one report.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The folder's name.
    pub name: String,
    /// Whether the product said what was expected.
    pub is_right: bool,
    /// Whether it called a root cause confirmed that is not the cause.
    pub is_wrongly_confirmed: bool,
    /// What came and what was expected, in a line.
    pub summary: String,
    /// Why that was expected.
    pub why: String,
}

/// What came of the whole set.
#[derive(Debug, Clone)]
pub struct SetOutcome {
    /// The set.
    pub set: ReportSet,
    /// The failures, by name.
    pub failures: Vec<Outcome>,
    /// The pipelines, by name.
    pub pipelines: Vec<Outcome>,
}

/// The figures over the whole set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    /// Failures whose root cause is one of those accepted.
    pub failures_right: usize,
    /// All failures.
    pub failures: usize,
    /// Pipelines with every expected finding and none that may not be.
    pub pipelines_right: usize,
    /// All pipelines.
    pub pipelines: usize,
    /// Failures with a confirmed root cause that is not the cause.
    pub wrongly_confirmed: usize,
}

impl Score {
    /// The share of failures whose root cause is right, in percent.
    pub fn top_1_percent(&self) -> f64 {
        // Reports are counted in tens.
        self.failures_right as f64 * 100.0 / self.failures.max(1) as f64
    }
}

impl ReportSet {
    /// Diagnoses every failure and lints every pipeline of the set.
    ///
    /// # Errors
    /// When a file is missing or can't be read. A report that the product can't read is a wrong outcome.
    pub fn run(self) -> Result<SetOutcome, String> {
        let root = self.path();
        let failures = folders(&root.join("diagnose"))?;
        let lint = root.join("lint");
        let pipelines = if lint.exists() { folders(&lint)? } else { vec![] };
        Ok(SetOutcome {
            set: self,
            failures: failures.iter().map(|folder| judge_failure(folder)).collect::<Result<_, _>>()?,
            pipelines: pipelines.iter().map(|folder| judge_pipeline(folder)).collect::<Result<_, _>>()?,
        })
    }

    /// The failures of the set, by name.
    ///
    /// # Errors
    /// When a file is missing or can't be read.
    pub fn failures(self) -> Result<Vec<FailureReport>, String> {
        folders(&self.path().join("diagnose"))?.iter().map(|folder| FailureReport::read(folder)).collect()
    }

    /// Where the set is.
    pub fn path(self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(self.folder)
    }
}

impl SetOutcome {
    /// The figures.
    pub fn score(&self) -> Score {
        let right = |outcomes: &[Outcome]| outcomes.iter().filter(|outcome| outcome.is_right).count();
        Score {
            failures_right: right(&self.failures),
            failures: self.failures.len(),
            pipelines_right: right(&self.pipelines),
            pipelines: self.pipelines.len(),
            wrongly_confirmed: self.wrongly_confirmed().len(),
        }
    }

    /// The failures for which a root cause was called confirmed that is not the cause.
    pub fn wrongly_confirmed(&self) -> BTreeSet<&str> {
        let wrong = self.failures.iter().filter(|outcome| outcome.is_wrongly_confirmed);
        wrong.map(|outcome| outcome.name.as_str()).collect()
    }

    /// Everything that the product is wrong about.
    pub fn misses(&self) -> impl Iterator<Item = &Outcome> {
        self.failures.iter().chain(&self.pipelines).filter(|outcome| !outcome.is_right)
    }
}

/// The folders in a folder, by name.
fn folders(parent: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", parent.display());
    let mut folders = vec![];
    for entry in fs::read_dir(parent).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

/// Reads a JSON file of a report.
fn read_file<T: DeserializeOwned>(folder: &Path, file: &str) -> Result<T, String> {
    let path = folder.join(file);
    let failed = |error: &dyn Display| format!("{}: {error}", path.display());
    let text = fs::read_to_string(&path).map_err(|error| failed(&error))?;
    serde_json::from_str(&text).map_err(|error| failed(&error))
}

/// The name of a report: that of its folder.
fn report_name(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A failure as it was reported, and what is expected of its diagnosis.
#[derive(Debug, Clone)]
pub struct FailureReport {
    /// The folder's name.
    pub name: String,
    /// The event, as EventBridge delivers it.
    pub event: Value,
    /// What is read from AWS.
    pub snapshot: Value,
    /// What is expected.
    pub expected: ExpectedCause,
}

impl FailureReport {
    /// Reads the report in a folder.
    fn read(folder: &Path) -> Result<Self, String> {
        Ok(FailureReport {
            name: report_name(folder),
            event: read_file(folder, "event.json")?,
            snapshot: read_file(folder, "snapshot.json")?,
            expected: read_file(folder, "expect.json")?,
        })
    }
}

/// Diagnoses a failure as the command does, from event and snapshot.
fn judge_failure(folder: &Path) -> Result<Outcome, String> {
    let FailureReport { name, event, snapshot, expected } = FailureReport::read(folder)?;
    let cause = find_root_cause(&event, snapshot);
    let rule = cause.as_ref().map(|cause| cause.as_ref().map(|(rule, _)| rule.clone()));
    let is_right = rule.is_ok_and(|rule| expected.accept.contains(&rule));
    let is_confirmed = matches!(&cause, Ok(Some((_, Confidence::Confirmed))));
    let came = match &cause {
        Ok(Some((rule, confidence))) => format!("{rule} ({})", confidence_name(*confidence)),
        Ok(None) => "no cause".into(),
        Err(message) => message.clone(),
    };
    let accepted = expected.accept.iter().map(|rule| rule.as_deref().unwrap_or("no cause"));
    Ok(Outcome {
        name,
        is_right,
        is_wrongly_confirmed: is_confirmed && !is_right,
        summary: format!("expected {}, came {came}", accepted.collect::<Vec<_>>().join(" or ")),
        why: expected.why,
    })
}

/// The rule of the root cause, and how sure the diagnosis is; none where it names none.
///
/// # Errors
/// When event or snapshot can't be read.
pub fn find_root_cause(event: &Value, snapshot: Value) -> Result<Option<(String, Confidence)>, String> {
    let failure = Failure::from_event(event).map_err(|error| error.to_string())?;
    let snapshot = Snapshot::from_value(snapshot).map_err(|error| error.to_string())?;
    let failure = failure.with_details(&snapshot.action_executions);
    let report = diagnose(&failure, &snapshot, Remediation::off()).map_err(|error| error.to_string())?;
    let cause = report.and_then(|report| report.root_cause);
    Ok(cause.map(|cause| (cause.rule.to_string(), cause.confidence)))
}

/// Lints a pipeline as the command does.
fn judge_pipeline(folder: &Path) -> Result<Outcome, String> {
    let expected: ExpectedFindings = read_file(folder, "expect.json")?;
    let found = find_faults(read_file(folder, "snapshot.json")?);
    let (is_right, summary) = match &found {
        Ok(found) => {
            let is_missing = |group: &&Vec<String>| !group.iter().any(|rule| found.contains(rule));
            let missing: Vec<String> =
                expected.must.iter().filter(is_missing).map(|group| group.join(" or ")).collect();
            let unwanted: Vec<&str> =
                expected.must_not.iter().filter(|rule| found.contains(*rule)).map(String::as_str).collect();
            let list = |what: &str, rules: String| {
                if rules.is_empty() { String::new() } else { format!("{what} {rules}; ") }
            };
            let summary = format!(
                "{}{}found {}",
                list("missed", missing.join(", ")),
                list("false", unwanted.join(", ")),
                found.iter().cloned().collect::<Vec<_>>().join(", ")
            );
            (missing.is_empty() && unwanted.is_empty(), summary)
        }
        Err(message) => (false, message.clone()),
    };
    Ok(Outcome {
        name: report_name(folder),
        is_right,
        is_wrongly_confirmed: false,
        summary,
        why: expected.why,
    })
}

/// The rules that find fault with a pipeline, as error or as warning.
fn find_faults(snapshot: Value) -> Result<BTreeSet<String>, String> {
    let snapshot = Snapshot::from_value(snapshot).map_err(|error| error.to_string())?;
    let diagnostics = lint(&snapshot).map_err(|error| error.to_string())?;
    Ok(diagnostics.findings.into_iter().map(|finding| finding.rule.to_string()).collect())
}

impl Display for Score {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        write!(
            to,
            "{:2} of {} failures ({:.1} %), {:2} of {} pipelines, wrongly confirmed {}",
            self.failures_right,
            self.failures,
            self.top_1_percent(),
            self.pipelines_right,
            self.pipelines,
            self.wrongly_confirmed
        )
    }
}

impl Display for SetOutcome {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        writeln!(to, "reports in {}", self.set.folder)?;
        writeln!(to, "first run  {}", self.set.first_run)?;
        writeln!(to, "today      {}", self.score())?;
        for miss in self.misses() {
            let confirmed = if miss.is_wrongly_confirmed { ", wrongly confirmed" } else { "" };
            writeln!(to, "\n{}{confirmed}: {}\n  {}", miss.name, miss.summary, miss.why)?;
        }
        Ok(())
    }
}
