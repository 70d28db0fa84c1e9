//! The statements of `Custom::ArtifactBucketGrant` in the artifact bucket's policy.

use serde_json::{Map, Value, json};

use super::Grantees;
use crate::arn::Arn;
use crate::evaluation::statement::covers_action;
use crate::field_error::FieldError;
use crate::grants::put_checks::{PutError, Quota, refuse_deleted_principals};
use crate::owner::{Owner, SID_PREFIX};
use crate::policy::{Change, Effect, OwnedStatements, PolicyDocument, Statement};

/// How target accounts read artifacts. AWS's walkthrough grants `s3:Get*`, which would also let them read ACLs, retention
/// and legal holds. The tags go with an artifact whose source object has some: see the note in
/// <https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html>.
const READ_ACTIONS: [&str; 4] =
    ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectTagging", "s3:GetObjectVersionTagging"];

/// How they write artifacts, from the same pages. `s3:Put*` would also let them change retention and older versions.
const WRITE_ACTIONS: [&str; 3] = ["s3:PutObject", "s3:PutObjectAcl", "s3:PutObjectTagging"];

/// What they ask of the bucket itself, which says nothing of what is in it: the service role's policy of the same page.
const BUCKET_ACTIONS: [&str; 3] = ["s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"];

/// What the walkthrough grants on the bucket. Without it, S3 answers 403 instead of 404 for what does not exist.
const LIST_ACTION: &str = "s3:ListBucket";

const ENCRYPTION: &str = "s3:x-amz-server-side-encryption";

const DENY_UNENCRYPTED: &str = "bucket/deny-unencrypted-uploads";
const DENY_INSECURE: &str = "bucket/deny-insecure-transport";
const TARGET_OBJECTS: &str = "bucket/target-objects";
const TARGET_BUCKET: &str = "bucket/target-bucket";
const TARGET_LIST: &str = "bucket/target-list";
const ORGANIZATION_OBJECTS: &str = "bucket/organization-objects";
const ORGANIZATION_BUCKET: &str = "bucket/organization-bucket";
const ORGANIZATION_LIST: &str = "bucket/organization-list";

/// Who may do what with which artifacts.
#[derive(Debug, Clone, PartialEq)]
pub struct ArtifactAccess {
    /// Who.
    pub grantees: Grantees,
    /// `AllowWrites`: whether they may write artifacts, as a source or a build in a target account does.
    pub writes: bool,
    /// `ArtifactPrefixes`: the folders that they may use; none for the whole bucket.
    pub prefixes: Vec<String>,
}

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

/// The statements for this access, on the bucket with this ARN.
pub fn desired_statements(
    owner: &Owner,
    bucket: &Arn,
    access: &ArtifactAccess,
    denials: Denials,
) -> OwnedStatements {
    let partition = bucket.partition();
    let named = access.grantees.named_principal(partition);
    let organization = access.grantees.organization_condition(partition);
    let everyone = json!({ "AWS": "*" });
    let named = named.as_ref().map(|principal| access.allows(bucket, principal, None));
    let organization = organization.map(|condition| access.allows(bucket, &everyone, Some(&condition)));
    let [objects, of_bucket, list] = named.unwrap_or_default();
    let [organization_objects, organization_bucket, organization_list] = organization.unwrap_or_default();
    let [unencrypted, insecure] = denials.denies(bucket);
    OwnedStatements::new([
        (owner.sid(DENY_UNENCRYPTED), unencrypted),
        (owner.sid(DENY_INSECURE), insecure),
        (owner.sid(TARGET_OBJECTS), objects),
        (owner.sid(TARGET_BUCKET), of_bucket),
        (owner.sid(TARGET_LIST), list),
        (owner.sid(ORGANIZATION_OBJECTS), organization_objects),
        (owner.sid(ORGANIZATION_BUCKET), organization_bucket),
        (owner.sid(ORGANIZATION_LIST), organization_list),
    ])
}

/// The statements that let a principal use all artifacts of a bucket; in its own policies without a principal.
pub(crate) fn allow_whole_bucket(
    bucket: &str,
    principal: Option<&Value>,
    writes: bool,
    condition: Option<&Value>,
) -> [Map<String, Value>; 2] {
    let of_bucket = [[LIST_ACTION].as_slice(), &BUCKET_ACTIONS].concat();
    let objects = json!(format!("{bucket}/*"));
    [
        build_statement("Allow", principal, json!(object_actions(writes)), objects, condition),
        build_statement("Allow", principal, json!(of_bucket), json!(bucket), condition),
    ]
}

