//! # What it does
//! Looks for unique ids (`AROA…`, `AIDA…`) in the principals of artifact keys' policies.
//!
//! # Why deploys fail
//! When a role is deleted, its ARN in the policy turns into its unique id. A role that is created again
//! under that name is another one: it gets a silent AccessDenied. And KMS refuses to save the policy again
//! as long as the id is in it: "MalformedPolicyDocumentException … invalid principals".
//!
//! # How to fix
//! Remove the id, and let the account of the role that now exists in, or the role by its ARN.
//!
//! # Example
//! `"Principal": {"AWS": "AROAEXAMPLEEXAMPLE12"}`

use crate::incident::message::ErrorSignature;
use crate::rules::access::Access;
use crate::rules::deleted_principals;
use crate::rules::documents::Document;
use crate::rules::fix_statements::key_statement;
use crate::rules::{Facts, Fit, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Km004,
    name: "key-policy-names-deleted-principal",
    severity: Severity::Warning,
    summary: "The artifact key's policy names a principal that was deleted.",
    sources: &["https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html"],
    subject: Subject::KeyPolicy,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::Artifact { .. } | ErrorSignature::Key => Fit::Names,
            ErrorSignature::Bucket { .. }
            | ErrorSignature::NoSuchKey { .. }
            | ErrorSignature::RolePermissions { service: None }
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
    for (_, key) in facts.keys() {
        let location = format!("keys[\"{key}\"].policy");
        let policy = facts.key(key.as_str()).part(|key| &key.policy);
        let Some((document, dead)) = deleted_principals::of(policy, &location, cx) else { continue };
        let groups = facts.groups_by_role_and_store();
        let groups = groups.iter().filter(|it| it.first.key_arn().as_ref() == Some(&key));
        let accesses = groups.filter_map(|it| Some((it.first.role_arn(), Access::to_key(it)?)));
        let (action_roles, denied) = deleted_principals::shut_out(document, accesses);
        let instead = deleted_principals::accounts(&action_roles)
            .iter()
            .map(|it| key_statement(&key, Some(it)))
            .collect();
        cx.report(deleted_principals::fault(
            &format!("the policy of `{key}`"),
            location,
            &dead,
            (&action_roles, denied, instead),
            &Document::key_policy(&key),
        ));
    }
}
