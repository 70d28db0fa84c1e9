//! What each receiver has been told of one pipeline.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::finding_key::FindingKey;

/// The faults that each receiver knows of, by the receiver's name.
///
/// One list for each, because telling one can fail where telling another succeeded: the next attempt then tells
/// the one and not the other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NotifiedFindings(BTreeMap<String, Vec<FindingKey>>);

impl NotifiedFindings {
    /// Reads what [`Self::to_json`] wrote; nothing is known where it can't be read.
    pub fn parse(text: Option<&str>) -> Self {
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// As it is kept.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether nobody knows of anything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a receiver knows of.
    pub fn of(&self, receiver: &str) -> &[FindingKey] {
        self.0.get(receiver).map(Vec::as_slice).unwrap_or_default()
    }

    /// What a receiver knows of from now on.
    pub fn learn(&mut self, receiver: &str, known: Vec<FindingKey>) {
        if known.is_empty() {
            self.0.remove(receiver);
        } else {
            self.0.insert(receiver.to_owned(), known);
        }
    }
}