fn object_actions(writes: bool) -> Vec<&'static str> {
    [READ_ACTIONS.as_slice(), if writes { &WRITE_ACTIONS } else { &[] }].concat()
}

impl ArtifactAccess {
    /// The statements for one principal: on objects, on the bucket, and to list it where that is not among the others.
    fn allows(
        &self,
        bucket: &Arn,
        principal: &Value,
        condition: Option<&Value>,
    ) -> [Option<Map<String, Value>>; 3] {
        let bucket = bucket.as_str();
        if self.prefixes.is_empty() {
            let [objects, bucket] = allow_whole_bucket(bucket, Some(principal), self.writes, condition);
            return [Some(objects), Some(bucket), None];
        }
        let within: Vec<String> = self.prefixes.iter().map(|prefix| format!("{prefix}*")).collect();
        let objects: Vec<String> = within.iter().map(|within| format!("{bucket}/{within}")).collect();
        let allow = |actions: Value, resource: Value, condition: Option<&Value>| {
            Some(build_statement("Allow", Some(principal), actions, resource, condition))
        };
        // A condition of its own: no other action on a bucket knows the key.
        let mut listing = condition.cloned().unwrap_or_else(|| json!({}));
        if let Some(operators) = listing.as_object_mut() {
            let like = operators.entry("StringLike").or_insert_with(|| json!({}));
            like.as_object_mut().map(|keys| keys.insert("s3:prefix".to_owned(), json!(within)));
        }
        [
            allow(json!(object_actions(self.writes)), json!(objects), condition),
            allow(json!(BUCKET_ACTIONS), json!(bucket), condition),
            allow(json!([LIST_ACTION]), json!(bucket), Some(&listing)),
        ]
    }
}

