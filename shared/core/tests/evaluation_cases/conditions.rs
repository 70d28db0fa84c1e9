//! Conditions.

use serde_json::{Value, json};

use super::super::{check, policy};

fn with(condition: Value, context: Value, expected: &str) {
    let statement = json!({"Condition": condition});
    check(json!({"context": context, "identityPolicies": [policy("Allow", statement)]}), expected);
}

/// Each row: condition, context, whether it holds.
fn table(rows: &[(Value, Value, bool)]) {
    for (condition, context, holds) in rows {
        with(condition.clone(), context.clone(), if *holds { "allowed" } else { "implicitlyDenied" });
    }
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>
#[test]
fn operators() {
    let tag = |value: &str| json!({"aws:PrincipalTag/team": value});
    table(&[
        (json!({"StringEquals": tag("blue")}), tag("blue"), true),
        (json!({"StringEquals": tag("blue")}), tag("Blue"), false),
        (json!({"StringEquals": {"AWS:PrincipalTag/TEAM": "blue"}}), tag("blue"), true),
        (json!({"StringEqualsIgnoreCase": tag("blue")}), tag("BLUE"), true),
        (json!({"StringNotEquals": {"aws:PrincipalTag/team": ["a", "b"]}}), tag("b"), false),
        (json!({"StringNotEquals": {"aws:PrincipalTag/team": ["a", "b"]}}), tag("c"), true),
        (json!({"StringLike": tag("b?u*")}), tag("blue"), true),
        (json!({"StringEquals": tag("b*")}), tag("blue"), false),
        (json!({"StringEquals": tag("a${*}b")}), tag("a*b"), true),
        (json!({"NumericLessThanEquals": {"s3:max-keys": 10}}), json!({"s3:max-keys": "10"}), true),
        (json!({"NumericLessThan": {"s3:max-keys": "10"}}), json!({"s3:max-keys": 10}), false),
        (json!({"NumericNotEquals": {"s3:max-keys": "10"}}), json!({"s3:max-keys": "10.0"}), false),
        (
            json!({"DateGreaterThan": {"aws:TokenIssueTime": "2020-01-01T00:00:01Z"}}),
            json!({"aws:TokenIssueTime": "2020-01-01T00:00:02Z"}),
            true,
        ),
        (
            json!({"DateLessThan": {"aws:EpochTime": "2020-01-01T00:00:00Z"}}),
            json!({"aws:EpochTime": "1577836799"}),
            true,
        ),
        (json!({"Bool": {"aws:SecureTransport": true}}), json!({"aws:SecureTransport": "true"}), true),
        (json!({"Bool": {"aws:SecureTransport": "False"}}), json!({"aws:SecureTransport": "false"}), true),
        (
            json!({"BinaryEquals": {"key": "QmluYXJ5VmFsdWVJbkJhc2U2NA=="}}),
            json!({"key": "QmluYXJ5VmFsdWVJbkJhc2U2NA=="}),
            true,
        ),
        (
            json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
            json!({"aws:SourceIp": "203.0.113.255"}),
            true,
        ),
        (json!({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}), json!({"aws:SourceIp": "203.0.113.255"}), true),
        (
            json!({"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:DB8:1234:5678::/64"]}}),
            json!({"aws:SourceIp": "2001:db8:1234:5678::1"}),
            false,
        ),
        (
            json!({"NotIpAddress": {"aws:SourceIp": "2001:db8::1"}}),
            json!({"aws:SourceIp": "203.0.113.1"}),
            true,
        ),
        (
            json!({"ArnEquals": {"aws:SourceArn": "arn:aws:sns:*:123456789012:t*"}}),
            json!({"aws:SourceArn": "arn:aws:sns:us-east-1:123456789012:topic"}),
            true,
        ),
        // Each part by itself: a wildcard reaches over no colon.
        (
            json!({"ArnLike": {"aws:SourceArn": "arn:aws:*:topic"}}),
            json!({"aws:SourceArn": "arn:aws:sns:us-east-1:123456789012:topic"}),
            false,
        ),
        (
            json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::${aws:PrincipalAccount}:user/*"}}),
            json!({}),
            true,
        ),
    ]);
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_IfExists>
/// and `#Conditions_Null`
#[test]
fn keys_that_are_missing() {
    let absent = json!({});
    table(&[
        (json!({"StringEquals": {"k": "v"}}), absent.clone(), false),
        (json!({"StringNotEquals": {"k": "v"}}), absent.clone(), true),
        (json!({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}), absent.clone(), true),
        (json!({"Bool": {"aws:MultiFactorAuthPresent": false}}), absent.clone(), false),
        (json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": false}}), absent.clone(), true),
        (json!({"NumericLessThanIfExists": {"k": "1"}}), json!({"k": "2"}), false),
        (json!({"Null": {"k": "true"}}), absent.clone(), true),
        (json!({"Null": {"k": false}}), absent.clone(), false),
        (json!({"Null": {"k": "false"}}), json!({"k": "v"}), true),
    ]);
    with(json!({"NullIfExists": {"k": "true"}}), absent, "unknown");
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html>
#[test]
fn keys_with_several_values() {
    let any = |values: Value| {
        (json!({"ForAnyValue:StringEquals": {"aws:TagKeys": ["a", "b"]}}), json!({"aws:TagKeys": values}))
    };
    let all = |values: Value| {
        (json!({"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}), json!({"aws:TagKeys": values}))
    };
    for ((condition, context), holds) in [
        (any(json!(["b", "c"])), true),
        (any(json!(["c"])), false),
        (any(json!([])), false),
        (all(json!(["a", "b"])), true),
        (all(json!(["a", "c"])), false),
        (all(json!([])), true),
        (all(json!("")), true),
    ] {
        table(&[(condition, context, holds)]);
    }
    table(&[
        (json!({"ForAllValues:StringEquals": {"aws:TagKeys": "a"}}), json!({}), true),
        (json!({"ForAnyValue:StringEquals": {"aws:TagKeys": "a"}}), json!({}), false),
        (
            json!({"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["a"]}}),
            json!({"aws:TagKeys": ["a", "c"]}),
            true,
        ),
        (
            json!({"ForAllValues:StringNotLike": {"aws:TagKeys": ["a*"]}}),
            json!({"aws:TagKeys": ["b", "ab"]}),
            false,
        ),
    ]);
    with(json!({"StringEquals": {"aws:TagKeys": "a"}}), json!({"aws:TagKeys": ["a", "b"]}), "unknown");
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html>
#[test]
fn all_condition_operators_must_hold() {
    let both = json!({"StringEquals": {"a": "1", "b": ["2", "3"]}, "NumericLessThan": {"c": 5}});
    table(&[
        (both.clone(), json!({"a": "1", "b": "3", "c": 4}), true),
        (both.clone(), json!({"a": "1", "b": "4", "c": 4}), false),
        (both, json!({"a": "1", "b": "2", "c": 5}), false),
    ]);
}

/// What AWS's documentation does not settle is not guessed.
#[test]
fn not_settled() {
    with(json!({"NumericNotEquals": {"k": "ten"}}), json!({"k": "1"}), "unknown");
    with(json!({"StringNotEquals": {"k": "${aws:PrincipalTag/none}"}}), json!({"k": "1"}), "unknown");
    with(json!({"ArnNotLike": {"k": "*"}}), json!({"k": "arn:aws:s3:::b"}), "unknown");
    with(json!({"StringAlmost": {"k": "1"}}), json!({"k": "1"}), "unknown");
    with(json!({"NumericEquals": {"k": "${aws:EpochTime}"}}), json!({"k": "1"}), "unknown");
    // A positive operator on such values does not hold.
    table(&[
        (json!({"NumericEquals": {"k": "ten"}}), json!({"k": "1"}), false),
        (json!({"StringLike": {"k": "${aws:PrincipalTag/none}"}}), json!({"k": "1"}), false),
    ]);
}
