//! # What it does
//! Evaluates, for CloudFormation actions whose parameters hand on the place of an artifact, whether the
//! stack's role can read the artifacts: its own policies, the bucket policy and the key policy.
//!
//! # Why deploys fail
//! CloudFormation fetches Lambda code and nested templates as the stack's role: "Your access has been denied
//! by S3, please make sure your request credentials have permission to GetObject for …". A template that
//! fetches nothing from the bucket does not need it, so without that message this is a warning.
//!
//! # How to fix
//! Allow the stack's role to read the objects and to decrypt, on both sides.
//!
//! # Example
//! `"ParameterOverrides": "{"Bucket": {"Fn::GetArtifactAtt": ["Build", "BucketName"]}}"` and a stack
//! role without `s3:GetObject`.

use crate::diagnosis::message::Claim;
use crate::evaluation::Side;
use crate::rules::access::{Access, OWN, read_statements};
use crate::rules::commands::put_role_policy;
use crate::rules::event::Event;
use crate::rules::facts::{role_label, role_location};
use crate::rules::judgement::Judgement;
use crate::rules::verdicts::{Fault, Fix};
use crate::rules::{Facts, Rule, Severity, Verdicts};

pub(in crate::rules) const RULE: Rule = Rule {
    id: "IA010",
    name: "stack-role-cannot-read-artifacts",
    severity: Severity::Warning,
    summary: "The stack's role of a CloudFormation action can't read the artifacts that its template refers to.",
    sources: &[
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/continuous-delivery-codepipeline-parameter-override-functions.html",
    ],
    check,
};

fn check(facts: &Facts<'_>, verdicts: &mut Verdicts) {
    let told = Event::of(facts).is_some_and(|event| event.claims(&Claim::StackBucket));
    for action in facts.cross_account_actions().filter(|it| it.action.provider() == "CloudFormation") {
        let overrides = action.action.configuration("ParameterOverrides");
        let refers = overrides.is_some_and(|it| it.contains("Fn::GetArtifactAtt"));
        let Some(role) = action.action.configuration("RoleArn").filter(|_| refers || told) else { continue };
        // A role of another account can't be passed at all: PL008.
        if role.split(':').nth(4) != Some(action.account) {
            continue;
        }
        let location = role_location(role);
        let mut judgement = Judgement::default();
        for (access, _) in Access::reads(action, role) {
            let judged = access.judge(&[OWN[0], OWN[1], Side::Resource]);
            if judged.unsettled {
                verdicts.unknown(&location);
            }
            judgement.refused.extend(judged.refused);
        }
        if judgement.is_clear() {
            continue;
        }
        let own = judgement.refused.iter().any(|refusal| refusal.denied.side != Side::Resource);
        let place = if own {
            format!("the policies of {role}")
        } else {
            "the bucket policy and the key policy".into()
        };
        verdicts.fail(Fault {
            message: format!(
                "{}, which {} gives to its stack, can't read the artifacts",
                role_label(role),
                action.label()
            ),
            because: judgement.because(&place, &format!("to {role}")),
            fix: Fix {
                summary: format!("add these statements to {place}"),
                statements: read_statements(&action, (!own).then_some(role)),
                command: own.then(|| put_role_policy(role, "PipelineArtifacts")),
                crosspipe: None,
            },
            denied: judgement.denied(),
            location,
            severity: told.then_some(Severity::Error),
        });
    }
}
