//! Does one statement match the request?

use super::principal::{self, PrincipalMatch};
use super::request::Asked;
use super::resource::covers_resource;
use super::{Ternary, condition, pattern};
use crate::policy::{LanguageVersion, PolicyKind, Statement};

/// Whether the statement matches the request, and how it names the requester. `bounded` says whether the
/// requester has a permissions boundary.
pub(super) fn match_statement(
    statement: Statement<'_>,
    version: LanguageVersion,
    kind: PolicyKind,
    request: &Asked<'_>,
    bounded: bool,
) -> (Ternary, PrincipalMatch) {
    if !covers_action(statement, request.action) {
        return (Ternary::No, PrincipalMatch::Account);
    }
    let (speaks, mut naming) = principal::match_principal(statement, request.requester, bounded);
    let mut so_far = speaks;
    if so_far != Ternary::No {
        so_far = so_far.and(covers_resource(statement, version, kind, request));
    }
    if so_far != Ternary::No {
        so_far = so_far.and(condition::conditions_hold(statement, version, request.keys));
    }
    if naming == PrincipalMatch::Everyone && condition::names_principal(statement) {
        naming = PrincipalMatch::Direct;
    }
    (so_far, naming)
}

/// Whether the statement's `Action` or `NotAction` covers the action.
pub fn covers_action(statement: Statement<'_>, action: &str) -> bool {
    let covered = |pattern: &str| pattern::action_matches(pattern, action);
    if let Some(mut patterns) = statement.strings("Action") {
        return patterns.any(covered);
    }
    statement.strings("NotAction").is_some_and(|mut patterns| !patterns.any(covered))
}
