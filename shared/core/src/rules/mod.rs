//! The faults that make cross-account deploys fail, one file per rule.
//!
//! # Layout
//! - [`catalogue`]: the rules, and the list of all of them
//! - `facts`, `action_facts`: what a rule looks at; `policy_inputs`: the same as the evaluation wants it
//! - `request_context`: what a role's requests carry
//! - `access`, `access_result`: the requests of a role, evaluated, and what came of it
//! - `artifact_users`: what roles of the pipeline's own account do with artifacts
//! - `tls`: which TLS version a request to S3 counts as
//! - `assume`: the service role assumes the action role
//! - `provider_permissions`: whether the action role has what its provider needs
//! - `event`: what failed, for the rules that read its message; `denied_request`: the request that AWS says it
//!   denied, evaluated; `other_reason`: what is behind a reason that is no matter of permissions
//! - `event_rule`: which events a rule of EventBridge may match
//! - `organization_denials`: requests that an organization's policies deny, without a message
//! - `subject`: what a rule is about; `in_diagnosis`: what a rule says to the diagnosis of a failure
//! - `deleted_principals`: principals that no longer exist
//! - `fix_statements`: the statements that fixes add
//! - `commands`, `documents`, `pipeline_edits`: scripts that change policies and pipelines; `role_fixes`: which of
//!   them for a role; `resources`: what Crosspipe's own templates take
//! - `diagnostics`: what rules report
//!
//! A rule reports nothing where all is well or where it does not apply, names what is missing where it
//! cannot know, and reports a fault only where the facts prove it. One fault is reported by one rule: the
//! more precise one reports it.

mod access;
mod access_result;
mod action_facts;
mod artifact_users;
mod assume;
pub mod catalogue;
mod commands;
mod deleted_principals;
mod denied_request;
mod diagnostics;
mod documents;
mod event;
mod event_rule;
mod facts;
mod fix_statements;
mod in_diagnosis;
mod organization_denials;
mod other_reason;
mod pipeline_edits;
mod policy_inputs;
mod provider_permissions;
mod request_context;
mod resource_type;
mod resources;
mod role_fixes;
mod rule_id;
mod subject;
mod tls;

use crate::snapshot::{Snapshot, SnapshotError};

pub use action_facts::ActionFacts;
pub use catalogue::ALL;
pub use commands::quoted;
pub use diagnostics::{Denied, Diagnostics, Finding, Fix, RuleContext, Severity, StatementForm, Unknown};
pub use facts::Facts;
pub use in_diagnosis::{Fit, InDiagnosis};
pub use resource_type::ResourceType;
pub use rule_id::RuleId;
pub use subject::Subject;

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// The stable id, `KM001`.
    pub id: RuleId,
    /// The name of the fault, `key-policy-omits-target`.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about, in one sentence.
    pub summary: &'static str,
    /// Where AWS says so, the best page first.
    pub sources: &'static [&'static str],
    /// What it is about, and with it where in the life of an action such a fault shows.
    pub subject: Subject,
    /// What it says to the diagnosis of a failure.
    pub in_diagnosis: InDiagnosis,
    /// Looks at the facts, and reports through its context.
    check: fn(&Facts<'_>, &mut RuleContext<'_>),
}

/// Looks for every fault in everything that the snapshot knows.
///
/// # Errors
/// When the snapshot's pipeline can't be read.
pub fn lint(snapshot: &Snapshot) -> Result<Diagnostics, SnapshotError> {
    let pipeline = snapshot.pipeline()?;
    Ok(run(&Facts::new(snapshot, &pipeline)))
}

/// Runs every rule over these facts.
pub fn run(facts: &Facts<'_>) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    for rule in ALL {
        (rule.check)(facts, &mut RuleContext::new(rule, &mut diagnostics));
    }
    let incident = facts.incident();
    let told =
        incident.and_then(|it| Some((it.actor.as_ref()?.arn.as_str(), it.denial.as_ref()?.action.as_str())));
    diagnostics.drop_denials_shown_by_other_rules(told);
    diagnostics
}

impl RuleId {
    /// The rule.
    pub fn rule(self) -> Option<&'static Rule> {
        ALL.into_iter().find(|rule| rule.id == self)
    }
}

/// The rule with this id, whatever the case.
pub fn find(id: &str) -> Option<&'static Rule> {
    ALL.into_iter().find(|rule| rule.id.as_str().eq_ignore_ascii_case(id))
}
