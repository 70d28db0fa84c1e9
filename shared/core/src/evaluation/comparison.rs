//! How one value of a request compares with one value of a policy.

use std::cmp::Ordering;
use std::net::IpAddr;

use ipnet::IpNet;

use super::Ternary;
use super::context::Keys;
use super::date;
use super::pattern::arn_parts;
use super::variables::{Text, expand_variables};
use crate::policy::LanguageVersion;

/// What an operator compares, apart from its negation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `StringEquals`
    StringEquals,
    /// `StringEqualsIgnoreCase`
    StringEqualsIgnoreCase,
    /// `StringLike`
    StringLike,
    /// `ArnEquals` and `ArnLike`, which are the same.
    Arn,
    /// `Numeric…`
    Numeric(Order),
    /// `Date…`
    Date(Order),
    /// `Bool`
    Bool,
    /// `BinaryEquals`: both values are base64.
    Binary,
    /// `IpAddress`
    IpAddress,
}

/// Which order of the request's value to the policy's is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// They are equal.
    Equal,
    /// The request's is less.
    Less,
    /// The request's is not greater.
    LessOrEqual,
    /// The request's is greater.
    Greater,
    /// The request's is not less.
    GreaterOrEqual,
}

/// The answer when two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// They can be compared, and this is what came out.
    Settled(bool),
    /// They can't: one is not of the operator's type, or a policy variable has no value. A positive
    /// operator does not hold; what a negated one makes of it, AWS's documentation does not say.
    Incomparable,
    /// Not known.
    Unknown,
}

impl Compared {
    /// Whether the comparison, or its negation, holds.
    pub fn holds(self, negated: bool) -> Ternary {
        match self {
            Compared::Settled(holds) => Ternary::from(holds != negated),
            Compared::Incomparable if !negated => Ternary::No,
            Compared::Incomparable | Compared::Unknown => Ternary::Unknown,
        }
    }
}

impl Comparison {
    /// Compares.
    pub(super) fn compare(
        self,
        value: &str,
        policy_value: &str,
        version: LanguageVersion,
        keys: Keys<'_>,
    ) -> Compared {
        let text =
            |compare: &dyn Fn(&Text<'_>) -> Option<bool>| match expand_variables(policy_value, version, keys)
            {
                Text::Unknown => Compared::Unknown,
                text => compare(&text).into(),
            };
        match self {
            Comparison::StringEquals => return text(&|text| text.equals(value, false)),
            Comparison::StringEqualsIgnoreCase => return text(&|text| text.equals(value, true)),
            Comparison::StringLike => return text(&|text| text.matches(value)),
            Comparison::Arn => return compare_arns(value, policy_value, version, keys),
            _ => {}
        }
        // Policy variables go with strings and ARNs only.
        if version == LanguageVersion::V2012 && policy_value.contains("${") {
            return Compared::Unknown;
        }
        match self {
            Comparison::Numeric(order) => order.of(parse_number(value), parse_number(policy_value)),
            Comparison::Date(order) => order.of(date::parse(value), date::parse(policy_value)),
            Comparison::Bool => {
                compare_pair(parse_boolean(value), parse_boolean(policy_value), |a, b| a == b).into()
            }
            Comparison::IpAddress => {
                compare_pair(value.parse().ok(), parse_ip_block(policy_value), |address: IpAddr, block| {
                    block.contains(&address)
                })
                .into()
            }
            _ => Compared::Settled(value == policy_value),
        }
    }
}

impl From<Option<bool>> for Compared {
    fn from(compared: Option<bool>) -> Compared {
        compared.map_or(Compared::Incomparable, Compared::Settled)
    }
}

impl Order {
    fn of<T: PartialOrd>(self, value: Option<T>, policy_value: Option<T>) -> Compared {
        let ordering =
            value.zip(policy_value).and_then(|(value, policy_value)| value.partial_cmp(&policy_value));
        let holds = ordering.map(|ordering| match self {
            Order::Equal => ordering == Ordering::Equal,
            Order::Less => ordering == Ordering::Less,
            Order::LessOrEqual => ordering != Ordering::Greater,
            Order::Greater => ordering == Ordering::Greater,
            Order::GreaterOrEqual => ordering != Ordering::Less,
        });
        holds.into()
    }
}

fn compare_pair<A, B>(a: Option<A>, b: Option<B>, compare: impl Fn(A, B) -> bool) -> Option<bool> {
    a.zip(b).map(|(a, b)| compare(a, b))
}

/// Each of the six parts is compared by itself, so that no wildcard reaches over a colon.
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN>.
fn compare_arns(value: &str, policy_value: &str, version: LanguageVersion, keys: Keys<'_>) -> Compared {
    let is_arn = |text| arn_parts(text).count() == 6 && arn_parts(text).next() == Some("arn");
    if !is_arn(value) || !is_arn(policy_value) {
        return Compared::Incomparable;
    }
    let mut all = Compared::Settled(true);
    for (part, pattern) in arn_parts(value).zip(arn_parts(policy_value)) {
        match expand_variables(pattern, version, keys) {
            Text::Unknown => all = Compared::Unknown,
            pattern => match pattern.matches(part) {
                None => return Compared::Incomparable,
                Some(false) => return Compared::Settled(false),
                Some(true) => {}
            },
        }
    }
    all
}

/// `true` or `false`, in any case.
pub(super) fn parse_boolean(text: &str) -> Option<bool> {
    [("true", true), ("false", false)]
        .into_iter()
        .find(|(name, _)| text.eq_ignore_ascii_case(name))
        .map(|(_, is)| is)
}

/// A decimal number. Digits beyond what a double holds are not told apart.
fn parse_number(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+'));
    text.parse().ok().filter(|_| plain)
}

/// An address, or a block of addresses.
fn parse_ip_block(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse().ok().map(IpAddr::into))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::{Context, Requester};

