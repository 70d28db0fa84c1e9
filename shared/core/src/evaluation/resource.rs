//! Does a statement's `Resource` or `NotResource` cover the resource?
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>.

use super::pattern::{self, arn_parts};
use super::variables::{Text, expand};
use super::{Context, Tri};
use crate::policy::{LanguageVersion, Statement};

/// Whether the statement covers the resource. A trust policy has no resource element: the role it is
/// attached to is meant.
pub fn covers_resource(
    statement: Statement<'_>,
    version: LanguageVersion,
    resource: &str,
    context: &Context,
) -> Tri {
    let covered = |pattern: &&str| covers(pattern, version, resource, context);
    match (statement.strings("Resource"), statement.strings("NotResource")) {
        (Some(patterns), _) => Tri::any(patterns.iter().map(|pattern| covered(pattern).unwrap_or(Tri::No))),
        (None, Some(patterns)) => {
            !Tri::any(patterns.iter().map(|pattern| covered(pattern).unwrap_or(Tri::Unknown)))
        }
        (None, None) => Tri::Yes,
    }
}

/// None where a policy variable has no value: such a pattern covers nothing, but whether leaving it out
/// of everything leaves everything, AWS's documentation does not say.
fn covers(pattern: &str, version: LanguageVersion, resource: &str, context: &Context) -> Option<Tri> {
    if pattern == "*" {
        return Some(Tri::Yes);
    }
    if version == LanguageVersion::V2012 && arn_parts(pattern).take(5).any(|part| part.contains("${")) {
        // Variables belong behind the fifth colon.
        return Some(Tri::Unknown);
    }
    match expand(pattern, version, context) {
        Text::Unknown => Some(Tri::Unknown),
        text => text.matches(resource).map(|covered| match covered {
            true if reaches_over_colons(pattern, resource) => Tri::Unknown,
            covered => covered.into(),
        }),
    }
}

/// Whether the match depends on a `*` that reaches over a colon of the first five, although it is not the
/// last character of its part. AWS says that the last one may.
fn reaches_over_colons(pattern: &str, resource: &str) -> bool {
    let head = |text| arn_parts(text).take(5).collect::<Vec<&str>>();
    let inner_star = |part: &&str| part.trim_end_matches('*').contains('*');
    let patterns = head(pattern);
    patterns.iter().any(inner_star)
        && !patterns.iter().zip(head(resource)).all(|(pattern, part)| pattern::matches(pattern, part))
}
