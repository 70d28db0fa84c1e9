//! # What it does
//! Looks among the executions of a stage's rules (`ListRuleExecutions`) for one that failed: a condition on entry,
//! on success or on failure of the stage of which a rule was not met, or could not run.
//!
//! # Why deploys fail
//! A V2 pipeline can hold a stage back, fail it or roll it back by its conditions, though every action succeeds. A
//! rule runs with a role of its own, which the service role assumes.
//!
//! # How to fix
//! See to what the rule looks at: an alarm, a deployment window, a build. Where the rule itself could not run, see
//! to its role and its configuration.
//!
//! # Example
//! A condition on success with a `CloudWatchAlarm` rule, and an alarm that went off.

use crate::incident::conditions::{FailedCondition, failed_conditions};
use crate::rules::commands::{in_region, option, show};
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::{Facts, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Ev009,
    name: "stage-condition-failed",
    severity: Severity::Error,
    summary: "A condition of the stage failed, or one of its rules could not run.",
    sources: &[
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-conditions.html",
        "https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ListRuleExecutions.html",
    ],
    subject: Subject::Message,
    in_diagnosis: InDiagnosis::NOTHING,
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    let Some((execution, stage)) = facts.failed_stage() else { return };
    for condition in failed_conditions(&facts.snapshot().rule_executions, execution, Some(stage)) {
        let command = format!(
            "aws codepipeline list-rule-executions{} {} --filter pipelineExecutionId={execution}",
            in_region(facts.pipeline().region()),
            option("pipeline-name", facts.pipeline().name()),
        );
        cx.report(Fault {
            location: format!("stages[\"{stage}\"].conditions"),
            message: format!("a condition of stage {stage} failed: its rule {}", named(&condition)),
            because: because(&condition),
            fix: Fix {
                summary: format!(
                    "check what rule {} looks at; where it could not run, to its role and configuration; then retry the stage",
                    condition.rule
                ),
                command: Some(show(facts.pipeline().account(), &command)),
                ..Fix::default()
            },
            ..Fault::default()
        });
    }
}

fn named(condition: &FailedCondition) -> String {
    match &condition.provider {
        Some(provider) => format!("{} ({provider}) was not met or could not run", condition.rule),
        None => format!("{} was not met or could not run", condition.rule),
    }
}

fn because(condition: &FailedCondition) -> String {
    let said = [condition.code.as_deref(), condition.message.as_deref()];
    let said = said.into_iter().flatten().collect::<Vec<_>>().join(": ");
    let role = condition.role_arn.as_deref().map(|role| format!(", which ran as {role}")).unwrap_or_default();
    match said.is_empty() {
        true => format!("the execution of rule {}{role} failed, and says no more", condition.rule),
        false => format!("the execution of rule {}{role} failed: {said}", condition.rule),
    }
}
