//! The identity of a finding: what makes it the same one in the next check.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::pipeline::Pipeline;
use crate::rules::{Finding, Unknown};

/// The identity of a finding, as it is stored.
///
/// Findings that agree in rule, location and denied principals have the same key: one missing statement makes a
/// finding for each action that needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingKey {
    /// The rule's id.
    pub rule: String,
    /// The location, with stages and actions by name: a stage that is inserted before them changes nothing.
    pub location: String,
    /// The denied principals; of `sts:AssumeRole` also the role.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub who: BTreeSet<String>,
    /// The finding's message. Not part of the identity.
    pub message: String,
}

impl FindingKey {
    /// The key of a finding about this pipeline.
    pub fn from_finding(finding: &Finding, pipeline: &Pipeline) -> Self {
        let who = finding.denied.iter().flat_map(|denied| {
            let role = denied.action.eq_ignore_ascii_case("sts:AssumeRole").then(|| denied.resource.clone());
            std::iter::once(denied.principal.clone()).chain(role)
        });
        FindingKey {
            rule: finding.rule.to_string(),
            location: location_by_name(&finding.location, pipeline),
            who: who.collect(),
            message: finding.message.clone(),
        }
    }

    /// Whether both are the same finding; the message may differ.
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.rule, &self.location, &self.who) == (&other.rule, &other.location, &other.who)
    }

    /// Whether the missing fact leaves open if this finding still holds: its rule needs the fact, and the fact may be
    /// about the same resource.
    pub fn is_undecided_without(&self, unknown: &Unknown) -> bool {
        let (missing, own) = (resource_location(&unknown.missing), resource_location(&self.location));
        // `keys["a"]` says nothing about `keys["b"]`; any other fact that the rule needs may matter.
        let another =
            missing != own && collection_of(own).is_some_and(|own| collection_of(missing) == Some(own));
        unknown.rule.as_str() == self.rule && !another
    }

    /// Whether both are about the same key, bucket, role or action.
    pub fn has_same_subject(&self, other: &Self) -> bool {
        resource_location(&self.location) == resource_location(&other.location)
    }
}

/// 16 hexadecimal digits that identify a set of findings, in whatever order they come.
pub fn digest_of_keys<'f>(keys: impl IntoIterator<Item = &'f FindingKey>) -> String {
    let identity = |key: &FindingKey| format!("{}\n{}\n{:?}\n", key.rule, key.location, key.who);
    let identities: BTreeSet<String> = keys.into_iter().map(identity).collect();
    let hash = Sha256::digest(identities.into_iter().collect::<String>());
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Turns `stages[1].actions[0].region` into `stages["Deploy"].actions["Api"].region`.
fn location_by_name(location: &str, pipeline: &Pipeline) -> String {
    let named = pipeline.actions().find_map(|action| {
        let rest = location.strip_prefix(&action.path())?;
        let named = || format!("stages[\"{}\"].actions[\"{}\"]{rest}", action.stage().name(), action.name());
        (rest.is_empty() || rest.starts_with('.')).then(named)
    });
    named.unwrap_or_else(|| location.to_owned())
}

/// Cuts `keys["<arn>"].policy` to `keys["<arn>"]`.
fn resource_location(location: &str) -> &str {
    location.rfind("\"]").and_then(|end| location.get(..end + 2)).unwrap_or(location)
}

/// Cuts `keys["<arn>"]` to `keys`; none where there is no id.
fn collection_of(location: &str) -> Option<&str> {
    location.split_once("[\"").map(|(collection, _)| collection)
}