    fn check(comparison: Comparison, value: &str, policy_value: &str, expected: Option<bool>) {
        let (context, requester) = (Context::complete(), Requester::Anonymous);
        let keys = Keys { context: &context, requester: &requester };
        let compared = comparison.compare(value, policy_value, LanguageVersion::V2012, keys);
        assert_eq!(compared, expected.into(), "{comparison:?}: {value} / {policy_value}");
    }

    #[test]
    fn addresses() {
        for (value, policy_value, expected) in [
            ("203.0.113.7", "203.0.113.0/24", Some(true)),
            ("203.0.114.7", "203.0.113.0/24", Some(false)),
            ("203.0.113.7", "203.0.113.7", Some(true)),
            ("8.8.8.8", "0.0.0.0/0", Some(true)),
            ("2001:db8:1234:5678:0::1", "2001:DB8:1234:5678::/64", Some(true)),
            ("2001:db8:1234:5679::1", "2001:db8:1234:5678::/64", Some(false)),
            ("::1", "::/0", Some(true)),
            ("::1", "0.0.0.0/0", Some(false)),
            ("203.0.113.7", "203.0.113.0/33", None),
            ("203.0.113", "203.0.113.0/24", None),
        ] {
            check(Comparison::IpAddress, value, policy_value, expected);
        }
    }

    #[test]
    fn numbers_and_dates() {
        check(Comparison::Numeric(Order::LessOrEqual), "10", "10.0", Some(true));
        check(Comparison::Numeric(Order::Less), "-1", "0", Some(true));
        check(Comparison::Numeric(Order::Equal), "ten", "10", None);
        check(Comparison::Numeric(Order::Equal), "inf", "inf", None);
        check(Comparison::Date(Order::Greater), "2024-01-02T00:00:00Z", "2024-01-01", Some(true));
        check(Comparison::Date(Order::Equal), "1704067200", "2024-01-01T00:00:00Z", Some(true));
    }

    #[test]
    fn arn_parts_are_compared() {
        let arn = "arn:aws:iam::111122223333:role/x:y";
        check(Comparison::Arn, arn, "arn:aws:iam::*:role/x*", Some(true));
        check(Comparison::Arn, arn, "arn:aws:*:role/x:y", None);
        check(Comparison::Arn, arn, "arn:aws:*:*:1111*:role/x:y", Some(true));
        check(Comparison::Arn, arn, "arn:aws:*:111122223333:role/x:y", Some(false));
        check(Comparison::Arn, arn, "*", None);
        check(Comparison::Arn, "x", "arn:aws:iam::*:role/x*", None);
    }
}
