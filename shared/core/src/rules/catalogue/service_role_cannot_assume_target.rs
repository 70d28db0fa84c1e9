//! # What it does
//! Evaluates whether the pipeline's service role may assume each cross-account action's role, as far as
//! its own policies and its permissions boundary go.
//!
//! # Why deploys fail
//! CodePipeline assumes the action role as the service role: "… is not authorized to perform AssumeRole on
//! role …", already when the pipeline is created or updated.
//!
//! # How to fix
//! Allow `sts:AssumeRole` on exactly that role in the service role.
//!
//! # Example
//! A service role with no statement for `sts:AssumeRole`.

use serde_json::json;

use crate::evaluation::{Side, Ternary};
use crate::incident::message::ErrorSignature;
use crate::rules::access_result::AccessResult;
use crate::rules::assume::{assume_role, denied};
use crate::rules::commands::role;
use crate::rules::diagnostics::Fault;
use crate::rules::facts::role_location;
use crate::rules::fix_statements::allow;
use crate::rules::resources::custom;
use crate::rules::role_fixes;
use crate::rules::{Facts, Fit, InDiagnosis, ResourceType, Rule, RuleContext, RuleId, Severity, Subject};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Ia001,
    name: "service-role-cannot-assume-target",
    severity: Severity::Error,
    summary: "The service role's own policies do not allow it to assume the action role.",
    sources: &[
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-cross-account.html",
    ],
    subject: Subject::Trust,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::AssumeRole { .. } => Fit::Names,
            _ => Fit::No,
        },
        remediated_by: Some(ResourceType::ServiceRoleGrant),
        ..InDiagnosis::NOTHING
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    let service_role = facts.pipeline().role_arn();
    for group in facts.groups_by_role() {
        let action = group.first;
        let Some(evaluation) = assume_role(facts, &action) else { continue };
        let location = role_location(service_role);
        let sides = [(Side::Identity, "policies"), (Side::PermissionsBoundary, "permissions boundary")];
        let no = sides.into_iter().find(|(side, _)| evaluation.permits(*side) == Ternary::No);
        let Some((side, what)) = no else {
            if sides.iter().any(|(side, _)| evaluation.permits(*side) == Ternary::Unknown) {
                cx.unknown(&location);
            }
            continue;
        };
        let by = evaluation.denied_by(side).map(|by| format!("{} of {}", by.statement, by.policy));
        let because = match &by {
            Some(by) => format!("{by} denies sts:AssumeRole on {}", action.role_arn()),
            None => format!(
                "no statement of the {what} of {service_role} allows sts:AssumeRole on {}",
                action.role_arn()
            ),
        };
        let judgement = AccessResult::refusing(denied(facts, &action, side), by);
        let statements = vec![allow(None, &["sts:AssumeRole"], &[action.role_arn().to_owned()])];
        let name = role(service_role).1;
        let crosspipe = custom(
            "ServiceRoleGrant",
            &[("RoleName", json!(name)), ("TargetRoleArns", json!([action.role_arn()]))],
        );
        cx.report(Fault {
            message: format!(
                "the service role can't assume {}, which {} needs",
                action.role_label(),
                group.label()
            ),
            because,
            fix: role_fixes::own(&judgement, service_role, "AssumeTarget", statements, Some(crosspipe)),
            denied: judgement.denied(),
            location,
            ..Fault::default()
        });
    }
}
