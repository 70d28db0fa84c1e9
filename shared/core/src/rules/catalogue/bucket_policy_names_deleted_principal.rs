//! # What it does
//! Looks for unique ids (`AROA…`, `AIDA…`) in the principals of artifact buckets' policies.
//!
//! # Why deploys fail
//! When a role is deleted, its ARN in the policy turns into its unique id. A role that is created again
//! under that name is another one, and gets Access Denied. And S3 refuses to save the policy again:
//! "MalformedPolicy: Invalid principal in policy".
//!
//! # How to fix
//! Remove the id, and let the account of the role that now exists in, or the role by its ARN.
//!
//! # Example
//! `"Principal": {"AWS": ["AROAEXAMPLEEXAMPLE12", "arn:aws:iam::222222222222:root"]}`

use crate::incident::message::ErrorSignature;
use crate::rules::access::Access;
use crate::rules::deleted_principals;
use crate::rules::documents::Document;
use crate::rules::fix_statements::artifact_statements;
use crate::rules::{Facts, Fit, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::S3003,
    name: "bucket-policy-names-deleted-principal",
    severity: Severity::Warning,
    summary: "The artifact bucket's policy names a principal that was deleted.",
    sources: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"],
    subject: Subject::BucketPolicy,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::Artifact { .. } | ErrorSignature::Bucket { .. } => Fit::Names,
            ErrorSignature::RolePermissions { service: None }
            | ErrorSignature::Refused
            | ErrorSignature::BuildSource
            | ErrorSignature::InvalidPrincipal => Fit::Fits,
            _ => Fit::No,
        },
        ..InDiagnosis::NOTHING
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    for store in facts.stores() {
        let bucket = store.bucket();
        let location = format!("buckets[\"{bucket}\"].policy");
        let policy = facts.bucket(bucket).part(|bucket| &bucket.policy);
        let Some((document, dead)) = deleted_principals::of(policy, &location, cx) else { continue };
        let groups = facts.groups_by_role_and_store();
        let groups = groups.iter().filter(|it| it.first.store().is_some_and(|it| it.bucket() == bucket));
        let accesses = groups.filter_map(|it| Some((it.first.role_arn(), Access::to_bucket(it)?)));
        let (action_roles, denied) = deleted_principals::shut_out(document, accesses);
        let accounts = deleted_principals::accounts(&action_roles);
        let instead = accounts.iter().flat_map(|it| artifact_statements(facts, bucket, Some(it)));
        cx.report(deleted_principals::fault(
            &format!("the policy of bucket `{bucket}`"),
            location,
            &dead,
            (&action_roles, denied, instead.collect()),
            &Document::bucket_policy(facts, bucket),
        ));
    }
}
