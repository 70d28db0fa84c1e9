//! Known, absent, unknown.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What is known of one thing. In JSON a known fact is its value, an absent one is `null`, and an
/// unknown one is missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fact<T> {
    /// It is this.
    Known(T),
    /// It was looked for, and it is not there.
    Absent,
    /// It was not looked for, or could not be read.
    #[default]
    Unknown,
}

impl<T> Fact<T> {
    /// The value, if it is known.
    pub fn known(&self) -> Option<&T> {
        if let Fact::Known(value) = self { Some(value) } else { None }
    }

    /// Whether nothing is known.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Fact::Unknown)
    }

    /// Whether nothing about it is unknown, going by `all` where it is known.
    pub(super) fn all(&self, all: impl FnOnce(&T) -> bool) -> bool {
        match self {
            Fact::Known(value) => all(value),
            Fact::Absent => true,
            Fact::Unknown => false,
        }
    }

    /// The same fact about a reference.
    pub fn as_ref(&self) -> Fact<&T> {
        match self {
            Fact::Known(value) => Fact::Known(value),
            Fact::Absent => Fact::Absent,
            Fact::Unknown => Fact::Unknown,
        }
    }
}

impl<'a, T> Fact<&'a T> {
    /// Looks into a known value; what is absent stays absent, what is unknown unknown.
    pub fn part<U>(self, part: impl FnOnce(&'a T) -> &'a Fact<U>) -> Fact<&'a U> {
        match self {
            Fact::Known(value) => part(value).as_ref(),
            Fact::Absent => Fact::Absent,
            Fact::Unknown => Fact::Unknown,
        }
    }
}

impl<T> From<Option<T>> for Fact<T> {
    fn from(found: Option<T>) -> Self {
        found.map_or(Fact::Absent, Fact::Known)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Fact<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Fact::from)
    }
}

impl<T: Serialize> Serialize for Fact<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.known().serialize(serializer)
    }
}
