//! # What it does
//! Evaluates whether the action role may pass the roles that its provider works with: the stack's role to
//! CloudFormation, the task role and the execution role to ECS.
//!
//! # Why deploys fail
//! "… is not authorized to perform: iam:PassRole … because no identity-based policy allows the iam:PassRole
//! action".
//!
//! # How to fix
//! Allow `iam:PassRole` on that role, for that service. For ECS the task definition says which roles; a task
//! without roles needs none, so this is a warning there.
//!
//! # Example
//! `"configuration": {"RoleArn": "arn:aws:iam::222222222222:role/Stack", …}` and an action role without
//! `iam:PassRole`.

use std::collections::BTreeSet;

use serde_json::json;

use crate::arn::{self, Arn, account_of};
use crate::evaluation::{Side, Ternary, pattern};
use crate::incident::actor::{is_role, without_redaction};
use crate::incident::message::{ErrorSignature, PolicyKind};
use crate::providers::PassedRole;
use crate::rules::access::{Access, OWN};
use crate::rules::access_result::AccessResult;
use crate::rules::diagnostics::{Denied, Fault, Fix};
use crate::rules::facts::{role_location, text};
use crate::rules::provider_permissions::lacks_anywhere;
use crate::rules::resources::target_account;
use crate::rules::{
    ActionFacts, Facts, Fit, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject, denied_request,
    role_fixes,
};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Ia011,
    name: "target-role-cannot-pass-role",
    severity: Severity::Error,
    summary: "The action role may not pass the role that its provider works with.",
    sources: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html"],
    subject: Subject::Provider,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::RolePermissions { service: Some(_) }
            | ErrorSignature::RolePermissions { service: None }
            | ErrorSignature::Refused => Fit::Fits,
            _ => Fit::No,
        },
        judges: &["*"],
        ..InDiagnosis::NOTHING
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    let mut judged = BTreeSet::new();
    for action in facts.cross_account_actions() {
        for passed in action.provider().passed_roles(&action.place()) {
            // Actions that pass one role to one service have one fault.
            if !judged.insert((action.role_arn(), format!("{passed:?}"))) {
                continue;
            }
            match passed {
                PassedRole::Named { role, service } => named(facts, &action, role, service, cx),
                PassedRole::OfTaskDefinition { service } => task_roles(facts, &action, service, cx),
            }
        }
        other_role(facts, &action, cx);
    }
}

/// A role that AWS says may not be passed, and the action does not name: of what its template makes, or set elsewhere.
fn other_role(facts: &Facts<'_>, action: &ActionFacts<'_>, cx: &mut RuleContext<'_>) {
    let Some(passed) = denied_to_pass(action) else { return };
    let is_judged = |it: &PassedRole<'_>| match it {
        PassedRole::Named { role, .. } => *role == passed,
        PassedRole::OfTaskDefinition { .. } => true,
    };
    let Some((actor, denial)) = facts.incident().and_then(|it| it.actor.as_ref().zip(it.denial.as_ref()))
    else {
        return;
    };
    let Some(sides) = denied_request::sides_of(denial) else { return };
    if action.provider().passed_roles(&action.place()).iter().any(is_judged) {
        return;
    }
    let result = denied_request::judge(facts, action.role_arn(), (&denial.action, &passed), sides);
    if result.is_clear() && !result.unsettled {
        return;
    }
    if result.is_clear() {
        cx.unknown(role_location(action.role_arn()));
    }
    cx.report(Fault {
        location: role_location(action.role_arn()),
        message: format!("{} may not pass {passed}, which {} needs", action.role_label(), action.label()),
        because: denied_request::because(facts, &result, actor, denial),
        fix: denied_request::fix(&result, actor, denial),
        denied: result.denied(),
        is_told: true,
        ..Fault::default()
    });
}

fn named(facts: &Facts<'_>, action: &ActionFacts<'_>, passed: &str, service: &str, cx: &mut RuleContext<'_>) {
    // A role of another account can't be passed at all: PL008.
    if account_of(passed) != Some(action.account) {
        return;
    }
    let role = action.role_arn();
    let context = facts.codepipeline_context(role).with("iam:PassedToService", service);
    let access = Access::new(facts, role, vec![("iam:PassRole".into(), passed.into())]);
    let judgement = access.in_account(facts, Some(action.account)).in_context(context).judge(&OWN);
    if judgement.unsettled {
        cx.unknown(judgement.missing(&role_location(role)));
    }
    if judgement.unsettled && judgement.is_clear() && is_denied_to_pass(action, passed) {
        cx.report(told(facts, action, passed, service));
    }
    if !judgement.is_clear() {
        let because = judgement.because_of_role(role, &format!("on {passed} for {service}"));
        cx.report(fault(action, passed, service, because, &judgement));
    }
}

