//! # What it does
//! Looks for a cross-account `roleArn` on an action that is not one of AWS's own.
//!
//! # Why deploys fail
//! Jenkins, custom and third-party actions do not assume a role: CodePipeline refuses the pipeline, or the
//! action does something that nobody documents.
//!
//! # How to fix
//! Remove `roleArn` from the action.
//!
//! # Example
//! `"actionTypeId": {"owner": "Custom", "provider": "Jenkins", …}` with a `roleArn` of another account.

use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::pipeline_edits::remove;
use crate::rules::{Facts, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Pl007,
    name: "action-type-not-cross-account",
    severity: Severity::Error,
    summary: "An action of a type that can't work across accounts has a role of another account.",
    sources: &[
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-cross-account.html",
    ],
    subject: Subject::Setting,
    in_diagnosis: InDiagnosis::NOTHING,
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    for action in facts.cross_account_actions().filter(|action| action.action.owner() != "AWS") {
        let it = &action.action;
        cx.report(Fault {
            location: format!("{}.roleArn", it.path()),
            message: format!("{} can't work in account {}", action.label(), action.account),
            because: format!(
                "its type is {} of owner {}, and only actions of owner AWS work across accounts",
                it.provider(),
                it.owner()
            ),
            fix: Fix {
                summary: format!("remove `roleArn` from `{}`", it.path()),
                command: Some(remove(facts, it, "roleArn")),
                ..Fix::default()
            },
            ..Fault::default()
        });
    }
}
