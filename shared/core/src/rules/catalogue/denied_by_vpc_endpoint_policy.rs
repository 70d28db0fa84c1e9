//! # What it does
//! Reads the error message for a denial by a VPC endpoint policy.
//!
//! # Why deploys fail
//! A build or an instance in a VPC reaches S3, KMS or STS through an endpoint, and the endpoint's own policy
//! may know only the resources of its own account.
//!
//! # How to fix
//! Allow the pipeline's bucket and key in the endpoint's policy.
//!
//! # Example
//! An S3 endpoint whose policy allows the buckets of the target account only.

use crate::arn::account_of;
use crate::incident::Incident;
use crate::incident::message::PolicyKind;
use crate::rules::commands::{in_region, show};
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::fix_statements::allow;
use crate::rules::{Facts, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Ev003,
    name: "denied-by-vpc-endpoint-policy",
    severity: Severity::Error,
    summary: "A VPC endpoint's policy denies what the action asked for.",
    sources: &[
        "https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html",
    ],
    subject: Subject::Message,
    in_diagnosis: InDiagnosis::NOTHING,
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    let Some(event) = facts.incident() else { return };
    let endpoint = |it: &&crate::incident::message::Denial| it.side == Some(PolicyKind::VpcEndpoint);
    let Some(denial) = event.denial.as_ref().filter(endpoint) else { return };
    let resource = denial.resource.clone().unwrap_or_else(|| "*".into());
    cx.report(Fault {
        location: event.action.path(),
        message: format!("a VPC endpoint policy keeps {} from {}", event.label(), denial.action),
        because: format!("the error message says that a VPC endpoint policy denies {}", Incident::request(denial)),
        fix: Fix {
            summary: "add this statement to the policy of the VPC endpoint that the request came through".into(),
            statements: vec![allow(Some("*"), &[&denial.action], &[resource])],
            command: Some(show(
                denial.actor.as_deref().and_then(account_of),
                &format!("aws ec2 describe-vpc-endpoints{} --query 'VpcEndpoints[].[VpcEndpointId,ServiceName,PolicyDocument]'", in_region(facts.region_of(&event.action))),
            )),
            ..Fix::default()
        },
        ..Fault::default()
    });
}
