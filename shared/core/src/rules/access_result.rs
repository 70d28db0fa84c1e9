//! What the sides of an access refuse, and how to say so.

use std::collections::BTreeSet;

use serde_json::Value;

use super::diagnostics::Denied;
use crate::evaluation::{Side, StatementRef};
use crate::policy::PolicyDocument;

/// What one side says to all requests of an access.
#[derive(Debug, Default)]
pub(super) struct AccessResult {
    /// The requests that do not pass.
    pub refused: Vec<Refusal>,
    /// Whether some request is not settled.
    pub unsettled: bool,
    /// Whether for some request it is not settled that a statement allows it, whatever another denies.
    pub allow_unsettled: bool,
    /// The conditions that it depends on, each with its statement, where the policies are known.
    pub open: BTreeSet<String>,
}

/// A request that a side does not let pass.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The request.
    pub denied: Denied,
    /// The statement that denies; none where none allows.
    pub by: Option<String>,
}

impl Refusal {
    /// A principal's request (action and resource) that this side refuses: by the statement that denies it, else
    /// since none allows it.
    pub(super) fn new(
        principal: &str,
        (action, resource): (String, String),
        side: Side,
        denying: Option<StatementRef>,
    ) -> Self {
        let by = denying.map(|it| format!("{} of the {}", it.statement, it.policy));
        let denied =
            Denied { principal: principal.to_owned(), action, resource, side, explicit: by.is_some() };
        Refusal { denied, by }
    }
}

impl AccessResult {
    /// One request is refused; `by` says which statement denies it.
    pub(super) fn refusing(denied: Denied, by: Option<String>) -> Self {
        AccessResult { refused: vec![Refusal { denied, by }], ..AccessResult::default() }
    }

    /// Only what no statement allows. Where one does, nothing is omitted, and a denial is another matter.
    pub(super) fn omitted(mut self) -> Self {
        self.unsettled = self.allow_unsettled;
        self.refused.retain(|refusal| refusal.by.is_none());
        self
    }

    /// Only what a statement denies.
    pub(super) fn explicit(mut self) -> Self {
        self.refused.retain(|refusal| refusal.by.is_some());
        self
    }

    /// What the role's own side refuses, its boundary and the organization with it, and what the resource's policy
    /// does.
    pub(super) fn by_side(self) -> (Self, Self) {
        let AccessResult { refused, unsettled, allow_unsettled, open } = self;
        let of_resource = |refusal: &Refusal| refusal.denied.side == Side::Resource;
        let (resource, own) = refused.into_iter().partition(of_resource);
        let own = AccessResult { refused: own, unsettled, allow_unsettled, open };
        (own, AccessResult { refused: resource, ..AccessResult::default() })
    }

    /// What would have to be known of this place: all of it, or whether conditions are met.
    pub(super) fn missing(&self, place: &str) -> String {
        if self.open.is_empty() {
            return place.to_owned();
        }
        let open: Vec<&str> = self.open.iter().map(String::as_str).collect();
        format!("{place}: it depends on the condition {}", open.join("; "))
    }

    /// Whether nothing is refused.
    pub(super) fn is_clear(&self) -> bool {
        self.refused.is_empty()
    }

    /// The refused requests.
    pub(super) fn denied(&self) -> Vec<Denied> {
        self.refused.iter().map(|refusal| refusal.denied.clone()).collect()
    }

    /// The refused actions, each once, as a sentence has them.
    pub(super) fn actions(&self) -> String {
        let mut actions: Vec<&str> = vec![];
        for refusal in &self.refused {
            if !actions.contains(&refusal.denied.action.as_str()) {
                actions.push(&refusal.denied.action);
            }
        }
        actions.join(", ")
    }

    /// The statements that deny, as a sentence has them.
    pub(super) fn denying(&self) -> String {
        let mut statements: Vec<String> = vec![];
        for by in self.refused.iter().filter_map(|refusal| refusal.by.as_ref()) {
            if !statements.contains(by) {
                statements.push(by.clone());
            }
        }
        statements.join(" and ")
    }

    /// Why: the statements that deny, or that none allows.
    pub(super) fn because(&self, policy: &str, what_for: &str) -> String {
        let (denying, actions) = (self.denying(), self.actions());
        if denying.is_empty() {
            format!("no statement of {policy} allows {actions} {what_for}")
        } else {
            format!("{denying} denies {actions} {what_for}")
        }
    }

    /// Why a role's own policies refuse, or its permissions boundary.
    pub(super) fn because_of_role(&self, role_arn: &str, what_for: &str) -> String {
        self.because(&format!("{} of {role_arn}", self.what()), what_for)
    }

    /// What has to be changed of a role.
    pub(super) fn what(&self) -> &'static str {
        if self.is_of_boundary() { "the permissions boundary" } else { "the own policies" }
    }

    /// Whether it is the permissions boundary that refuses.
    pub(super) fn is_of_boundary(&self) -> bool {
        let boundary = |refusal: &Refusal| refusal.denied.side == Side::PermissionsBoundary;
        self.refused.first().is_some_and(boundary)
    }

    /// The statements of a policy that deny.
    pub(super) fn denying_of(&self, policy: &PolicyDocument) -> Vec<Value> {
        let denies = |label: &str| {
            let of = format!("{label} of ");
            self.refused.iter().any(|refusal| refusal.by.as_ref().is_some_and(|by| by.starts_with(&of)))
        };
        let statements = policy.statements().filter(|statement| denies(&statement.label()));
        statements.map(|statement| Value::Object(statement.raw().clone())).collect()
    }
}
