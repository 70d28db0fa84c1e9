//! Does one statement match the request?

use super::principal::{self, Naming};
use super::request::Request;
use super::{Tri, condition, pattern};
use crate::policy::{LanguageVersion, Statement};

/// Whether the statement matches the request, and how it names the requester.
pub fn matches(statement: Statement<'_>, version: LanguageVersion, request: &Request<'_>) -> (Tri, Naming) {
    let (speaks, naming) = principal::speaks_of(statement, &request.requester);
    let parts = [
        speaks,
        covers_action(statement, request.action).into(),
        covers_resource(statement, version, request.resource),
    ];
    match Tri::all(parts) {
        Tri::No => (Tri::No, naming),
        so_far => (so_far.and(condition::holds(statement, version, &request.context)), naming),
    }
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

/// A trust policy has no resource element: the role it is attached to is meant.
fn covers_resource(statement: Statement<'_>, version: LanguageVersion, resource: &str) -> Tri {
    let any = |patterns: Vec<&str>| {
        Tri::any(patterns.iter().map(|pattern| match version {
            // Policy variables are not resolved yet, so a pattern with one is not settled.
            LanguageVersion::V2012 if pattern.contains("${") => Tri::Unknown,
            _ => pattern::matches(pattern, resource).into(),
        }))
    };
    match (statement.strings("Resource"), statement.strings("NotResource")) {
        (Some(patterns), _) => any(patterns),
        (None, Some(patterns)) => !any(patterns),
        (None, None) => Tri::Yes,
    }
}
