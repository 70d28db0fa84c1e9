//! # What it does
//! Evaluates whether the action role may hand on the roles that its provider works with: the stack's role to
//! CloudFormation, task roles to ECS.
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

use serde_json::json;

use crate::evaluation::{Side, Ternary};
use crate::rules::access::{Access, OWN};
use crate::rules::access_result::AccessResult;
use crate::rules::diagnostics::{Denied, Fault, Fix};
use crate::rules::facts::role_location;
use crate::rules::providers::lacks_anywhere;
use crate::rules::resources::target_account;
use crate::rules::{ActionFacts, Diagnostics, Facts, Rule, RuleId, Severity, Subject, role_fixes};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Ia011,
    name: "target-role-cannot-pass-role",
    severity: Severity::Error,
    summary: "The action role may not hand on the role that its provider works with.",
    sources: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html"],
    subject: Subject::Provider,
    check,
};

fn check(facts: &Facts<'_>, verdicts: &mut Diagnostics) {
    for action in facts.cross_account_actions() {
        match action.action.provider() {
            "CloudFormation" => stack_role(facts, &action, verdicts),
            "ECS" | "CodeDeployToECS" => task_roles(facts, &action, verdicts),
            _ => {}
        }
    }
}

fn stack_role(facts: &Facts<'_>, action: &ActionFacts<'_>, verdicts: &mut Diagnostics) {
    let Some(passed) = action.action.configuration("RoleArn").filter(|it| !it.contains("#{")) else { return };
    // A role of another account can't be passed at all: PL008.
    if passed.split(':').nth(4) != Some(action.account) {
        return;
    }
    const SERVICE: &str = "cloudformation.amazonaws.com";
    let role = action.role_arn();
    let context = facts.codepipeline_context(role).with("iam:PassedToService", SERVICE);
    let access = Access::new(facts, role, vec![("iam:PassRole".into(), passed.into())]).in_context(context);
    let judgement = access.judge(&OWN);
    if judgement.unsettled {
        verdicts.unknown(role_location(role));
    }
    if !judgement.is_clear() {
        let because = judgement.because_of_role(role, &format!("on {passed} for {SERVICE}"));
        verdicts.fail(fault(action, passed, SERVICE, because, &judgement));
    }
}

fn task_roles(facts: &Facts<'_>, action: &ActionFacts<'_>, verdicts: &mut Diagnostics) {
    let role = action.role_arn();
    match lacks_anywhere(&facts.role(role), "iam:PassRole") {
        Ternary::No => {}
        Ternary::Unknown => verdicts.unknown(role_location(role)),
        Ternary::Yes => {
            let because =
                format!("no statement of the own policies of {role} allows iam:PassRole on anything");
            let any = format!("arn:{}:iam::{}:role/*", facts.partition(), action.account);
            let (principal, pass) = (role.to_owned(), "iam:PassRole".to_owned());
            let denied =
                Denied { principal, action: pass, resource: any, side: Side::Identity, explicit: false };
            let placeholder = "the ARNs of the task role and the task execution role";
            let judgement = AccessResult::refusing(denied, None);
            let fault = fault(action, placeholder, "ecs-tasks.amazonaws.com", because, &judgement);
            let fix = Fix { command: Some(role_fixes::task_definition(action)), ..fault.fix };
            verdicts.fail(Fault { fix, severity: Some(Severity::Warning), ..fault });
        }
    }
}

fn fault(
    action: &ActionFacts<'_>,
    passed: &str,
    service: &str,
    because: String,
    judgement: &AccessResult,
) -> Fault {
    let role = action.role_arn();
    Fault {
        location: role_location(role),
        message: format!(
            "{} may not hand on the role that {} needs to {service}",
            action.role_label(),
            action.label()
        ),
        because,
        fix: role_fixes::own(
            judgement,
            role,
            "PassRole",
            vec![json!({
                "Effect": "Allow",
                "Action": "iam:PassRole",
                "Resource": passed,
                "Condition": {"StringEquals": {"iam:PassedToService": service}}
            })],
            Some(target_account(action.account, &[("PassRoleArns", passed)])),
        ),
        denied: judgement.denied(),
        severity: None,
    }
}
