//! Does one statement match the request?

use super::principal::{self, Naming};
use super::request::Request;
use super::resource::covers_resource;
use super::{Tri, condition, pattern};
use crate::policy::LanguageVersion;
use crate::policy::Statement;

/// Whether the statement matches the request, and how it names the requester. `bounded` says whether the
/// requester has a permissions boundary.
pub fn matches(
    statement: Statement<'_>,
    version: LanguageVersion,
    request: &Request<'_>,
    bounded: bool,
) -> (Tri, Naming) {
    if !covers_action(statement, request.action) {
        return (Tri::No, Naming::Account);
    }
    let (speaks, naming) = principal::speaks_of(statement, &request.requester, bounded);
    let mut so_far = speaks;
    if so_far != Tri::No {
        so_far = so_far.and(covers_resource(statement, version, request.resource, &request.context));
    }
    if so_far != Tri::No {
        so_far = so_far.and(condition::holds(statement, version, &request.context));
    }
    (so_far, naming)
}

/// Whether the statement's `Action` or `NotAction` covers the action.
pub fn covers_action(statement: Statement<'_>, action: &str) -> bool {
    let any = |patterns: Vec<&str>| patterns.iter().any(|pattern| pattern::action_matches(pattern, action));
    match (statement.strings("Action"), statement.strings("NotAction")) {
        (Some(patterns), _) => any(patterns),
        (None, Some(patterns)) => !any(patterns),
        (None, None) => false,
    }
}
