//! Principals that a policy names and that no longer exist.
//!
//! AWS shows the unique id (`AROA…`) of a role that was deleted. A role re-created under its name has
//! another one, so the statement is void; and AWS refuses to save a policy that has it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::access::Access;
use super::access_result::AccessResult;
use super::diagnostics::{Denied, Fault, Fix, RuleContext, Severity};
use super::documents::Document;
use crate::arn::{self, Arn};
use crate::evaluation::Side;
use crate::evaluation::statement::covers_action;
use crate::policy::{Effect, PolicyDocument, principal};
use crate::snapshot::Fact;

/// A deleted principal.
pub(super) struct Dead {
    /// The statement that names it.
    pub statement: String,
    /// Its unique id.
    pub id: String,
}

/// Every deleted principal of a policy.
fn all(policy: &PolicyDocument) -> Vec<Dead> {
    let of = |statement: crate::policy::Statement<'_>| {
        let label = statement.label();
        principal::deleted_principals(statement)
            .into_iter()
            .map(move |id| Dead { statement: label.clone(), id })
    };
    policy.statements().flat_map(of).collect()
}

/// A policy with the deleted principals that it names; None where it names none, or is not known, which is said.
pub(super) fn of<'a>(
    policy: Fact<&'a PolicyDocument>,
    location: &str,
    cx: &mut RuleContext<'_>,
) -> Option<(&'a PolicyDocument, Vec<Dead>)> {
    if policy.is_unknown() {
        cx.unknown(location);
    }
    let document = *policy.known()?;
    Some((document, all(document))).filter(|(_, dead)| !dead.is_empty())
}

/// Those action roles that a deleted principal of this policy was meant for, and what they are denied.
pub(super) fn shut_out<'a>(
    policy: &PolicyDocument,
    accesses: impl Iterator<Item = (&'a str, Access<'a>)>,
) -> (Vec<&'a str>, Vec<Denied>) {
    let (mut roles, mut denied) = (vec![], vec![]);
    for (role, access) in accesses {
        let judgement = access.judge(&[Side::Resource]);
        if explains(&Fact::Known(policy), &judgement) && !roles.contains(&role) {
            roles.push(role);
            denied.extend(judgement.denied());
        }
    }
    (roles, denied)
}

/// The deleted principals that these actions were meant for.
pub(super) fn that_would_allow(policy: &PolicyDocument, actions: &[&str]) -> Vec<Dead> {
    let mut found = vec![];
    for statement in policy.statements().filter(|statement| statement.effect() == Some(Effect::Allow)) {
        if actions.iter().all(|action| covers_action(statement, action)) {
            let label = statement.label();
            found.extend(
                principal::deleted_principals(statement)
                    .into_iter()
                    .map(|id| Dead { statement: label.clone(), id }),
            );
        }
    }
    found
}

/// Whether what is refused was most likely meant for a principal that is gone: then the rule on deleted
/// principals speaks, and the one on missing statements does not.
pub(super) fn explains(policy: &Fact<&PolicyDocument>, judgement: &AccessResult) -> bool {
    let actions: Vec<&str> = judgement.refused.iter().map(|it| it.denied.action.as_str()).collect();
    let omitted = !judgement.is_clear() && judgement.refused.iter().all(|refusal| refusal.by.is_none());
    omitted && policy.known().is_some_and(|policy| !that_would_allow(policy, &actions).is_empty())
}

/// The accounts of roles, as principals: a statement for the account lets in its instances as well.
pub(super) fn accounts(roles: &[&str]) -> Vec<String> {
    let arns = roles.iter().filter_map(|role| Arn::parse(role).ok());
    let roots = arns.map(|arn| arn::account_root(arn.partition(), arn.account()));
    roots.collect::<BTreeSet<_>>().into_iter().collect()
}

/// As a sentence has them: `AROA…` (statement `x`).
pub(super) fn named(dead: &[Dead]) -> String {
    let named = dead.iter().map(|dead| format!("`{}` in {}", dead.id, dead.statement));
    named.collect::<Vec<_>>().join(", ")
}

/// The fault of a policy that names deleted principals: an error where action roles depend on it, else a
/// warning, since the policy works but can't be saved again. `instead` lets those roles in.
pub(super) fn fault(
    policy: &str,
    location: String,
    dead: &[Dead],
    (roles, denied, instead): (&[&str], Vec<Denied>, Vec<Value>),
    document: &Document,
) -> Fault {
    let ids: Vec<&str> = dead.iter().map(|dead| dead.id.as_str()).collect();
    let because = format!("it names {}", named(dead));
    let (message, because, summary) = if roles.is_empty() {
        (
            format!("{policy} names a deleted principal, so it can't be saved again"),
            because,
            "remove the id, or put the ARN of what now exists in its place".to_owned(),
        )
    } else {
        let roles = roles.join(", ");
        (
            format!("{policy} names a deleted principal in place of {roles}"),
            format!("{because}, and no other statement lets {roles} in"),
            format!("remove the id, and add what lets {roles} in"),
        )
    };
    let severity = if roles.is_empty() { Severity::Warning } else { Severity::Error };
    let command = Some(document.forget(&ids, &instead));
    let fix = Fix { summary, statements: instead, command, ..Fix::default() };
    Fault { location, message, because, fix, denied, severity: Some(severity), ..Fault::default() }
}
