//! # What it does
//! Looks for source, custom and third-party actions in another Region than the pipeline's.
//!
//! # Why deploys fail
//! CodePipeline refuses them: only AWS's own actions other than sources work across Regions.
//!
//! # How to fix
//! Put the action into the pipeline's Region, or the pipeline into the source's.
//!
//! # Example
//! A pipeline in us-east-2 with a CodeCommit source that has `"region": "eu-west-1"`

use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::pipeline_edits::remove;
use crate::rules::{Facts, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Pl011,
    name: "action-type-not-cross-region",
    severity: Severity::Error,
    summary: "An action of a type that can't work across Regions is in another Region than the pipeline.",
    sources: &["https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-create-cross-region.html"],
    subject: Subject::Setting,
    in_diagnosis: InDiagnosis::NOTHING,
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    for action in facts.actions() {
        let kind = match (action.category(), action.owner()) {
            ("Source", _) => "source actions",
            (_, "Custom") => "custom actions",
            (_, "ThirdParty") => "third-party actions",
            _ => continue,
        };
        let Some(region) = action.region() else { continue };
        let location = format!("{}.region", action.path());
        match facts.pipeline().region() {
            None => cx.unknown("metadata.pipelineArn"),
            Some(own) if own != region => cx.report(Fault {
                message: format!(
                    "{}/{} is in {region}, the pipeline in {own}",
                    action.stage().name(),
                    action.name()
                ),
                because: format!("{kind} have to be in the pipeline's Region"),
                fix: Fix {
                    summary: format!("remove `region` from `{}`", action.path()),
                    command: Some(remove(facts, &action, "region")),
                    ..Fix::default()
                },
                location,
                ..Fault::default()
            }),
            Some(_) => {}
        }
    }
}
