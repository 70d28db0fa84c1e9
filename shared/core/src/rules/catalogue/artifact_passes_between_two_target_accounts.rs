//! # What it does
//! Follows each artifact from the account that produces it to the accounts that consume it. Where the artifact
//! bucket is `BucketOwnerEnforced` and both roles may use bucket and key, that works, and nothing is said.
//!
//! # Why deploys fail
//! An artifact goes from the pipeline's account to any account, and stays usable in the account that made
//! it. From one target account to another it can't go in general: neither may read what the other has written.
//!
//! # How to fix
//! Produce the artifact in the pipeline's account.
//!
//! # Example
//! A build whose `roleArn` is in 222222222222, and a deploy of its output with a `roleArn` in 333333333333.

use crate::evaluation::Side;
use crate::incident::message::ErrorSignature;
use crate::rules::access::{Access, OWN};
use crate::rules::action_facts::ActionGroup;
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::{ActionFacts, Facts, Fit, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};
use crate::snapshot::Fact;

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Pl006,
    name: "artifact-passes-between-two-target-accounts",
    severity: Severity::Error,
    summary: "An artifact of one target account is used in another target account.",
    sources: &[
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-cross-account.html",
    ],
    subject: Subject::Setting,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::Artifact { .. } | ErrorSignature::Bucket { .. } | ErrorSignature::Refused => {
                Fit::Fits
            }
            _ => Fit::No,
        },
        ..InDiagnosis::NOTHING
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    let Some(own) = facts.pipeline().account() else { return };
    let producers = facts.producers();
    for consumer in facts.cross_account_actions() {
        for (index, artifact) in consumer.action.input_artifacts().enumerate() {
            let producer = producers.get(artifact).and_then(|producer| facts.cross_account(*producer));
            let Some(producer) = producer.filter(|it| it.account != consumer.account) else { continue };
            let Some(severity) = severity(facts, &producer, &consumer) else { continue };
            cx.report(Fault {
                location: format!("{}.inputArtifacts[{index}]", consumer.action.path()),
                message: format!(
                    "artifact `{artifact}` is made in account {} and used by {} in account {}",
                    producer.account,
                    consumer.label(),
                    consumer.account
                ),
                because: format!(
                    "`{}` produces it with `{}`, and neither account is the pipeline's ({own}): in general, that does not work",
                    producer.action.path(),
                    producer.role_arn()
                ),
                fix: Fix {
                    summary: format!(
                        "produce `{artifact}` in account {own}: remove `roleArn` from `{}`",
                        producer.action.path()
                    ),
                    ..Fix::default()
                },
                severity: Some(severity),
                ..Fault::default()
            });
        }
    }
}

/// AWS says that it does not work "in general". It does where the bucket's owner owns all of its objects and both
/// roles may use bucket and key: then this is no fault. Where objects belong to whoever puts them, it is an error.
fn severity(facts: &Facts<'_>, producer: &ActionFacts<'_>, consumer: &ActionFacts<'_>) -> Option<Severity> {
    let store = producer.store()?;
    match facts.bucket(store.bucket()).part(|bucket| &bucket.object_ownership) {
        Fact::Known(ownership) if ownership == "BucketOwnerEnforced" => {}
        Fact::Unknown => return Some(Severity::Warning),
        Fact::Known(_) | Fact::Absent => return Some(Severity::Error),
    }
    let works = [producer, consumer].into_iter().all(|action| {
        let group = ActionGroup::of(*action);
        let accesses = [Access::to_bucket(&group), Access::to_key(&group)];
        let may = |access: &Access<'_>| {
            let judgement = access.judge(&[OWN[0], OWN[1], Side::Resource]);
            judgement.is_clear() && !judgement.unsettled
        };
        accesses.iter().all(|access| access.as_ref().is_some_and(may))
    });
    (!works).then_some(Severity::Warning)
}