impl Denials {
    /// The statement against each.
    fn denies(self, bucket: &Arn) -> [Option<Map<String, Value>>; 2] {
        let (bucket, objects) = (bucket.as_str(), format!("{}/*", bucket.as_str()));
        let deny = |action: &str, resource: Value, condition: Value| {
            build_statement("Deny", Some(&json!("*")), json!(action), resource, Some(&condition))
        };
        let unencrypted = || {
            // Both kinds of encryption under a KMS key, of one layer or of two.
            let mut condition = json!({"StringNotEquals": {ENCRYPTION: ["aws:kms", "aws:kms:dsse"]}});
            if let Some(condition) = condition.as_object_mut().filter(|_| self.spares_default) {
                condition.insert("Null".into(), json!({ENCRYPTION: "false"}));
            }
            deny("s3:PutObject", json!(objects), condition)
        };
        let insecure = || {
            let condition = json!({"Bool": {"aws:SecureTransport": "false"}});
            deny("s3:*", json!([bucket, objects]), condition)
        };
        [self.unencrypted_uploads.then(unencrypted), self.insecure_transport.then(insecure)]
    }
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
        TARGET_LIST,
        ORGANIZATION_OBJECTS,
        ORGANIZATION_BUCKET,
        ORGANIZATION_LIST,
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

/// Checks prefixes of object keys. A prefix ends with a slash: `orders` would also be one of `orders-two/`.
///
/// # Errors
/// When a prefix can't be the folder of an artifact.
pub fn check_prefixes(field: &str, prefixes: &[String]) -> Result<(), FieldError> {
    for prefix in prefixes {
        let (fault, next_step) = if prefix.starts_with('/') {
            ("begins with a slash, and no artifact does", "leave it out")
        } else if prefix.contains(['*', '?', '$']) {
            (
                "has a character that means something else in a policy",
                "give the folder without `*`, `?` and `$`",
            )
        } else if !prefix.ends_with('/') {
            (
                "does not end with a slash, so it would also let other folders in that begin with it",
                "end it with `/`; CodePipeline's folder is the pipeline's name, cut to 20 characters",
            )
        } else {
            continue;
        };
        return Err(FieldError::of_value(field, prefix, fault, next_step));
    }
    Ok(())
}

fn build_statement(
    effect: &str,
    principal: Option<&Value>,
    action: Value,
    resource: Value,
    condition: Option<&Value>,
) -> Map<String, Value> {
    let mut statement = Map::new();
    statement.insert("Effect".into(), json!(effect));
    statement.extend(principal.map(|principal| ("Principal".to_owned(), principal.clone())));
    statement.insert("Action".into(), action);
    statement.insert("Resource".into(), resource);
    statement.extend(condition.map(|condition| ("Condition".to_owned(), condition.clone())));
    statement
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::question::Question;
    use crate::grants::grantees::GranteeProperties;

    const ROLE: &str = "arn:aws:iam::222222222222:role/Deploy";

    fn policy(properties: GranteeProperties, writes: bool, prefixes: &[&str]) -> Value {
        let owner = Owner::new("arn:aws:cloudformation:eu-west-1:111111111111:stack/tools/1", "Bucket");
        let prefixes = prefixes.iter().map(|prefix| (*prefix).to_owned()).collect();
        let access = ArtifactAccess { grantees: Grantees::new(properties).unwrap(), writes, prefixes };
        let denials =
            Denials { unencrypted_uploads: false, insecure_transport: false, spares_default: false };
        let owned = desired_statements(&owner, &Arn::of_bucket("aws", "artifacts"), &access, denials);
        let Ok(Change::Put(policy)) = plan(None, &owned) else { panic!("nothing to put") };
        policy.to_value()
    }

    fn is_allowed(policy: &Value, action: &str, resource: &str, prefix: Option<&str>) -> bool {
        let identity = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}});
        let mut context = json!({"aws:PrincipalOrgID": "o-a1b2c3d4e5", "aws:PrincipalArn": ROLE});
        if let Some(prefix) = prefix {
            context["s3:prefix"] = json!(prefix);
        }
        let question = json!({
            "principal": ROLE, "action": action, "resource": format!("arn:aws:s3:::{resource}"),
            "resourceAccount": "111111111111", "context": context,
            "identityPolicies": [identity], "resourcePolicy": policy,
        });
        let question: Question = serde_json::from_value(question).unwrap();
        serde_json::to_value(question.evaluate().decision).unwrap() == "allowed"
    }

    #[test]
    fn grantees_get_what_was_asked_for() {
        let named =
            || GranteeProperties { target_accounts: vec!["222222222222".into()], ..Default::default() };
        let organization = || GranteeProperties {
            organization_id: Some("o-a1b2c3d4e5".into()),
            target_role_name_pattern: Some("Deploy".into()),
            ..Default::default()
        };
        for properties in [named, organization as fn() -> GranteeProperties] {
            let whole = policy(properties(), true, &[]);
            let reads = policy(properties(), false, &[]);
            let folder = policy(properties(), true, &["orders/"]);
            let object = "artifacts/orders/BuildOutpu/h7Xk2Qa";
            for (action, resource, prefix, expected) in [
                ("s3:GetObject", object, None, [true, true, true]),
                ("s3:GetObjectVersionTagging", object, None, [true, true, true]),
                ("s3:PutObject", object, None, [true, false, true]),
                ("s3:PutObjectTagging", object, None, [true, false, true]),
                ("s3:GetObject", "artifacts/orders-two/BuildOutpu/1", None, [true, true, false]),
                ("s3:PutObject", "artifacts/other", None, [true, false, false]),
                ("s3:GetObjectRetention", object, None, [false, false, false]),
                ("s3:GetBucketVersioning", "artifacts", None, [true, true, true]),
                ("s3:ListBucket", "artifacts", Some("orders/BuildOutpu/"), [true, true, true]),
                ("s3:ListBucket", "artifacts", Some("orders-two/"), [true, true, false]),
                ("s3:ListBucket", "artifacts", None, [true, true, false]),
            ] {
                let allowed =
                    [&whole, &reads, &folder].map(|policy| is_allowed(policy, action, resource, prefix));
                assert_eq!(allowed, expected, "{action} on {resource}, prefix {prefix:?}");
            }
        }
    }

    #[test]
    fn prefixes_are_folders() {
        check_prefixes("ArtifactPrefixes", &["orders/".into(), "shared/site/".into()]).unwrap();
        for (prefix, fault) in
            [("orders", "end with a slash"), ("/orders/", "begins with a slash"), ("or*/", "policy")]
        {
            let error = check_prefixes("ArtifactPrefixes", &["fine/".into(), prefix.into()]).unwrap_err();
            assert!(error.to_string().contains(fault) && error.to_string().contains(prefix), "{error}");
        }
    }
}
