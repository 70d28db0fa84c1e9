//! # What it does
//! Looks for builds in a target account that have output artifacts.
//!
//! # Why deploys fail
//! There are reports of builds that do not encrypt their output under the key of the other account, so
//! that the pipeline can't read it.
//!
//! # How to fix
//! Make output artifacts in the pipeline's account.
//!
//! # Example
//! A CodeBuild action with a `roleArn` in another account and `"outputArtifacts": [{"name": "Build"}]`

use crate::providers::Provider;
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::{Facts, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Pl010,
    name: "build-in-target-account-with-outputs",
    severity: Severity::Warning,
    summary: "A build in a target account has output artifacts.",
    sources: &["https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html"],
    subject: Subject::Setting,
    in_diagnosis: InDiagnosis::NOTHING,
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    for action in facts.cross_account_actions().filter(|action| action.provider() == Provider::CodeBuild) {
        let outputs: Vec<&str> = action.action.output_artifacts().collect();
        if outputs.is_empty() {
            continue;
        }
        cx.report(Fault {
            location: format!("{}.outputArtifacts", action.action.path()),
            message: format!("{} builds in account {} and has outputs", action.label(), action.account),
            because: format!(
                "{} may not be encrypted under the pipeline's key, and then nobody else can read it",
                outputs.join(", ")
            ),
            fix: Fix {
                summary: "build in the pipeline's account, or check the key of the output object and the project's `encryptionKey`".into(),
                ..Fix::default()
            },
            ..Fault::default()
        });
    }
}
