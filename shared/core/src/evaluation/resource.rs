//! Does a statement's `Resource` or `NotResource` cover the resource?
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>.

use super::Ternary;
use super::context::Keys;
use super::pattern::{self, arn_parts};
use super::variables::{Text, expand, has_variable};
use crate::policy::{LanguageVersion, Statement};

/// Whether the statement covers the resource. A trust policy has no resource element: the role it is
/// attached to is meant.
pub(super) fn covers_resource(
    statement: Statement<'_>,
    version: LanguageVersion,
    resource: &str,
    keys: Keys<'_>,
) -> Ternary {
    let covered = |pattern, void| covers(pattern, version, resource, keys).unwrap_or(void);
    if let Some(patterns) = statement.strings("Resource") {
        return Ternary::any(patterns.map(|pattern| covered(pattern, Ternary::No)));
    }
    let others = statement.strings("NotResource");
    others.map_or(Ternary::Yes, |patterns| {
        !Ternary::any(patterns.map(|pattern| covered(pattern, Ternary::Unknown)))
    })
}

/// None where a policy variable has no value: such a pattern covers nothing, but whether leaving it out
/// of everything leaves everything, AWS's documentation does not say.
fn covers(pattern: &str, version: LanguageVersion, resource: &str, keys: Keys<'_>) -> Option<Ternary> {
    if pattern == "*" {
        return Some(Ternary::Yes);
    }
    let covered = if version == LanguageVersion::V2008 || !has_variable(pattern) {
        pattern::matches(pattern, resource)
    } else if arn_parts(pattern).take(5).any(has_variable) {
        // Variables belong behind the fifth colon.
        return Some(Ternary::Unknown);
    } else {
        match expand(pattern, version, keys) {
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
