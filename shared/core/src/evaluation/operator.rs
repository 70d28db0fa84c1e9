//! Condition operators with their prefix and suffix: `ForAnyValue:StringLikeIfExists`.

use super::Tri;
use super::comparison::{Compared, Comparison, Order};
use super::context::ContextValue;

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
        let (comparison, negated) = comparison(rest)?;
        Some(Operator::Compare(Compare { quantifier, comparison, negated, if_exists }))
    }
}

fn comparison(name: &str) -> Option<(Comparison, bool)> {
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
pub fn null_holds(value: ContextValue<'_>, wanted: &[String]) -> Tri {
    let absent = match value {
        // Whether a key with an empty list of values counts as there is not documented.
        ContextValue::Known([]) | ContextValue::Unknown => Tri::Unknown,
        ContextValue::Known(_) => Tri::No,
        ContextValue::Absent => Tri::Yes,
    };
    Tri::any(wanted.iter().map(|flag| match flag.to_ascii_lowercase().as_str() {
        "true" => absent,
        "false" => !absent,
        _ => Tri::No,
    }))
}

impl Compare {
    /// Whether the operator holds for the key's values, each compared with each wanted value.
    ///
    /// A list of wanted values means any of them; under a negated operator, none of them.
    /// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html>
    /// and, for several values of the request,
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html>.
    pub fn holds(
        &self,
        value: ContextValue<'_>,
        wanted: &[String],
        compare: impl Fn(&str, &str) -> Compared,
    ) -> Tri {
        let each = |value: &String| {
            let comparisons = wanted.iter().map(|wanted| compare(value, wanted).holds(self.negated));
            if self.negated { Tri::all(comparisons) } else { Tri::any(comparisons) }
        };
        match value {
            ContextValue::Unknown => Tri::Unknown,
            ContextValue::Absent => self.holds_without_the_key(),
            ContextValue::Known(values) => match (self.quantifier, values) {
                (Quantifier::Single, [value]) => each(value),
                // AWS asks for a set operator here and does not say what happens without one.
                (Quantifier::Single, _) => Tri::Unknown,
                // "A null data set, such as an empty string", is like no key at all.
                (Quantifier::ForAllValues, values) => {
                    Tri::all(values.iter().filter(|value| !value.is_empty()).map(each))
                }
                (Quantifier::ForAnyValue, values) => {
                    Tri::any(values.iter().filter(|value| !value.is_empty()).map(each))
                }
            },
        }
    }

    /// A missing key fails a positive comparison and passes a negated one.
    fn holds_without_the_key(&self) -> Tri {
        match (self.quantifier, self.if_exists) {
            // "Evaluate the condition element as true" says the page on IfExists, "returns false" the one on
            // ForAnyValue. AWS has been seen to do the latter.
            (Quantifier::ForAnyValue, true) => Tri::Unknown,
            (_, true) | (Quantifier::ForAllValues, _) => Tri::Yes,
            (Quantifier::Single, false) => self.negated.into(),
            (Quantifier::ForAnyValue, false) => Tri::No,
        }
    }
}
