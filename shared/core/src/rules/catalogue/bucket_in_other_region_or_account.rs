//! # What it does
//! Looks for artifact buckets that do not exist, are in another Region than their store, or in another
//! account than the pipeline.
//!
//! # Why deploys fail
//! "Replication of artifact '…' failed … Check source and destination artifact buckets exist and pipeline
//! role has permission to access them."
//!
//! # How to fix
//! Give each Region a bucket of the pipeline's account in that Region.
//!
//! # Example
//! `"artifactStores": {"eu-west-1": {"location": "a-bucket-in-us-east-2", …}}`

use crate::incident::message::ErrorSignature;
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::{Facts, Fit, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};
use crate::snapshot::Fact;

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::S3004,
    name: "bucket-in-other-region-or-account",
    severity: Severity::Error,
    summary: "An artifact bucket does not exist, or is in another Region than its store or another account.",
    sources: &["https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-create-cross-region.html"],
    subject: Subject::Store,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::NoSuchBucket => Fit::Names,
            ErrorSignature::Replication => Fit::Fits,
            _ => Fit::No,
        },
        ..InDiagnosis::NOTHING
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    for store in facts.stores() {
        let bucket = store.bucket();
        let location = format!("buckets[\"{bucket}\"]");
        let known = facts.bucket(bucket);
        let mut fail = |location: &str, because: String, summary: String| {
            cx.report(Fault {
                location: location.to_owned(),
                message: format!("`{}` can't keep its artifacts in bucket `{bucket}`", store.path()),
                because,
                fix: Fix { summary, ..Fix::default() },
                ..Fault::default()
            });
        };
        if matches!(known, Fact::Absent) {
            let summary = "create the bucket, or give the name of one that exists".to_owned();
            fail(&location, "there is no such bucket".into(), summary);
            continue;
        }
        let wanted = store.region().or_else(|| facts.pipeline().region());
        let own = facts.pipeline().account();
        let (region, account) = (known.part(|bucket| &bucket.region), known.part(|bucket| &bucket.account));
        if let (Some(wanted), Some(region)) =
            (wanted, region.known().filter(|it| Some(it.as_str()) != wanted))
        {
            let because = format!("the store is for {wanted}, and the bucket is in {region}");
            fail(&format!("{location}.region"), because, format!("use a bucket in {wanted}"));
        }
        if let (Some(own), Some(account)) = (own, account.known().filter(|it| Some(it.as_str()) != own)) {
            let because = format!("the bucket belongs to account {account}, the pipeline to {own}");
            fail(&format!("{location}.account"), because, format!("use a bucket of account {own}"));
        }
        for (part, unknown) in [("region", region.is_unknown()), ("account", account.is_unknown())] {
            if unknown {
                cx.unknown(format!("{location}.{part}"));
            }
        }
    }
}
