//! # What it does
//! Compares the account of a CloudFormation action's stack role (`configuration.RoleArn`) with the account
//! that the action works in.
//!
//! # Why deploys fail
//! A role can be passed to a service only within its own account: "Cross-account pass role is not
//! allowed".
//!
//! # How to fix
//! Put the action role and the stack role in the same account.
//!
//! # Example
//! `"roleArn": "arn:aws:iam::222222222222:role/Target"` with
//! `"RoleArn": "arn:aws:iam::111111111111:role/Stack"`

use crate::arn::Arn;
use crate::incident::message::ErrorSignature;
use crate::providers::Provider;
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::{Facts, Fit, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Pl008,
    name: "stack-role-in-other-account",
    severity: Severity::Error,
    summary: "A CloudFormation action passes a stack role of another account than the one it works in.",
    sources: &[
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html",
    ],
    subject: Subject::Setting,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::PassRoleAcross => Fit::Names,
            _ => Fit::No,
        },
        ..InDiagnosis::NOTHING
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    for action in facts.actions().filter(|action| Provider::of(action) == Provider::CloudFormation) {
        let Some(stack_role) = action.configuration("RoleArn") else { continue };
        let of = |arn: &str| Arn::parse(arn).ok().map(|arn| arn.account().to_owned());
        let works_in =
            action.role_arn().and_then(of).or_else(|| facts.pipeline().account().map(str::to_owned));
        let (Some(stack_account), Some(works_in)) = (of(stack_role), works_in) else { continue };
        if stack_account == works_in {
            continue;
        }
        cx.report(Fault {
            location: format!("{}.configuration.RoleArn", action.path()),
            message: format!(
                "action `{}` works in account {works_in} and passes a stack role of account {stack_account}",
                action.name()
            ),
            because: format!(
                "`{stack_role}` is in account {stack_account}, and roles can't be passed across accounts"
            ),
            fix: Fix {
                summary: format!(
                    "use a stack role of account {works_in} that trusts cloudformation.amazonaws.com"
                ),
                ..Fix::default()
            },
            ..Fault::default()
        });
    }
}
