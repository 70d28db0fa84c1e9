//! # What it does
//! Evaluates whether the artifact bucket takes objects that are not encrypted under the artifact key: its
//! policy does not deny them, and its default encryption is another.
//!
//! # Why deploys fail
//! They don't, until an object is put without `aws:kms`: it can then be read without the key, or, under
//! `aws/s3`, not by other accounts.
//!
//! # How to fix
//! Deny `s3:PutObject` without `aws:kms`, or make the artifact key the bucket's default.
//!
//! # Example
//! A bucket with the default encryption `AES256` and no Deny statement.

use serde_json::json;

use crate::arn::{self, Arn};
use crate::evaluation::{Context, Request, Requester, Ternary};
use crate::pipeline::Store;
use crate::policy::PolicyDocument;
use crate::rules::access::denies;
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::documents::Document;
use crate::rules::facts::text;
use crate::rules::resources::bucket_grant;
use crate::rules::{Facts, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject, tls};
use crate::snapshot::{BucketFacts, Fact};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::S3007,
    name: "bucket-allows-unencrypted-uploads",
    severity: Severity::Warning,
    summary: "The artifact bucket takes objects that are not encrypted under the artifact key.",
    sources: &[
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-cross-account.html",
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html",
    ],
    subject: Subject::Practice,
    in_diagnosis: InDiagnosis::NOTHING,
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    const HEADER: &str = "s3:x-amz-server-side-encryption";
    for store in facts.stores() {
        let bucket = store.bucket();
        let location = format!("buckets[\"{bucket}\"]");
        let known = facts.bucket(bucket);
        if matches!(known, Fact::Absent) {
            continue;
        }
        let objects = arn::object(facts.partition(), bucket, "*");
        let denied = match known.part(|bucket| &bucket.policy) {
            Fact::Absent => Ternary::No,
            Fact::Unknown => Ternary::Unknown,
            Fact::Known(policy) => {
                let put = |context: Context| denies_put(facts, policy, &objects, context);
                let over_tls = Context::partial().with("aws:SecureTransport", "true");
                let version = tls::version([policy]).into_iter();
                let over_tls = version.fold(over_tls, |context, it| context.with(tls::KEY, it));
                let context = || over_tls.clone();
                put(context().without(HEADER)).and(put(context().with(HEADER, "AES256")))
            }
        };
        match denied.or(encrypts_by_default(facts, &known, &store)) {
            Ternary::Yes => {}
            Ternary::Unknown if denied == Ternary::Unknown => cx.unknown(format!("{location}.policy")),
            Ternary::Unknown => cx.unknown(format!("{location}.encryption")),
            Ternary::No => {
                let statements = vec![json!({
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "s3:PutObject",
                    "Resource": objects,
                    "Condition": {"StringNotEquals": {HEADER: "aws:kms"}}
                })];
                cx.report(Fault {
                message: format!("bucket `{bucket}` takes objects that are not encrypted under the artifact key"),
                because: "no statement of its policy denies s3:PutObject without aws:kms, and the artifact key is not its default".into(),
                fix: Fix {
                    summary: format!("add this statement to the policy of bucket `{bucket}`"),
                    command: Some(Document::bucket_policy(facts, bucket).add(&statements)),
                    statements,
                    crosspipe: Some(bucket_grant(facts, bucket, "DenyUnencryptedUploads")),
                },
                location: format!("{location}.policy"),
                ..Fault::default()
            });
            }
        }
    }
}

fn denies_put(facts: &Facts<'_>, policy: &PolicyDocument, objects: &str, context: Context) -> Ternary {
    let Ok(role) = Arn::parse(facts.pipeline().role_arn()) else { return Ternary::Unknown };
    let request = Request {
        requester: Requester::Role(role),
        action: "s3:PutObject",
        resource: &objects.replace('*', "object"),
        resource_account: facts.pipeline().account(),
        context,
    };
    denies(policy, &request)
}

/// Whether what comes without a header is encrypted under the store's key, or under another customer managed key
/// where the store names none.
fn encrypts_by_default(facts: &Facts<'_>, bucket: &Fact<&BucketFacts>, store: &Store<'_>) -> Ternary {
    let default = match bucket.part(|bucket| &bucket.encryption) {
        Fact::Unknown => return Ternary::Unknown,
        Fact::Absent => return Ternary::No,
        Fact::Known(default) => default,
    };
    let kms = text(default, "/SSEAlgorithm").is_some_and(|it| it.starts_with("aws:kms"));
    let Some(default) = text(default, "/KMSMasterKeyID").filter(|it| kms && !it.ends_with("alias/aws/s3"))
    else {
        return Ternary::No;
    };
    let same = |a: &str, b: &str| a == b || a.ends_with(&format!("/{b}")) || b.ends_with(&format!("/{a}"));
    let Some(key) = store.key_id() else { return Ternary::Yes };
    let resolved = facts.key_of(store);
    let is_same = same(default, key) || resolved.as_ref().is_some_and(|key| same(default, key.as_str()));
    // Two names may stand for one key.
    let is_alias = |id: &str| id.contains("alias/");
    match (is_same, is_alias(default) || (is_alias(key) && resolved.is_none())) {
        (true, _) => Ternary::Yes,
        (false, true) => Ternary::Unknown,
        (false, false) => Ternary::No,
    }
}
