//! Does a statement's `Condition` block hold?
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>.

use super::Ternary;
use super::context::Keys;
use super::operator::{Operator, null_holds};
use crate::policy::{LanguageVersion, Statement};

/// Whether all conditions hold; yes for a statement without any. An operator that does not exist is not
/// settled: AWS accepts no such policy.
pub(super) fn conditions_hold(statement: Statement<'_>, version: LanguageVersion, keys: Keys<'_>) -> Ternary {
    Ternary::all(statement.conditions().map(|(operator, key, expected)| {
        let value = keys.get(key);
        match Operator::parse(operator) {
            None => Ternary::Unknown,
            Some(Operator::Null) => null_holds(value, expected),
            Some(Operator::Compare(operator)) => operator.holds(value, expected, |value, expected| {
                operator.comparison.compare(value, expected, version, keys)
            }),
        }
    }))
}

/// Whether the statement holds only for principals whose ARNs it gives in a condition. What such a statement
/// allows to the principal `*`, permissions boundaries and session policies do not limit.
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html>.
pub(super) fn names_principal(statement: Statement<'_>) -> bool {
    let is_positive =
        |operator: &str| matches!(operator, "ArnEquals" | "ArnLike" | "StringEquals" | "StringLike");
    statement.get("Principal").is_some()
        && statement
            .conditions()
            .any(|(operator, key, _)| is_positive(operator) && key.eq_ignore_ascii_case("aws:PrincipalArn"))
}
