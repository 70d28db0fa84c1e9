//! Condition operators with their prefix and suffix: `ForAnyValue:StringLikeIfExists`.

use super::Ternary;
use super::comparison::{Compared, Comparison, Order, parse_boolean};
use super::context::ContextValue;
use crate::policy::Scalars;

/// A condition operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `Null`: is the key absent?
    Null,
    /// Any other: how do the values compare?
    Compare(Compare),
}

/// An operator that compares values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compare {
    quantifier: Quantifier,
    /// What is compared.
    pub comparison: Comparison,
    negated: bool,
    if_exists: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantifier {
    /// None given: the key has one value.
    Single,
    ForAnyValue,
    ForAllValues,
}

impl Quantifier {
    fn over<'v>(self, values: impl Iterator<Item = &'v str>, each: impl Fn(&'v str) -> Ternary) -> Ternary {
        // "A null data set, such as an empty string", is like no key at all.
        let values = values.filter(|value| !value.is_empty()).map(each);
        match self {
            // AWS asks for a set operator here and does not say what happens without one.
            Quantifier::Single => Ternary::Unknown,
            Quantifier::ForAllValues => Ternary::all(values),
            Quantifier::ForAnyValue => Ternary::any(values),
        }
    }
}

impl Operator {
    /// None for an operator that does not exist.
    pub fn parse(text: &str) -> Option<Operator> {
        if text == "Null" {
            return Some(Operator::Null);
        }
        let (quantifier, rest) = match text.split_once(':') {
            None => (Quantifier::Single, text),
            Some(("ForAnyValue", rest)) => (Quantifier::ForAnyValue, rest),
            Some(("ForAllValues", rest)) => (Quantifier::ForAllValues, rest),
            Some(_) => return None,
        };
        let (rest, if_exists) = rest.strip_suffix("IfExists").map_or((rest, false), |rest| (rest, true));
        let (comparison, negated) = comparison_named(rest)?;
        Some(Operator::Compare(Compare { quantifier, comparison, negated, if_exists }))
    }
}

fn comparison_named(name: &str) -> Option<(Comparison, bool)> {
    if let Some(order) = name.strip_prefix("Numeric") {
        let (order, negated) = order_of(order)?;
        return Some((Comparison::Numeric(order), negated));
    }
    if let Some(order) = name.strip_prefix("Date") {
        let (order, negated) = order_of(order)?;
        return Some((Comparison::Date(order), negated));
    }
    Some(match name {
        "StringEquals" => (Comparison::StringEquals, false),
        "StringNotEquals" => (Comparison::StringEquals, true),
        "StringEqualsIgnoreCase" => (Comparison::StringEqualsIgnoreCase, false),
        "StringNotEqualsIgnoreCase" => (Comparison::StringEqualsIgnoreCase, true),
        "StringLike" => (Comparison::StringLike, false),
        "StringNotLike" => (Comparison::StringLike, true),
        "ArnEquals" | "ArnLike" => (Comparison::Arn, false),
        "ArnNotEquals" | "ArnNotLike" => (Comparison::Arn, true),
        "IpAddress" => (Comparison::IpAddress, false),
        "NotIpAddress" => (Comparison::IpAddress, true),
        "Bool" => (Comparison::Bool, false),
        "BinaryEquals" => (Comparison::Binary, false),
        _ => return None,
    })
}

fn order_of(name: &str) -> Option<(Order, bool)> {
    Some(match name {
        "Equals" => (Order::Equal, false),
        "NotEquals" => (Order::Equal, true),
        "LessThan" => (Order::Less, false),
        "LessThanEquals" => (Order::LessOrEqual, false),
        "GreaterThan" => (Order::Greater, false),
        "GreaterThanEquals" => (Order::GreaterOrEqual, false),
        _ => return None,
    })
}

/// `Null` asks whether the key is absent: `true` holds where it is, `false` where it is not.
pub fn null_holds(value: ContextValue<'_>, policy_values: Scalars<'_>) -> Ternary {
    let absent = match value {
        // Whether a key with an empty list of values counts as there is not documented.
        ContextValue::Several([]) | ContextValue::Unknown => Ternary::Unknown,
        ContextValue::One(_) | ContextValue::Several(_) => Ternary::No,
        ContextValue::Absent => Ternary::Yes,
    };
    Ternary::any(policy_values.map(|flag| match parse_boolean(&flag) {
        Some(true) => absent,
        Some(false) => !absent,
        None => Ternary::No,
    }))
}

impl Compare {
    /// Whether the operator holds for the key's values, each compared with each value of the policy.
    ///
    /// A list of values in the policy means any of them; under a negated operator, none of them.
    /// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html>
    /// and, for several values of the request,
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html>.
    pub fn holds(
        &self,
        value: ContextValue<'_>,
        policy_values: Scalars<'_>,
        compare: impl Fn(&str, &str) -> Compared,
    ) -> Ternary {
        let each = |value: &str| {
            let comparisons =
                policy_values.clone().map(|policy_value| compare(value, &policy_value).holds(self.negated));
            if self.negated { Ternary::all(comparisons) } else { Ternary::any(comparisons) }
        };
        match value {
            ContextValue::Unknown => Ternary::Unknown,
            ContextValue::Absent => self.holds_without_the_key(),
            ContextValue::One(value) => match self.quantifier {
                Quantifier::Single => each(value),
                quantifier => quantifier.over(std::iter::once(value), each),
            },
            ContextValue::Several(values) => self.quantifier.over(values.iter().map(String::as_str), each),
        }
    }

    /// A missing key fails a positive comparison and passes a negated one.
    fn holds_without_the_key(&self) -> Ternary {
        match (self.quantifier, self.if_exists) {
            // "Evaluate the condition element as true" says the page on IfExists, "returns false" the one on
            // ForAnyValue. AWS has been seen to do the latter.
            (Quantifier::ForAnyValue, true) => Ternary::Unknown,
            (_, true) | (Quantifier::ForAllValues, _) => Ternary::Yes,
            (Quantifier::Single, false) => self.negated.into(),
            (Quantifier::ForAnyValue, false) => Ternary::No,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::grammar::OPERATORS;

    #[test]
    fn every_operator_is_evaluated() {
        for operator in OPERATORS {
            assert!(Operator::parse(operator).is_some(), "{operator}");
        }
    }
}
