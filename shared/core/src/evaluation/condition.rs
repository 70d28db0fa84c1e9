//! Does a statement's `Condition` block hold?
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>.

use super::Ternary;
use super::context::Keys;
use super::operator::{Operator, null_holds};
use crate::policy::{LanguageVersion, Statement};

/// Whether all conditions hold; yes for a statement without any. An operator that does not exist is not
/// settled: AWS accepts no such policy.
pub(super) fn holds(statement: Statement<'_>, version: LanguageVersion, keys: Keys<'_>) -> Ternary {
    Ternary::all(statement.conditions().map(|(operator, key, wanted)| {
        let value = keys.get(key);
        match Operator::parse(operator) {
            None => Ternary::Unknown,
            Some(Operator::Null) => null_holds(value, wanted),
            Some(Operator::Compare(operator)) => operator.holds(value, wanted, |value, wanted| {
                operator.comparison.compare(value, wanted, version, keys)
            }),
        }
    }))
}
