//! The statements of `Custom::ArtifactBucketGrant` in the artifact bucket's policy.

use serde_json::{Map, Value, json};

use super::Grantees;
use crate::arn::Arn;
use crate::evaluation::statement::covers_action;
use crate::field_error::FieldError;
use crate::grants::put_checks::{PutError, Quota, refuse_deleted_principals};
use crate::owner::{Owner, SID_PREFIX};
use crate::policy::{Change, Effect, OwnedStatements, PolicyDocument, Statement};

/// What target accounts do with artifacts. AWS's walkthrough grants `s3:Get*` and `s3:Put*`, which would
/// also let them change tags, retention and ACLs of versions that they never need to touch.
pub const OBJECT_ACTIONS: [&str; 4] =
    ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:PutObjectAcl"];

/// What target accounts do with the bucket itself.
pub const BUCKET_ACTIONS: [&str; 2] = ["s3:ListBucket", "s3:GetBucketLocation"];

const ENCRYPTION: &str = "s3:x-amz-server-side-encryption";

const DENY_UNENCRYPTED: &str = "bucket/deny-unencrypted-uploads";
const DENY_INSECURE: &str = "bucket/deny-insecure-transport";
const TARGET_OBJECTS: &str = "bucket/target-objects";
const TARGET_BUCKET: &str = "bucket/target-bucket";
const ORGANIZATION_OBJECTS: &str = "bucket/organization-objects";
const ORGANIZATION_BUCKET: &str = "bucket/organization-bucket";

/// The two denials of the walkthrough, each on or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Denials {
    /// `DenyUnencryptedUploads`
    pub unencrypted_uploads: bool,
    /// `DenyInsecureTransport`
    pub insecure_transport: bool,
    /// Whether an upload that names no encryption is let through, because the bucket's default encryption is a
    /// customer managed key.
    pub spares_default: bool,
}

/// The statements for these grantees, on the bucket with this ARN.
pub fn desired_statements(
    owner: &Owner,
    bucket: &Arn,
    grantees: &Grantees,
    denials: Denials,
) -> OwnedStatements {
    let (partition, bucket) = (bucket.partition(), bucket.as_str());
    let objects = format!("{bucket}/*");
    let allow = |principal: &Value, actions: &[&str], resource: &str, condition: Option<&Value>| {
        statement("Allow", principal, json!(actions), json!(resource), condition)
    };
    let deny = |action: &str, resource: Value, condition: Value| {
        statement("Deny", &json!("*"), json!(action), resource, Some(&condition))
    };
    let unencrypted = || {
        // Both kinds of encryption under a KMS key, of one layer or of two.
        let mut condition = json!({"StringNotEquals": {ENCRYPTION: ["aws:kms", "aws:kms:dsse"]}});
        if let Some(condition) = condition.as_object_mut().filter(|_| denials.spares_default) {
            condition.insert("Null".into(), json!({ENCRYPTION: "false"}));
        }
        deny("s3:PutObject", json!(objects), condition)
    };
    let insecure = || {
        let condition = json!({"Bool": {"aws:SecureTransport": "false"}});
        deny("s3:*", json!([bucket, objects]), condition)
    };
    let named = grantees.named_principal(partition);
    let organization = grantees.organization_condition(partition);
    let (named, organization, everyone) = (named.as_ref(), organization.as_ref(), &json!({ "AWS": "*" }));
    OwnedStatements::new([
        (owner.sid(DENY_UNENCRYPTED), denials.unencrypted_uploads.then(unencrypted)),
        (owner.sid(DENY_INSECURE), denials.insecure_transport.then(insecure)),
        (owner.sid(TARGET_OBJECTS), named.map(|principal| allow(principal, &OBJECT_ACTIONS, &objects, None))),
        (owner.sid(TARGET_BUCKET), named.map(|principal| allow(principal, &BUCKET_ACTIONS, bucket, None))),
        (
            owner.sid(ORGANIZATION_OBJECTS),
            organization.map(|condition| allow(everyone, &OBJECT_ACTIONS, &objects, Some(condition))),
        ),
        (
            owner.sid(ORGANIZATION_BUCKET),
            organization.map(|condition| allow(everyone, &BUCKET_ACTIONS, bucket, Some(condition))),
        ),
    ])
}

/// Whether a bucket's default encryption, as `GetBucketEncryption` shows it, is under a customer managed key.
pub fn is_customer_managed(default_encryption: &Value) -> bool {
    let text = |field: &str| default_encryption.get(field).and_then(Value::as_str);
    let is_kms = text("SSEAlgorithm").is_some_and(|algorithm| algorithm.starts_with("aws:kms"));
    is_kms && text("KMSMasterKeyID").is_some_and(|key| !key.contains("alias/aws/"))
}

/// Who may write objects by statements that are not Crosspipe's, one text for each statement.
pub fn foreign_writers(policy: &PolicyDocument) -> Vec<String> {
    let is_foreign = |statement: &Statement<'_>| {
        statement.effect() == Some(Effect::Allow)
            && covers_action(*statement, "s3:PutObject")
            && !statement.sid().is_some_and(|sid| sid.starts_with(SID_PREFIX))
    };
    let writers = policy.statements().filter(is_foreign).map(|statement| {
        let principal = statement.get("Principal").or_else(|| statement.get("NotPrincipal"));
        format!("{} ({})", statement.label(), principal.unwrap_or(&Value::Null))
    });
    writers.collect()
}

/// No statement: those that the owner has are removed.
pub fn no_statements(owner: &Owner) -> OwnedStatements {
    let purposes = [
        DENY_UNENCRYPTED,
        DENY_INSECURE,
        TARGET_OBJECTS,
        TARGET_BUCKET,
        ORGANIZATION_OBJECTS,
        ORGANIZATION_BUCKET,
    ];
    OwnedStatements::new(purposes.map(|purpose| (owner.sid(purpose), None)))
}

/// What has to be written to the bucket policy; `current` is None where the bucket has none.
///
/// # Errors
/// When S3 would refuse the document.
pub fn plan(current: Option<&PolicyDocument>, owned: &OwnedStatements) -> Result<Change, PutError> {
    let change = owned.plan(current);
    if let Change::Put(changed) = &change {
        refuse_deleted_principals(changed)?;
        Quota::BucketPolicy.check(Quota::BucketPolicy.used([changed]))?;
    }
    Ok(change)
}

/// Checks a bucket name.
///
/// # Errors
/// When no bucket can have this name, with a hint for ARNs and URLs.
pub fn check_bucket_name(field: &str, name: &str) -> Result<(), FieldError> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    if (3..=63).contains(&name.len()) && name.chars().all(allowed) {
        return Ok(());
    }
    let help = "give the bare name, without `arn:aws:s3:::` or `s3://`";
    Err(FieldError::of_value(field, name, "is not the name of a bucket", help))
}

fn statement(
    effect: &str,
    principal: &Value,
    action: Value,
    resource: Value,
    condition: Option<&Value>,
) -> Map<String, Value> {
    let mut statement = Map::new();
    statement.insert("Effect".into(), json!(effect));
    statement.insert("Principal".into(), principal.clone());
    statement.insert("Action".into(), action);
    statement.insert("Resource".into(), resource);
    statement.extend(condition.map(|condition| ("Condition".to_owned(), condition.clone())));
    statement
}
