//! Three answers.

/// Yes, no, or not settled by what is known (Kleene's three-valued logic).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tri {
    /// It is so.
    Yes,
    /// It is not so.
    No,
    /// What is known does not settle it.
    Unknown,
}

impl Tri {
    /// Both.
    pub fn and(self, other: Tri) -> Tri {
        match (self, other) {
            (Tri::No, _) | (_, Tri::No) => Tri::No,
            (Tri::Yes, Tri::Yes) => Tri::Yes,
            _ => Tri::Unknown,
        }
    }

    /// Either.
    pub fn or(self, other: Tri) -> Tri {
        !(!self).and(!other)
    }

    /// Whether all are so; yes for none.
    pub fn all(each: impl IntoIterator<Item = Tri>) -> Tri {
        let mut so_far = Tri::Yes;
        for one in each {
            so_far = so_far.and(one);
            if so_far == Tri::No {
                break;
            }
        }
        so_far
    }

    /// Whether any is so; no for none.
    pub fn any(each: impl IntoIterator<Item = Tri>) -> Tri {
        !Tri::all(each.into_iter().map(|one| !one))
    }
}

impl std::ops::Not for Tri {
    type Output = Tri;

    fn not(self) -> Tri {
        match self {
            Tri::Yes => Tri::No,
            Tri::No => Tri::Yes,
            Tri::Unknown => Tri::Unknown,
        }
    }
}

impl From<bool> for Tri {
    fn from(holds: bool) -> Tri {
        if holds { Tri::Yes } else { Tri::No }
    }
}
