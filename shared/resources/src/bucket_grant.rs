//! `Custom::ArtifactBucketGrant`: the artifact bucket's policy lets the grantees at its objects, and keeps
//! out what is not encrypted.

use crosspipe_aws::s3::S3;
use crosspipe_aws::{Aws, AwsError, ErrorKind};
use crosspipe_core::arn::Arn;
use crosspipe_core::field_error::FieldError;
use crosspipe_core::grants::Quota;
use crosspipe_core::grants::bucket::{self, ArtifactAccess, Denials};
use crosspipe_core::policy::{Change, OwnedStatements};
use crosspipe_core::remediation::ResourceType;
use crosspipe_custom_resource::{Failure, Success};
use futures_util::future::{join, try_join3};
use serde_json::{Map, Value};

use crate::policy_documents::{self, LivePolicy};
use crate::properties::Properties;
use crate::reference::{Attribute, Property};
use crate::resource::{Memories, Plan, Preview, Resource, ResourceError};
use crate::{ResourceContext, failures, grantee_properties};

/// The grant.
#[derive(Debug, Clone, PartialEq)]
pub struct BucketGrant {
    bucket: String,
    /// None where nothing is wanted.
    grant: Option<(ArtifactAccess, Denials)>,
}

/// What is read of a bucket.
#[derive(Debug)]
pub struct LiveBucket {
    policy: LivePolicy,
    /// The Region that the bucket is in.
    region: String,
    /// Whether an object that comes without the header is encrypted under a customer managed key.
    encrypts_by_default: bool,
}

impl BucketGrant {
    fn statements(&self, live: &LiveBucket, context: &ResourceContext) -> OwnedStatements {
        match &self.grant {
            None => bucket::no_statements(&context.owner),
            Some((access, denials)) => {
                let denials = Denials { spares_default: live.encrypts_by_default, ..*denials };
                let arn = Arn::of_bucket(&context.partition, &self.bucket);
                bucket::desired_statements(&context.owner, &arn, access, denials)
            }
        }
    }

    /// The statements of others whose uploads are denied from now on.
    fn denied_writers(&self, live: &LiveBucket) -> Option<String> {
        let (_, denials) = self.grant.as_ref()?;
        let denies = denials.unencrypted_uploads && !live.encrypts_by_default;
        let writers = bucket::foreign_writers(live.policy.document.as_ref().filter(|_| denies)?);
        (!writers.is_empty()).then(|| {
            format!(
                "Uploads without `aws:kms` are denied, also to those whom the existing policy allows to write: {}. If one of them, such as log delivery, does not send the header, make the artifact key the bucket's default encryption, or give `DenyUnencryptedUploads: false`.",
                writers.join("; ")
            )
        })
    }
}

