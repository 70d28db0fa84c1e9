//! What we time of our own, and the inputs that everybody gets.

use std::hint::black_box;

use crosspipe_core::evaluation::{Decision, Question};
use crosspipe_core::rules::lint;
use crosspipe_core::snapshot::Snapshot;
use crosspipe_testing::walkthrough::numbered;
use serde_json::Value;

/// Different snapshots, so that no branch predictor knows them by heart.
const SNAPSHOTS: u32 = 10;

/// Inputs, as text and parsed.
pub(super) struct Ours {
    lines: Vec<String>,
    questions: Vec<Question>,
    /// How many of the questions we allow, and how many the other evaluator did.
    pub allowed: u64,
    pub allowed_by_other: u64,
    texts: Vec<String>,
    snapshots: Vec<Snapshot>,
}

impl Ours {
    /// Reads what the differential test recorded, and takes the corrected walkthrough for its snapshots.
    pub(super) fn new(recorded: &str) -> Result<Self, String> {
        let problem = |error: serde_json::Error| error.to_string();
        let (mut lines, mut questions, mut allowed, mut allowed_by_other) = (vec![], vec![], 0, 0);
        for line in recorded.lines() {
            let record: Value = serde_json::from_str(line).map_err(problem)?;
            let member = |name| record.get(name).unwrap_or(&Value::Null);
            let (ours, other) = (record.get("ours"), member("other"));
            allowed += u64::from(ours.unwrap_or(other) == "allowed");
            allowed_by_other += u64::from(other == "allowed");
            let line = member("question").to_string();
            questions.push(serde_json::from_str(&line).map_err(problem)?);
            lines.push(line);
        }
        let texts: Vec<String> = (0..SNAPSHOTS).map(numbered).collect();
        let snapshots = texts.iter().map(|text| snapshot(text)).collect::<Result<_, _>>()?;
        Ok(Ours { lines, questions, allowed, allowed_by_other, texts, snapshots })
    }

    /// The questions, one a line.
    pub(super) fn questions(&self) -> String {
        self.lines.join("\n") + "\n"
    }

    /// How many they are.
    pub(super) fn number_of_questions(&self) -> usize {
        self.questions.len()
    }

    /// The policies in the snapshots, one a line.
    pub(super) fn policies(&self) -> String {
        let values = self.texts.iter().filter_map(|text| serde_json::from_str::<Value>(text).ok());
        let mut policies = vec![];
        values.for_each(|value| collect(&value, &mut policies));
        policies.join("\n") + "\n"
    }

    /// How many snapshots there are.
    pub(super) fn number_of_snapshots(&self) -> usize {
        self.snapshots.len()
    }

    /// How often a question is allowed when each is asked ten times in a row.
    pub(super) fn decide_ten_times(&self) -> u64 {
        let ten_times = |question| (0..10).map(|_| is_allowed(black_box(question))).sum::<u64>();
        self.questions.iter().map(ten_times).sum()
    }

    /// How many of the questions are allowed.
    pub(super) fn decide(&self) -> u64 {
        black_box(&self.questions).iter().map(is_allowed).sum()
    }

    /// The same from JSON.
    pub(super) fn parse_and_decide(&self) -> u64 {
        let question = |line: &String| serde_json::from_str(line).is_ok_and(|it| is_allowed(&it) == 1);
        black_box(&self.lines).iter().map(|line| u64::from(question(line))).sum()
    }

    /// How many findings there are.
    pub(super) fn lint(&self) -> u64 {
        black_box(&self.snapshots).iter().map(findings).sum()
    }

    /// The same from JSON.
    pub(super) fn parse_and_lint(&self) -> u64 {
        black_box(&self.texts).iter().map(|text| snapshot(text).map_or(u64::MAX, |it| findings(&it))).sum()
    }
}

/// A snapshot as `crosspipe lint` reads it.
pub(super) fn snapshot(text: &str) -> Result<Snapshot, String> {
    let value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    Snapshot::from_value(value).map_err(|error| error.to_string())
}

/// How many findings a snapshot has.
pub(super) fn findings(snapshot: &Snapshot) -> u64 {
    lint(snapshot).map_or(u64::MAX, |diagnostics| diagnostics.findings.len() as u64)
}

fn is_allowed(question: &Question) -> u64 {
    u64::from(question.evaluate().decision == Decision::Allowed)
}

/// Whatever has a `Statement` is a policy.
fn collect(value: &Value, policies: &mut Vec<String>) {
    match value {
        Value::Object(members) if members.contains_key("Statement") => policies.push(value.to_string()),
        Value::Object(members) => members.values().for_each(|value| collect(value, policies)),
        Value::Array(values) => values.iter().for_each(|value| collect(value, policies)),
        _ => {}
    }
}
