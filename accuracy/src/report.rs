//! The figures over all cases.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use crate::judge::{Found, Judged, name};

/// All cases, judged.
#[derive(Debug)]
pub struct Totals(pub Vec<Judged>);

impl Totals {
    /// The share of cases whose first cause is the right one.
    pub fn first(&self) -> f64 {
        self.share(Judged::first_is_right)
    }

    /// The share of cases whose right cause is among the first three.
    pub fn first_three(&self) -> f64 {
        self.share(Judged::is_among_three)
    }

    fn share(&self, is_right: fn(&Judged) -> bool) -> f64 {
        let right = self.0.iter().filter(|judged| is_right(judged)).count();
        // Cases are counted in tens.
        right as f64 / self.0.len().max(1) as f64
    }

    /// The cases that are wrong in any way, and how.
    pub fn wrong(&self) -> Vec<String> {
        self.0.iter().filter_map(wrong).collect()
    }
}

/// What was expected and what came, where they differ.
fn wrong(judged: &Judged) -> Option<String> {
    let list = |found: &mut dyn Iterator<Item = &Found>| {
        found.map(|found| found.rule).collect::<Vec<_>>().join(", ")
    };
    let false_confirmed = list(&mut judged.false_confirmed());
    let false_alarms = list(&mut judged.false_alarms());
    let untrue = list(&mut judged.untrue());
    let mut how = vec![];
    if !judged.first_is_right() {
        how.push("wrong cause".to_owned());
    } else if !judged.is_as_sure() {
        how.push("not as sure as it should be".into());
    }
    for (what, rules) in
        [("false confirmed", false_confirmed), ("false alarm", false_alarms), ("not true", untrue)]
    {
        if !rules.is_empty() {
            how.push(format!("{what}: {rules}"));
        }
    }
    if how.is_empty() {
        return None;
    }
    let case = &judged.case;
    let found = judged.findings.iter().map(|it| format!("{} ({})", it.rule, name(it.confidence)));
    let found = found.collect::<Vec<_>>().join(", ");
    Some(format!(
        "{}: {}\n  {}\n  expected {} ({}){}\n  came     {}{}",
        case.name,
        how.join("; "),
        case.about,
        case.cause,
        case.confidence.as_deref().unwrap_or("as sure as it likes"),
        if case.also.is_empty() { String::new() } else { format!(", with {}", case.also.join(", ")) },
        if found.is_empty() { "nothing" } else { &found },
        if judged.unknown.is_empty() {
            String::new()
        } else {
            format!("; unknown to {}", judged.unknown.join(", "))
        },
    ))
}

impl Display for Totals {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let cases = &self.0;
        let count = |is: fn(&Judged) -> usize| cases.iter().map(is).sum::<usize>();
        writeln!(to, "{} cases", cases.len())?;
        writeln!(to, "top-1 accuracy   {:5.1} %", self.first() * 100.0)?;
        writeln!(to, "top-3 accuracy   {:5.1} %", self.first_three() * 100.0)?;
        writeln!(to, "false alarms     {:3}", count(|it| it.false_alarms().count()))?;
        writeln!(to, "false confirmed  {:3}", count(|it| it.false_confirmed().count()))?;
        let mut by_confidence: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
        let mut by_rule: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
        for judged in cases {
            let right = usize::from(judged.first_is_right());
            let [all, rights] =
                by_confidence.entry(judged.cause.map_or("none", |it| name(it.1))).or_default();
            (*all, *rights) = (*all + 1, *rights + right);
            let [all, rights, _] = by_rule.entry(&judged.case.cause).or_default();
            (*all, *rights) = (*all + 1, *rights + right);
            for also in &judged.case.also {
                let [.., beside] = by_rule.entry(also).or_default();
                *beside += 1;
            }
        }
        writeln!(to, "\nconfidence  named  right")?;
        for (confidence, [all, right]) in by_confidence {
            writeln!(to, "{confidence:10}  {all:5}  {right:5}")?;
        }
        writeln!(to, "\nrule   cause  right  beside")?;
        for (rule, [all, right, beside]) in by_rule {
            writeln!(to, "{rule:5}  {all:5}  {right:5}  {beside:6}")?;
        }
        let wrong = self.wrong();
        writeln!(to, "\n{} cases are wrong", wrong.len())?;
        wrong.iter().try_for_each(|wrong| writeln!(to, "\n{wrong}"))
    }
}
