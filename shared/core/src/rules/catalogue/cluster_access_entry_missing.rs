//! # What it does
//! Reads the error message of an EKS deploy for a refusal by the cluster itself: who may work in it is decided by
//! the cluster's access entries (or its `aws-auth` map), not by IAM policies.
//!
//! # Why deploys fail
//! The action role may call EKS, and Kubernetes does not know it: "the server has asked for the client to provide
//! credentials", "You must be logged in to the server", "User … cannot list resource … in API group".
//!
//! # How to fix
//! Make an access entry for the action role, with an access policy or a Kubernetes group that may deploy.
//!
//! # Example
//! A cluster whose only access entry is that of who made it.

use crate::incident::message::ErrorSignature;
use crate::providers::Provider;
use crate::rules::commands::{in_region, option, show};
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::facts::role_location;
use crate::rules::{Facts, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Ia015,
    name: "cluster-access-entry-missing",
    severity: Severity::Error,
    summary: "The action role has no access entry in the EKS cluster, or one that does not let it deploy.",
    sources: &[
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-EKS.html",
        "https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html",
    ],
    subject: Subject::Message,
    in_diagnosis: InDiagnosis::NOTHING,
    check,
};

const POLICY: &str = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy";

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    let Some(event) = facts.incident().filter(|it| Provider::of(&it.action) == Provider::Eks) else { return };
    if !event.claims(&ErrorSignature::ClusterRefused) {
        return;
    }
    let role = event.action.role_arn().unwrap_or(facts.pipeline().role_arn());
    let cluster = event.action.configuration("ClusterName").unwrap_or("the cluster");
    let partition = facts.partition();
    let of = format!(
        "{} {} {}",
        in_region(facts.region_of(&event.action)),
        option("cluster-name", cluster),
        option("principal-arn", role)
    );
    let policy = POLICY.replacen("arn:aws:", &format!("arn:{partition}:"), 1);
    let command = format!(
        "aws eks describe-access-entry{of}\n# where there is none\naws eks create-access-entry{of}\n\
         aws eks associate-access-policy{of} --access-scope type=cluster {}",
        option("policy-arn", &policy)
    );
    cx.report(Fault {
        location: role_location(role),
        message: format!("cluster `{cluster}` does not let {role} in, which {} needs", event.label()),
        because: format!("the cluster answered: {}", event.reason),
        fix: Fix {
            summary: format!(
                "make an access entry for {role} in `{cluster}`, with an access policy that lets it deploy; no IAM policy does that"
            ),
            command: Some(show(facts.account_of(&event.action), &command)),
            ..Fix::default()
        },
        ..Fault::default()
    });
}
