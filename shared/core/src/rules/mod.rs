//! The faults that make cross-account deploys fail, one file per rule.
//!
//! # Layout
//! - `facts`: what a rule looks at
//! - `access`: the requests an action makes for its artifacts, evaluated
//! - `verdicts`: what a rule says
//! - `pl…`, `km…`, `s3…`, `ia…`: the rules
//!
//! A rule says nothing where all is well or where it does not apply, says what is missing where it
//! can't know, and speaks of a fault only where the facts prove it.

mod access;
mod facts;
mod verdicts;

mod ia001;
mod ia002;
mod ia004;
mod ia005;
mod km001;
mod pl001;
mod pl002;
mod pl003;
mod pl004;
mod pl005;
mod pl006;
mod pl007;
mod pl008;
mod pl009;
mod pl010;
mod pl011;
mod s3001;

use crate::snapshot::{Snapshot, SnapshotError};

pub use facts::{ActionFacts, Facts};
pub use verdicts::{Denied, Finding, Fix, Severity, Unknown, Verdicts};

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// The stable id, `KM001`.
    pub id: &'static str,
    /// The name of the fault, `key-policy-omits-target`.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about, in one sentence.
    pub summary: &'static str,
    /// Where AWS says so, the best page first.
    pub sources: &'static [&'static str],
    /// Looks at the facts.
    check: fn(&Facts<'_>, &mut Verdicts),
}

/// Every rule, by id.
pub const ALL: [&Rule; 17] = [
    &ia001::RULE,
    &ia002::RULE,
    &ia004::RULE,
    &ia005::RULE,
    &km001::RULE,
    &pl001::RULE,
    &pl002::RULE,
    &pl003::RULE,
    &pl004::RULE,
    &pl005::RULE,
    &pl006::RULE,
    &pl007::RULE,
    &pl008::RULE,
    &pl009::RULE,
    &pl010::RULE,
    &pl011::RULE,
    &s3001::RULE,
];

/// Looks for every fault in everything that the snapshot knows.
///
/// # Errors
/// When the snapshot's pipeline can't be read.
pub fn lint(snapshot: &Snapshot) -> Result<Verdicts, SnapshotError> {
    let pipeline = snapshot.pipeline()?;
    Ok(run(&Facts::new(snapshot, &pipeline)))
}

/// Runs every rule over these facts.
pub fn run(facts: &Facts<'_>) -> Verdicts {
    let mut verdicts = Verdicts::default();
    for rule in ALL {
        verdicts.by(rule);
        (rule.check)(facts, &mut verdicts);
    }
    verdicts
}

/// The rule with this id, whatever the case.
pub fn find(id: &str) -> Option<&'static Rule> {
    ALL.into_iter().find(|rule| rule.id.eq_ignore_ascii_case(id))
}

#[cfg(test)]
mod tests;
