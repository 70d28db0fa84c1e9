//! How the id of a rule is written.
//!
//! The ids themselves are generated from the files of the rules.

use std::fmt;

use serde::{Serialize, Serializer};

pub use super::catalogue::RuleId;

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for RuleId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
