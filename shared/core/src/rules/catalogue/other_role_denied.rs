//! # What it does
//! Reads the error message, and what the provider says, for a role that was denied something and is neither the
//! action's nor the pipeline's: of a stack, a build, a deployment group, a task, a stack set, an instance. It
//! evaluates that very request over every policy that is known, and is silent where they allow it. Where AWS names no
//! resource, what the role may do at all decides; a role that may do everything was refused by another side.
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
use crate::incident::ActorKind;
use crate::incident::message::{Denial, PolicyKind};
use crate::rules::access::OWN;
use crate::rules::diagnostics::Fault;
use crate::rules::facts::{role_label, role_location};
use crate::rules::{Facts, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject, denied_request};

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
    in_diagnosis: InDiagnosis::NOTHING,
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    let Some(incident) = facts.incident() else { return };
    let (Some(denial), Some(actor)) = (&incident.denial, &incident.actor) else { return };
    let theirs = !actor.kind.is_of_pipeline() && actor.kind != ActorKind::Service;
    let Some(sides) = denied_request::sides_of(denial) else { return };
    // What a boundary or the organization refuses is reported by EV001 and EV002.
    let limits = [Side::ServiceControl, Side::PermissionsBoundary];
    let by_limit = limits.into_iter().any(|side| incident.is_denied_by(facts, side));
    if !theirs || by_limit || is_of_other_rule(denial) {
        return;
    }
    let result = match denial.resource.as_deref() {
        Some(resource) => denied_request::judge(facts, &actor.arn, (&denial.action, resource), sides),
        // Of a resource that is not named no policy can be read.
        None => denied_request::judge_on_anything(facts, &actor.arn, &denial.action, &OWN),
    };
    let stale = result.is_clear() && !result.unsettled;
    let is_past = match &denial.resource {
        Some(resource) => stale || denied_request::is_allowed(facts, &actor.arn, &denial.action, resource),
        // A resource that is not named may have a policy of its own that refuses.
        None => {
            let by_itself = denial.side == Some(PolicyKind::IdentityBased) || !names_session(denial);
            stale && by_itself && !denied_request::allows_whole_service(facts, &actor.arn, &denial.action)
        }
    };
    if is_past {
        return;
    }
    if result.is_clear() && result.unsettled {
        cx.unknown(role_location(&actor.arn));
    }
    cx.report(Fault {
        location: role_location(&actor.arn),
        message: format!(
            "{}, {}, was denied {}{}",
            role_label(&actor.arn),
            actor.kind.label(),
            denial.action,
            denial.resource.as_deref().map(|it| format!(" on {it}")).unwrap_or_default()
        ),
        because: denied_request::because(facts, &result, actor, denial),
        fix: denied_request::fix(&result, actor, denial),
        // What a build's command prints is nothing to confirm.
        denied: if incident.in_own_words { vec![] } else { result.denied() },
        ..Fault::default()
    });
}

/// Whether AWS itself says who was denied.
fn names_session(denial: &Denial) -> bool {
    denial.actor.as_deref().is_some_and(|actor| actor.contains(":assumed-role/"))
}

/// Connections, and functions that may not report, have rules of their own.
fn is_of_other_rule(denial: &Denial) -> bool {
    denial.action.ends_with(":UseConnection") || denial.action.starts_with("codepipeline:PutJob")
}