impl Resource for BucketGrant {
    const TYPE: ResourceType = ResourceType::ArtifactBucketGrant;
    const DOES: &'static str = "Adds statements to the policy of an existing bucket: grantees get `s3:GetObject`, `PutObject` and `PutObjectAcl`, with versions and tags, on objects, and `ListBucket`, `GetBucketAcl`, `GetBucketLocation` and `GetBucketVersioning` on the bucket.";
    const PROPERTIES: &'static [&'static [Property]] = &[
        &[
            Property::required("BucketName", "name of a bucket of this account, in any Region"),
            Property::default(
                "AllowWrites",
                "`true`",
                "`false` leaves out `PutObject`, its ACL and tags: deploy actions only read",
            ),
            Property::default(
                "ArtifactPrefixes",
                "none",
                "only objects in these folders, such as `orders/`: the pipeline's name, cut to 20 characters",
            ),
            Property::default(
                "DenyUnencryptedUploads",
                "`true`",
                "uploads without `aws:kms` or `aws:kms:dsse` are denied to everybody; those that name no encryption are let through where the bucket's default is a customer managed key",
            ),
            Property::default(
                "DenyInsecureTransport",
                "`true`",
                "requests without TLS are denied to everybody, on bucket and objects",
            ),
        ],
        &grantee_properties::ALL,
    ];
    const ATTRIBUTES: &'static [Attribute] = &policy_documents::ATTRIBUTES;
    type Live = LiveBucket;
    type Change = Change;
    type Memory = ();

    fn parse(properties: &Map<String, Value>, context: &ResourceContext) -> Result<Vec<Self>, FieldError> {
        let read = Properties::new(properties, Self::PROPERTIES)?;
        read.required("BucketName")?;
        let denials = Denials {
            unencrypted_uploads: read.boolean("DenyUnencryptedUploads", true)?,
            insecure_transport: read.boolean("DenyInsecureTransport", true)?,
            spares_default: false,
        };
        let prefixes = read.list("ArtifactPrefixes")?;
        bucket::check_prefixes("ArtifactPrefixes", &prefixes)?;
        let access = ArtifactAccess {
            grantees: grantee_properties::read_grantees(&read, context)?,
            writes: read.boolean("AllowWrites", true)?,
            prefixes,
        };
        let targets = Self::parse_absent(properties, context)?.into_iter();
        let granted = targets.map(|it| BucketGrant { grant: Some((access.clone(), denials)), ..it });
        Ok(granted.collect())
    }

    fn parse_absent(
        properties: &Map<String, Value>,
        _context: &ResourceContext,
    ) -> Result<Vec<Self>, FieldError> {
        let name = properties.get("BucketName").and_then(Value::as_str).unwrap_or_default().trim();
        bucket::check_bucket_name("BucketName", name)?;
        Ok(vec![BucketGrant { bucket: name.to_owned(), grant: None }])
    }

    fn target(&self) -> &str {
        &self.bucket
    }

    fn target_arn(target: &str, context: &ResourceContext) -> String {
        Arn::of_bucket(&context.partition, target).to_string()
    }

    async fn read(&self, aws: &Aws, context: &ResourceContext) -> Result<LiveBucket, ResourceError> {
        let (bucket, account) = (self.bucket.as_str(), context.account.as_str());
        let read_in = async |s3: S3| {
            try_join3(
                s3.bucket_tags(bucket, account),
                s3.default_encryption(bucket, account),
                s3.bucket_policy(bucket, account),
            )
            .await
        };
        // A bucket is mostly where the function is, so it is read there while it is asked for.
        let s3 = aws.s3();
        let (region, read_here) = join(s3.bucket_region(bucket, account), read_in(aws.s3())).await;
        let region = region?;
        let (tags, encryption, text) = match aws.region() {
            Some(here) if here == region => read_here?,
            _ => read_in(aws.in_region(&region).s3()).await?,
        };
        let document = policy_documents::parse(text.as_deref(), &Self::target_arn(bucket, context))?;
        let encrypts_by_default = encryption.is_some_and(|it| bucket::is_customer_managed(&it));
        Ok(LiveBucket { policy: LivePolicy { document, tags }, region, encrypts_by_default })
    }

    fn plan(
        &self,
        live: &LiveBucket,
        memories: &Memories<Self>,
        context: &ResourceContext,
    ) -> Result<Plan<Self>, Failure> {
        policy_documents::plan_of(
            bucket::plan(live.policy.document.as_ref(), &self.statements(live, context)),
            memories,
        )
    }

    async fn write(
        &self,
        aws: &Aws,
        context: &ResourceContext,
        live: &LiveBucket,
        change: &Change,
    ) -> Result<Option<String>, AwsError> {
        let (s3, account) = (aws.in_region(&live.region).s3(), &context.account);
        match change {
            Change::None => {}
            Change::Put(document) => {
                s3.put_bucket_policy(&self.bucket, account, &document.to_json()).await?;
            }
            Change::Delete => s3.delete_bucket_policy(&self.bucket, account).await?,
        }
        Ok(None)
    }

    fn attributes(&self, live: &LiveBucket, context: &ResourceContext) -> Success {
        let (statements, quota) = (self.statements(live, context), Quota::BucketPolicy);
        policy_documents::grant_attributes(&statements, quota, quota.used(&live.policy.document))
    }

    fn notices(&self, live: &LiveBucket) -> Vec<String> {
        let owner = failures::owner_notice("bucket", &live.policy.tags);
        self.denied_writers(live).into_iter().chain(owner).collect()
    }

    fn preview(&self, live: &LiveBucket, change: Option<&Change>, _context: &ResourceContext) -> Preview {
        let (what, quota) = (format!("bucket policy of {}", self.bucket), Quota::BucketPolicy);
        policy_documents::preview_of(what, live.policy.document.as_ref(), change, &[], quota)
    }

    /// A denial may also be one of Block Public Access, which nothing in IAM changes.
    ///
    /// S3 answers a plain "Access Denied" for a bucket of another account: every call names the account that
    /// has to own the bucket.
    fn explain(&self, error: AwsError, context: &ResourceContext) -> Failure {
        if is_refused_as_public(&error) {
            return Failure::new(
                format!(
                    "S3 counts the policy of bucket `{}` as public, and Block Public Access refuses it: {error}",
                    self.bucket
                ),
                "no statement of Crosspipe is public, so one that the policy already has is: find the Allow for everybody without a fixed account, organization, VPC or IP range in its Condition, give it one, and deploy again",
            );
        }
        // IAM's own denials say which action is missing.
        let by_iam = error.message.contains("is not authorized to perform");
        if error.kind != ErrorKind::AccessDenied || by_iam || error.operation != "GetBucketLocation" {
            return failures::of_aws(error);
        }
        Failure::new(
            format!(
                "`BucketName`: bucket `{}` does not belong to account {}, or a policy denies the access provider's role to read it ({error})",
                self.bucket, context.account
            ),
            "give the artifact bucket of the pipeline's own account: a policy can be set only there",
        )
    }
}

/// Whether it was Block Public Access that refused a policy: S3 names the setting `BlockPublicPolicy`. See
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html>.
fn is_refused_as_public(error: &AwsError) -> bool {
    error.kind == ErrorKind::AccessDenied
        && error.operation == "PutBucketPolicy"
        && error.message.contains("BlockPublicPolicy")
}