/// The roles of the task definition that the service runs, each; where nobody looked at it, whether the action's role
/// may pass any role at all.
fn task_roles(
    facts: &Facts<'_>,
    action: &ActionFacts<'_>,
    service: Option<String>,
    cx: &mut RuleContext<'_>,
) {
    const SERVICE: &str = "ecs-tasks.amazonaws.com";
    let role = action.role_arn();
    let running = service.and_then(|service| facts.snapshot().services.get(&service)?.known());
    if let Some(definition) = running.and_then(|running| running.task_definition.known()) {
        let roles = ["/taskRoleArn", "/executionRoleArn"].map(|member| text(definition, member));
        let roles: BTreeSet<&str> = roles.into_iter().flatten().collect();
        return roles.into_iter().for_each(|passed| named(facts, action, passed, SERVICE, cx));
    }
    if let Some(passed) = denied_to_pass(action) {
        return named(facts, action, &passed, SERVICE, cx);
    }
    const PLACEHOLDER: &str = "the ARNs of the task role and the task execution role";
    match lacks_anywhere(&facts.role(role), "iam:PassRole") {
        Ternary::No if is_denied_to_pass(action, PLACEHOLDER) => {
            cx.report(told(facts, action, PLACEHOLDER, SERVICE));
        }
        Ternary::No => {}
        Ternary::Unknown => cx.unknown(role_location(role)),
        Ternary::Yes => {
            let because =
                format!("no statement of the own policies of {role} allows iam:PassRole on anything");
            let any = arn::role(facts.partition(), action.account, "*");
            let (principal, pass) = (role.to_owned(), "iam:PassRole".to_owned());
            let denied =
                Denied { principal, action: pass, resource: any, side: Side::Identity, explicit: false };
            let judgement = AccessResult::refusing(denied, None);
            let fault = fault(action, PLACEHOLDER, SERVICE, because, &judgement);
            let fix = Fix { command: Some(role_fixes::task_definition(action)), ..fault.fix };
            cx.report(Fault { fix, severity: Some(Severity::Warning), ..fault });
        }
    }
}

/// The fault where AWS says that this role may not be passed, and what is known of the policies leaves it open.
fn told(facts: &Facts<'_>, action: &ActionFacts<'_>, passed: &str, service: &str) -> Fault {
    let role = action.role_arn();
    let open = denied_request::open_conditions(facts, role, "iam:PassRole");
    let because = match &open {
        Some(open) => {
            format!("AWS says that {role} may not pass {passed}, which depends on the condition {open}")
        }
        None => format!("AWS says that {role} may not pass {passed}"),
    };
    let fault = fault(action, passed, service, because, &AccessResult::default());
    let summary = match open {
        Some(open) => format!("make {passed} meet the condition {open}; or {}", fault.fix.summary),
        None => fault.fix.summary,
    };
    Fault { fix: Fix { summary, command: None, ..fault.fix }, is_told: true, ..fault }
}

/// Whether AWS says that the failed action's own policies do not let it pass this role, or does not say which.
fn is_denied_to_pass(action: &ActionFacts<'_>, passed: &str) -> bool {
    let incident = action.facts().incident().filter(|it| it.is_of(action));
    let Some(denial) = incident.and_then(|incident| incident.denial.as_ref()) else { return false };
    let of_role = denial.actor.as_deref().is_some_and(|actor| is_role(actor, action.role_arn()));
    let is_it = |resource: &str| pattern::matches(&without_redaction(resource), passed);
    let own = matches!(denial.side, None | Some(PolicyKind::IdentityBased));
    let is_pass = denial.action.eq_ignore_ascii_case("iam:PassRole");
    own && of_role && is_pass && denial.resource.as_deref().is_none_or(is_it)
}

/// The role that the failed action was not allowed to pass, where its message names one.
fn denied_to_pass(action: &ActionFacts<'_>) -> Option<String> {
    let denial = action.facts().incident().filter(|it| it.is_of(action))?.denial.as_ref()?;
    let of_role = is_role(denial.actor.as_deref()?, action.role_arn());
    let passed =
        denial.resource.clone().filter(|it| Arn::parse(it).is_ok_and(|it| it.role_name().is_some()))?;
    (of_role && denial.action.eq_ignore_ascii_case("iam:PassRole")).then_some(passed)
}

fn fault(
    action: &ActionFacts<'_>,
    passed: &str,
    service: &str,
    because: String,
    judgement: &AccessResult,
) -> Fault {
    let role = action.role_arn();
    let statement = json!({
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": passed,
        "Condition": {"StringEquals": {"iam:PassedToService": service}}
    });
    let crosspipe = Some(target_account(action.account, &[("PassRoleArns", passed)]));
    let fix = role_fixes::own(judgement, role, "PassRole", vec![statement], crosspipe);
    // Which roles are meant is not known: no statement could name them.
    let fix = match Arn::parse(passed) {
        Ok(_) => fix,
        Err(_) => Fix {
            summary: format!("allow {role} iam:PassRole on {passed}, to {service} only"),
            statements: vec![],
            ..fix
        },
    };
    Fault {
        location: role_location(role),
        message: format!(
            "{} may not pass the role that {} needs to {service}",
            action.role_label(),
            action.label()
        ),
        because,
        fix,
        denied: judgement.denied(),
        ..Fault::default()
    }
}
