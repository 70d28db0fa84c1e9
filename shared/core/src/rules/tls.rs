//! The TLS version of a request to S3: 1.2 or 1.3, and nobody knows which.
//!
//! S3 takes nothing older. A denial of what is older, which AWS recommends, is therefore never met.
//! See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingEncryptionInTransit.html>.

use crate::policy::PolicyDocument;

/// The condition key.
pub(super) const KEY: &str = "s3:TlsVersion";

/// The version to evaluate these policies with; none where one of them tells the two apart.
pub(super) fn version<'p>(policies: impl IntoIterator<Item = &'p PolicyDocument>) -> Option<&'static str> {
    let mut conditions = policies
        .into_iter()
        .flat_map(PolicyDocument::statements)
        .flat_map(|statement| statement.conditions().collect::<Vec<_>>());
    let tells_apart = conditions.any(|(operator, key, mut values)| {
        key.eq_ignore_ascii_case(KEY) && !(is_threshold(operator) && values.all(|it| is_met_by_both(&it)))
    });
    (!tells_apart).then_some("1.2")
}

/// Operators that answer alike for everything from the value on.
fn is_threshold(operator: &str) -> bool {
    let operator = operator.to_ascii_lowercase();
    let operator = operator.strip_suffix("ifexists").unwrap_or(&operator);
    matches!(operator, "numericlessthan" | "numericgreaterthanequals")
}

fn is_met_by_both(value: &str) -> bool {
    value.parse::<f64>().is_ok_and(|version| version <= 1.2)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tls_version_matters_only_where_named() {
        let version = |operator: &str, value: serde_json::Value| {
            let condition = json!({operator: {"S3:tlsversion": value}});
            let statement =
                json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Condition": condition});
            super::version([&PolicyDocument::from_value(json!({ "Statement": statement })).unwrap()])
        };
        for (operator, value) in [
            ("NumericLessThan", json!("1.2")),
            ("NumericLessThan", json!(1.2)),
            ("NumericLessThanIfExists", json!(["1.1", "1.2"])),
            ("numericgreaterthanequals", json!("1.2")),
        ] {
            assert_eq!(version(operator, value), Some("1.2"), "{operator}");
        }
        for (operator, value) in [
            ("NumericLessThan", json!("1.3")),
            ("NumericLessThanEquals", json!("1.2")),
            ("NumericEquals", json!("1.2")),
            ("NumericLessThan", json!("${aws:username}")),
            ("Null", json!("true")),
        ] {
            assert_eq!(version(operator, value), None, "{operator}");
        }
    }
}
