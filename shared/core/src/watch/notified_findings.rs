//! The findings of one pipeline that each destination was notified of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::finding_key::FindingKey;

/// The findings that each destination was notified of, by the destination's name.
///
/// Each destination has its own list, because one notification can fail where another succeeds: the next attempt
/// then notifies only the one that failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NotifiedFindings(BTreeMap<String, Vec<FindingKey>>);

impl NotifiedFindings {
    /// Reads what [`Self::to_json`] wrote; empty where there is nothing or it can't be read.
    pub fn from_json(text: Option<&str>) -> Self {
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// The JSON text that is stored.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether no destination was notified of any finding.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The findings that a destination was notified of.
    pub fn for_destination(&self, destination: &str) -> &[FindingKey] {
        self.0.get(destination).map(Vec::as_slice).unwrap_or_default()
    }

    /// Replaces the findings that a destination was notified of.
    pub fn record(&mut self, destination: &str, known: Vec<FindingKey>) {
        if known.is_empty() {
            self.0.remove(destination);
        } else {
            self.0.insert(destination.to_owned(), known);
        }
    }
}
