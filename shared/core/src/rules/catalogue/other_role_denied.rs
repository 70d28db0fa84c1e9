//! # What it does
//! Reads the error message, and what the provider says, for a role that was denied something and is neither the
//! action's nor the pipeline's: of a stack, a build, a deployment group, a task, a stack set, an instance. It
//! evaluates that very request over every policy that is known, and is silent where they allow it.
//!
//! # Why deploys fail
//! The action role starts the work, and another role does it. "Service role … does not allow AWS CodeBuild to
//! create Amazon CloudWatch Logs log streams", "The IAM role … does not give you permission to perform operations
//! in the following AWS service: AmazonAutoScaling".
//!
//! # How to fix
//! Allow the action to that role, on the side that has no statement for it; where a statement denies, change that.
//!
//! # Example
//! A stack role without `sns:CreateTopic`, and a template with a topic.

use crate::evaluation::Side;
use crate::incident::message::{Denial, PolicyKind};
use crate::incident::{Actor, ActorKind, Incident};
use crate::rules::access::allow;
use crate::rules::access_result::AccessResult;
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::facts::{role_label, role_location};
use crate::rules::{Diagnostics, Facts, Rule, RuleId, Severity, Subject, denied_request, role_fixes};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Or001,
    name: "other-role-denied",
    severity: Severity::Error,
    summary: "A role that works for the action's provider was denied what it asked for.",
    sources: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html",
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/troubleshooting.html",
    ],
    subject: Subject::DeniedRole,
    check,
};

fn check(facts: &Facts<'_>, verdicts: &mut Diagnostics) {
    let Some(incident) = facts.incident() else { return };
    let (Some(denial), Some(actor)) = (&incident.denial, &incident.actor) else { return };
    let theirs = !actor.kind.is_of_pipeline() && actor.kind != ActorKind::Service;
    // What boundaries, organizations, endpoints and sessions deny is told by other rules, or by none.
    let sides = match denial.side {
        None => &[Side::Identity, Side::PermissionsBoundary, Side::Resource][..],
        Some(PolicyKind::IdentityBased) => &[Side::Identity],
        Some(PolicyKind::ResourceBased) => &[Side::Resource],
        Some(_) => return,
    };
    if !theirs || is_of_other_rule(incident, denial) {
        return;
    }
    let result = denial
        .resource
        .as_deref()
        .map(|resource| denied_request::judge(facts, &actor.arn, (&denial.action, resource), sides));
    if let (Some(result), Some(resource)) = (&result, &denial.resource) {
        let stale = result.is_clear() && !result.unsettled;
        if stale || denied_request::is_allowed(facts, &actor.arn, &denial.action, resource) {
            return;
        }
    }
    let result = result.unwrap_or_default();
    if result.is_clear() {
        verdicts.unknown(role_location(&actor.arn));
    }
    let request = Incident::request(denial);
    verdicts.fail(Fault {
        location: role_location(&actor.arn),
        message: format!(
            "{}, {}, was denied {}{}",
            role_label(&actor.arn),
            actor.kind.label(),
            denial.action,
            denial.resource.as_deref().map(|it| format!(" on {it}")).unwrap_or_default()
        ),
        because: because(&result, actor, denial, &request),
        fix: fix(&result, actor, denial),
        // What a build's command prints is nothing to confirm.
        denied: if incident.in_own_words { vec![] } else { result.denied() },
        severity: None,
    });
}

/// Connections, and functions that may not report, have rules of their own.
fn is_of_other_rule(incident: &Incident<'_>, denial: &Denial) -> bool {
    denial.action.ends_with(":UseConnection")
        || denial.action.starts_with("codepipeline:PutJob")
        || incident.told_by_function.is_some()
}

fn because(result: &AccessResult, actor: &Actor, denial: &Denial, request: &str) -> String {
    let on = denial.resource.as_deref().unwrap_or("anything");
    match (result.is_clear(), denial.side) {
        (true, Some(PolicyKind::IdentityBased)) => {
            format!("AWS says that no policy of its own allows {request}")
        }
        (true, Some(_)) => format!("AWS says that the policy of {on} does not allow {request}"),
        (true, None) => format!("AWS says that it denied {request}"),
        (false, Some(PolicyKind::ResourceBased)) => {
            result.because(&format!("the policy of {on}"), &format!("to {}", actor.arn))
        }
        (false, _) => result.because_of_role(&actor.arn, &format!("on {on}")),
    }
}

fn fix(result: &AccessResult, actor: &Actor, denial: &Denial) -> Fix {
    let resource = denial.resource.clone().filter(|it| it == "*" || it.starts_with("arn:"));
    let resource = [resource.unwrap_or_else(|| "*".to_owned())];
    let of_resource = denial.side == Some(PolicyKind::ResourceBased)
        || result.refused.first().is_some_and(|refusal| refusal.denied.side == Side::Resource);
    if actor.kind == ActorKind::ServiceLinkedRole || of_resource {
        let place = denial.resource.as_deref().unwrap_or("the resource");
        return Fix {
            summary: match result.denying() {
                denying if denying.is_empty() => format!("add this statement to the policy of {place}"),
                denying => format!("exempt {} from {denying} of the policy of {place}", actor.arn),
            },
            statements: Some(allow(Some(&actor.arn), &[&denial.action], &["*".to_owned()]))
                .filter(|_| result.denying().is_empty())
                .into_iter()
                .collect(),
            ..Fix::default()
        };
    }
    let fix = role_fixes::own(
        result,
        &actor.arn,
        "PipelineWork",
        vec![allow(None, &[&denial.action], &resource)],
        None,
    );
    // What was not seen to be missing is for a person to add.
    if result.is_clear() { Fix { command: None, ..fix } } else { fix }
}
