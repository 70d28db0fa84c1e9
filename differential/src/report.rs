//! What came out of a run.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::known::{DIFFERENCES, explanation};
use crate::oracle::Oracle;
use crate::ours;
use crate::shrink::shrink;

/// Counts, and the cases that are to be explained.
#[derive(Default)]
pub(crate) struct Report {
    answers: Vec<Answered>,
    by_decision: BTreeMap<String, usize>,
    by_difference: BTreeMap<&'static str, usize>,
    unexplained: Vec<usize>,
}

struct Answered {
    case: Value,
    ours: String,
    theirs: String,
    difference: Option<&'static str>,
}

impl Report {
    /// Takes a case and the other evaluator's answer.
    pub(crate) fn add(&mut self, case: Value, theirs: String) -> Result<(), String> {
        let ours = ours(&case).map_err(|error| format!("{error}: {case}"))?;
        *self.by_decision.entry(ours.clone()).or_default() += 1;
        let mut difference = None;
        if ours != theirs {
            difference = explanation(&case, &ours, &theirs).map(|difference| difference.name);
            match difference {
                Some(name) => *self.by_difference.entry(name).or_default() += 1,
                None => self.unexplained.push(self.answers.len()),
            }
        }
        self.answers.push(Answered { case, ours, theirs, difference });
        Ok(())
    }

    /// Whether nothing is left to be explained.
    pub(crate) fn agrees(&self) -> bool {
        self.unexplained.is_empty()
    }

    /// Prints counts, and the first unexplained cases as small as they get.
    pub(crate) fn print(&self, oracle: &mut Oracle) {
        let explained: usize = self.by_difference.values().sum();
        let same = self.answers.len() - explained - self.unexplained.len();
        println!(
            "{} pairs, {same} agree, {explained} differ as known, {} differ otherwise",
            self.answers.len(),
            self.unexplained.len()
        );
        for (decision, count) in &self.by_decision {
            println!("  ours: {decision:18} {count:6}");
        }
        for difference in DIFFERENCES {
            let count = self.by_difference.get(difference.name).copied().unwrap_or_default();
            println!("  known: {count:6}  {} ({}): {}", difference.name, difference.page, difference.why);
        }
        for answered in self.unexplained.iter().take(8).filter_map(|index| self.answers.get(*index)) {
            let smallest = shrink(&answered.case, |candidate| unexplained(candidate, oracle).is_some());
            let (ours, theirs) = unexplained(&smallest, oracle).unwrap_or_default();
            println!("\nours {ours}, theirs {theirs}:\n{smallest:#}");
        }
    }

    /// One line for a case, with both answers: some thousands of those that agree, spread over the run,
    /// and some of each known difference.
    pub(crate) fn recording(&self) -> String {
        let agreeing = |answered: &&Answered| answered.ours == answered.theirs;
        let short = self.answers.iter().filter(agreeing).filter_map(Answered::line);
        let short: Vec<String> = short.filter(|line| line.len() < LONGEST).collect();
        let step = short.len().div_ceil(AGREEING).max(1);
        let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
        let differing = self.answers.iter().filter(|answered| {
            answered.difference.is_some_and(|name| {
                let taken = taken.entry(name).or_default();
                *taken += 1;
                *taken <= OF_EACH_DIFFERENCE
            })
        });
        let differing = differing.filter_map(Answered::line);
        short.iter().step_by(step).cloned().chain(differing).collect()
    }
}

impl Answered {
    fn line(&self) -> Option<String> {
        let mut line = json!({"question": without_unused_keys(&self.case), "other": self.theirs});
        if let Some(name) = self.difference {
            let members = line.as_object_mut()?;
            members.insert("ours".into(), json!(self.ours));
            members.insert("difference".into(), json!(name));
        }
        Some(format!("{line}\n"))
    }
}

/// What a recording has of the cases that agree, and of each known difference.
const AGREEING: usize = 2_500;
/// In bytes. Short cases show as much, and a recording of them is one that can be read.
const LONGEST: usize = 1_600;
const OF_EACH_DIFFERENCE: usize = 12;

/// The case without the condition keys that no policy asks for.
fn without_unused_keys(case: &Value) -> Value {
    let mut case = case.clone();
    let Some(members) = case.as_object_mut() else { return case };
    let context = members.remove("context").unwrap_or_default();
    let policies = json!(members).to_string().to_ascii_lowercase();
    let used = context.as_object().into_iter().flatten();
    let used = used.filter(|(key, _)| policies.contains(&key.to_ascii_lowercase()));
    let used: serde_json::Map<String, Value> =
        used.map(|(key, value)| (key.clone(), value.clone())).collect();
    members.insert("context".into(), Value::Object(used));
    case
}

/// Both answers, where they differ for no known reason.
fn unexplained(case: &Value, oracle: &mut Oracle) -> Option<(String, String)> {
    let ours = ours(case).ok()?;
    let theirs = oracle.ask(std::slice::from_ref(case)).ok()?.pop()?;
    let differ =
        ours != theirs && !theirs.starts_with("error") && explanation(case, &ours, &theirs).is_none();
    differ.then_some((ours, theirs))
}
