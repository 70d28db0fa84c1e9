//! Does a statement's `Condition` block hold?
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>.

use super::request::{Context, ContextValue};
use super::{Tri, pattern};
use crate::policy::{LanguageVersion, Statement};

/// Whether all conditions hold; yes for a statement without any.
pub fn holds(statement: Statement<'_>, version: LanguageVersion, context: &Context) -> Tri {
    Tri::all(statement.conditions().map(|(operator, key, values)| {
        let variable = version == LanguageVersion::V2012 && values.iter().any(|value| value.contains("${"));
        match Operator::parse(operator) {
            // Policy variables are not resolved yet.
            Some(operator) if !variable => operator.holds(context.get(key), &values),
            _ => Tri::Unknown,
        }
    }))
}

/// An operator with its prefix and suffix: `ForAnyValue:StringLikeIfExists`.
struct Operator {
    quantifier: Quantifier,
    comparison: Comparison,
    negated: bool,
    if_exists: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quantifier {
    /// None given: the key has one value.
    Single,
    ForAnyValue,
    ForAllValues,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    Arn,
    Bool,
    Null,
}

impl Operator {
    /// None for an operator that is not known here.
    fn parse(text: &str) -> Option<Operator> {
        let (quantifier, rest) = match text.split_once(':') {
            None => (Quantifier::Single, text),
            Some(("ForAnyValue", rest)) => (Quantifier::ForAnyValue, rest),
            Some(("ForAllValues", rest)) => (Quantifier::ForAllValues, rest),
            Some(_) => return None,
        };
        let (rest, if_exists) = rest.strip_suffix("IfExists").map_or((rest, false), |rest| (rest, true));
        let (comparison, negated) = match rest {
            "StringEquals" => (Comparison::StringEquals, false),
            "StringNotEquals" => (Comparison::StringEquals, true),
            "StringEqualsIgnoreCase" => (Comparison::StringEqualsIgnoreCase, false),
            "StringNotEqualsIgnoreCase" => (Comparison::StringEqualsIgnoreCase, true),
            "StringLike" => (Comparison::StringLike, false),
            "StringNotLike" => (Comparison::StringLike, true),
            "ArnEquals" | "ArnLike" => (Comparison::Arn, false),
            "ArnNotEquals" | "ArnNotLike" => (Comparison::Arn, true),
            "Bool" => (Comparison::Bool, false),
            "Null" => (Comparison::Null, false),
            _ => return None,
        };
        Some(Operator { quantifier, comparison, negated, if_exists })
    }

    fn holds(&self, value: ContextValue<'_>, wanted: &[String]) -> Tri {
        if self.comparison == Comparison::Null {
            let absent = match value {
                ContextValue::Known(_) => Tri::No,
                ContextValue::Absent => Tri::Yes,
                ContextValue::Unknown => return Tri::Unknown,
            };
            return Tri::any(wanted.iter().map(|flag| if flag == "true" { absent } else { !absent }));
        }
        match value {
            ContextValue::Unknown => Tri::Unknown,
            ContextValue::Absent => self.holds_without_the_key().into(),
            ContextValue::Known(values) => self.holds_for(values, wanted).into(),
        }
    }

    /// A missing key fails a positive comparison and passes a negated one.
    fn holds_without_the_key(&self) -> bool {
        self.if_exists
            || match self.quantifier {
                Quantifier::Single => self.negated,
                Quantifier::ForAllValues => true,
                Quantifier::ForAnyValue => false,
            }
    }

    fn holds_for(&self, values: &[String], wanted: &[String]) -> bool {
        let each =
            |value: &String| wanted.iter().any(|wanted| self.comparison.holds(value, wanted)) != self.negated;
        match self.quantifier {
            Quantifier::Single | Quantifier::ForAnyValue => values.iter().any(each),
            Quantifier::ForAllValues => values.iter().all(each),
        }
    }
}

impl Comparison {
    fn holds(self, value: &str, wanted: &str) -> bool {
        match self {
            Comparison::StringEquals => value == wanted,
            Comparison::StringEqualsIgnoreCase | Comparison::Bool => value.eq_ignore_ascii_case(wanted),
            Comparison::StringLike => pattern::matches(wanted, value),
            Comparison::Arn => pattern::arn_matches(wanted, value),
            Comparison::Null => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::policy::PolicyDocument;

    fn check(block: Value, context: &Context, expected: Tri) {
        let document = PolicyDocument::from_value(json!({"Statement": {"Condition": block}})).unwrap();
        let statement = document.statements().next().unwrap();
        assert_eq!(holds(statement, LanguageVersion::V2012, context), expected, "{block}");
    }

    #[test]
    fn the_walkthroughs_denials_do_not_meet_what_codepipeline_sends() {
        let context = Context::partial()
            .with("aws:SecureTransport", "true")
            .with("s3:x-amz-server-side-encryption", "aws:kms");
        check(json!({"Bool": {"aws:SecureTransport": false}}), &context, Tri::No);
        check(json!({"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}), &context, Tri::No);
        check(json!({"StringNotEquals": {"s3:x-amz-server-side-encryption": "AES256"}}), &context, Tri::Yes);
    }

    #[test]
    fn a_missing_key() {
        let context = Context::partial().without("aws:SourceVpce");
        check(json!({"StringEquals": {"aws:SourceVpce": "v"}}), &context, Tri::No);
        check(json!({"StringNotEquals": {"AWS:sourcevpce": "v"}}), &context, Tri::Yes);
        check(json!({"StringEqualsIfExists": {"aws:SourceVpce": "v"}}), &context, Tri::Yes);
        check(json!({"Null": {"aws:SourceVpce": true}}), &context, Tri::Yes);
        check(json!({"Null": {"aws:SourceVpce": "false"}}), &context, Tri::No);
        check(json!({"ForAllValues:StringEquals": {"aws:SourceVpce": "v"}}), &context, Tri::Yes);
        check(json!({"ForAnyValue:StringNotEquals": {"aws:SourceVpce": "v"}}), &context, Tri::No);
    }

    #[test]
    fn what_is_not_known_stays_unknown() {
        let context = Context::partial().with("aws:PrincipalArn", "arn:aws:iam::1:role/x");
        check(json!({"StringEquals": {"aws:SourceIp": "10.0.0.1"}}), &context, Tri::Unknown);
        check(json!({"IpAddress": {"aws:PrincipalArn": "10.0.0.0/8"}}), &context, Tri::Unknown);
        check(json!({"StringEquals": {"aws:PrincipalArn": "${aws:username}"}}), &context, Tri::Unknown);
        check(
            json!({"StringEquals": {"aws:SourceIp": "x"}, "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::2:*"}}),
            &context,
            Tri::No,
        );
    }

    #[test]
    fn several_values_are_alternatives_and_none_of_them_when_negated() {
        let context = Context::complete().with("k", "b");
        check(json!({"StringEquals": {"k": ["a", "b"]}}), &context, Tri::Yes);
        check(json!({"StringNotEquals": {"k": ["a", "b"]}}), &context, Tri::No);
        check(json!({"StringLike": {"K": "?"}}), &context, Tri::Yes);
    }
}
