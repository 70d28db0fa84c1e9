//! Three answers.

/// Yes, no, or not settled by what is known (Kleene's three-valued logic).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ternary {
    /// It is so.
    Yes,
    /// It is not so.
    No,
    /// What is known does not settle it.
    Unknown,
}

impl Ternary {
    /// Both.
    pub fn and(self, other: Ternary) -> Ternary {
        match (self, other) {
            (Ternary::No, _) | (_, Ternary::No) => Ternary::No,
            (Ternary::Yes, Ternary::Yes) => Ternary::Yes,
            _ => Ternary::Unknown,
        }
    }

    /// Either.
    pub fn or(self, other: Ternary) -> Ternary {
        !(!self).and(!other)
    }

    /// Whether all are so; yes for none.
    pub fn all(each: impl IntoIterator<Item = Ternary>) -> Ternary {
        let mut so_far = Ternary::Yes;
        for one in each {
            so_far = so_far.and(one);
            if so_far == Ternary::No {
                break;
            }
        }
        so_far
    }

    /// Whether any is so; no for none.
    pub fn any(each: impl IntoIterator<Item = Ternary>) -> Ternary {
        !Ternary::all(each.into_iter().map(|one| !one))
    }
}

impl std::ops::Not for Ternary {
    type Output = Ternary;

    fn not(self) -> Ternary {
        match self {
            Ternary::Yes => Ternary::No,
            Ternary::No => Ternary::Yes,
            Ternary::Unknown => Ternary::Unknown,
        }
    }
}

impl From<bool> for Ternary {
    fn from(holds: bool) -> Ternary {
        if holds { Ternary::Yes } else { Ternary::No }
    }
}
