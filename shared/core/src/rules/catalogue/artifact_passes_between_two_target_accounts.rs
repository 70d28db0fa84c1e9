//! # What it does
//! Follows each artifact from the account that produces it to the accounts that consume it.
//!
//! # Why deploys fail
//! An artifact goes from the pipeline's account to any account, and stays usable in the account that made
//! it. From one target account to another it can't go: neither may read what the other has written.
//!
//! # How to fix
//! Produce the artifact in the pipeline's account.
//!
//! # Example
//! A build whose `roleArn` is in 222222222222, and a deploy of its output with a `roleArn` in 333333333333.

use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::{Diagnostics, Facts, Rule, RuleId, Severity, Subject};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Pl006,
    name: "artifact-passes-between-two-target-accounts",
    severity: Severity::Error,
    summary: "An artifact of one target account is used in another target account.",
    sources: &[
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-cross-account.html",
    ],
    subject: Subject::Setting,
    check,
};

fn check(facts: &Facts<'_>, verdicts: &mut Diagnostics) {
    let Some(own) = facts.pipeline().account() else { return };
    for consumer in facts.cross_account_actions() {
        for (index, artifact) in consumer.action.input_artifacts().enumerate() {
            let mut producers = facts.pipeline().actions();
            let producer = producers.find(|action| action.output_artifacts().any(|name| name == artifact));
            let Some((producer, account)) =
                producer.and_then(|producer| Some((producer, facts.pipeline().target_account(&producer)?)))
            else {
                continue;
            };
            if account == consumer.account {
                continue;
            }
            verdicts.fail(Fault {
                location: format!("{}.inputArtifacts[{index}]", consumer.action.path()),
                message: format!(
                    "artifact `{artifact}` is made in account {account} and used by {} in account {}",
                    consumer.label(),
                    consumer.account
                ),
                because: format!(
                    "`{}` produces it with `{}`, and neither account is the pipeline's ({own})",
                    producer.path(),
                    producer.role_arn().unwrap_or_default()
                ),
                fix: Fix {
                    summary: format!(
                        "produce `{artifact}` in account {own}: remove `roleArn` from `{}`",
                        producer.path()
                    ),
                    ..Fix::default()
                },
                ..Fault::default()
            });
        }
    }
}
