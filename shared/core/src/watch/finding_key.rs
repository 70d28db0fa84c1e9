//! What makes a fault the same one in the next look.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::pipeline::Pipeline;
use crate::rules::{Finding, Unknown};

/// A fault as it is remembered.
///
/// Findings that agree in rule, place and who is denied are one fault: one statement that is missing makes a
/// finding for each action that needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingKey {
    /// The rule's id.
    pub rule: String,
    /// Where, in names rather than in positions: a stage that is put in front makes no fault another.
    pub location: String,
    /// Who is denied, and where a role can't be assumed, which.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub who: BTreeSet<String>,
    /// What is, or was, wrong.
    pub message: String,
}

impl FindingKey {
    /// The fault that a finding is about.
    pub fn of(finding: &Finding, pipeline: &Pipeline) -> Self {
        let who = finding.denied.iter().flat_map(|denied| {
            let role = denied.action.eq_ignore_ascii_case("sts:AssumeRole").then(|| denied.resource.clone());
            std::iter::once(denied.principal.clone()).chain(role)
        });
        FindingKey {
            rule: finding.rule.to_owned(),
            location: by_name(&finding.location, pipeline),
            who: who.collect(),
            message: finding.message.clone(),
        }
    }

    /// Whether it is the same fault; the message may have changed.
    pub fn is(&self, other: &Self) -> bool {
        (&self.rule, &self.location, &self.who) == (&other.rule, &other.location, &other.who)
    }

    /// Whether it can't be told if the fault is still there: its rule lacks a fact that may be about it.
    pub fn is_unsettled_by(&self, unknown: &Unknown) -> bool {
        let (missing, own) = (place(&unknown.missing), place(&self.location));
        // `keys["a"]` says nothing of `keys["b"]`; anything else of the same rule may matter.
        let another = missing != own && collection(own).is_some_and(|own| collection(missing) == Some(own));
        unknown.rule == self.rule && !another
    }

    /// Whether both are faults of the same key, bucket, role or action.
    pub fn is_in_place_of(&self, other: &Self) -> bool {
        place(&self.location) == place(&other.location)
    }
}

/// A short name for a set of faults: the same for the same faults, in whatever order.
pub fn digest<'f>(faults: impl IntoIterator<Item = &'f FindingKey>) -> String {
    let identity = |fault: &FindingKey| format!("{}\n{}\n{:?}\n", fault.rule, fault.location, fault.who);
    let faults: BTreeSet<String> = faults.into_iter().map(identity).collect();
    let hash = Sha256::digest(faults.into_iter().collect::<String>());
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// `stages[1].actions[0].region` as `stages["Deploy"].actions["Api"].region`.
fn by_name(location: &str, pipeline: &Pipeline) -> String {
    let named = pipeline.actions().find_map(|action| {
        let rest = location.strip_prefix(&action.path())?;
        let named = || format!("stages[\"{}\"].actions[\"{}\"]{rest}", action.stage().name(), action.name());
        (rest.is_empty() || rest.starts_with('.')).then(named)
    });
    named.unwrap_or_else(|| location.to_owned())
}

/// `keys["<arn>"]` of `keys["<arn>"].policy`.
fn place(location: &str) -> &str {
    location.rfind("\"]").and_then(|end| location.get(..end + 2)).unwrap_or(location)
}

/// `keys` of `keys["<arn>"]`; nothing where there is no id.
fn collection(place: &str) -> Option<&str> {
    place.split_once("[\"").map(|(collection, _)| collection)
}
