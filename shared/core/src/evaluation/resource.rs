//! Does a statement's `Resource` or `NotResource` cover the resource?
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>.

use super::Ternary;
use super::context::Keys;
use super::pattern::{self, arn_parts};
use super::request::Asked;
use super::variables::{Text, expand_variables, has_variable};
use crate::arn::Arn;
use crate::policy::{LanguageVersion, PolicyKind, Statement};

/// Whether the statement covers the resource. A trust policy has no resource element: the role it is
/// attached to is meant, and so it is with the other resources whose policies need none. Only a key policy's
/// statement without one "has no effect".
/// See <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html>.
pub(super) fn covers_resource(
    statement: Statement<'_>,
    version: LanguageVersion,
    kind: PolicyKind,
    request: &Asked<'_>,
) -> Ternary {
    let covered = |pattern, void| covers_or_completed(pattern, version, kind, request).unwrap_or(void);
    if let Some(patterns) = statement.strings("Resource") {
        return Ternary::any(patterns.map(|pattern| covered(pattern, Ternary::No)));
    }
    if let Some(patterns) = statement.strings("NotResource") {
        return !Ternary::any(patterns.map(|pattern| covered(pattern, Ternary::Unknown)));
    }
    Arn::parts(request.resource).is_none_or(|[_, service, ..]| service != "kms").into()
}

/// AWS: an ARN with fewer than six parts in an identity policy is completed with wildcards: `arn:aws:sqs` is
/// `arn:aws:sqs:*:*:*`. Of the other kinds of policy it does not say so.
fn covers_or_completed(
    pattern: &str,
    version: LanguageVersion,
    kind: PolicyKind,
    request: &Asked<'_>,
) -> Option<Ternary> {
    let covers = |pattern: &str| pattern_covers(pattern, version, request.resource, request.keys);
    let Some(completed) = complete_arn(pattern) else { return covers(pattern) };
    if kind == PolicyKind::Identity {
        return covers(&completed);
    }
    let (as_written, completed) = (covers(pattern)?, covers(&completed)?);
    Some(if as_written == completed { as_written } else { Ternary::Unknown })
}

/// The ARN with a wildcard for each part that is missing; None where none is, or where it is no ARN.
fn complete_arn(pattern: &str) -> Option<String> {
    let colons = pattern.bytes().filter(|byte| *byte == b':').count();
    let missing = 5_usize.checked_sub(colons).filter(|missing| *missing > 0)?;
    (pattern == "arn" || pattern.starts_with("arn:")).then(|| format!("{pattern}{}", ":*".repeat(missing)))
}

/// None where a policy variable has no value: such a pattern covers nothing, but whether leaving it out
/// of everything leaves everything, AWS's documentation does not say.
fn pattern_covers(
    pattern: &str,
    version: LanguageVersion,
    resource: &str,
    keys: Keys<'_>,
) -> Option<Ternary> {
    if pattern == "*" {
        return Some(Ternary::Yes);
    }
    let covered = if version == LanguageVersion::V2008 || !has_variable(pattern) {
        pattern::matches(pattern, resource)
    } else if arn_parts(pattern).take(5).any(has_variable) {
        // Variables belong behind the fifth colon.
        return Some(Ternary::Unknown);
    } else {
        match expand_variables(pattern, version, keys) {
            Text::Unknown => return Some(Ternary::Unknown),
            text => text.matches(resource)?,
        }
    };
    Some(if covered && reaches_over_colons(pattern, resource) { Ternary::Unknown } else { covered.into() })
}

/// Whether the match depends on a `*` that reaches over a colon of the first five, although it is not the
/// last character of its part. AWS says that the last one may.
fn reaches_over_colons(pattern: &str, resource: &str) -> bool {
    let inner_star = |part: &str| part.trim_end_matches('*').contains('*');
    let mut parts = arn_parts(pattern).zip(arn_parts(resource)).take(5);
    pattern.as_bytes().contains(&b'*')
        && arn_parts(pattern).take(5).any(inner_star)
        && !parts.all(|(pattern, part)| pattern::matches(pattern, part))
}
