//! `Custom::ArtifactBucketGrant`: the artifact bucket's policy lets the grantees at its objects, and keeps
//! out what is not encrypted.

use crosspipe_core::grants::bucket::{self, Denials};
use crosspipe_core::policy::OwnedStatements;
use crosspipe_custom_resource::{Failure, Properties};
use serde_json::{Map, Value};

use crate::{Resource, ResourceContext, failures, grantee_properties};

/// The grant.
#[derive(Debug, Clone, PartialEq)]
pub struct BucketGrant {
    /// The artifact bucket.
    pub bucket: String,
    /// The statements that are wanted in its policy.
    pub statements: OwnedStatements,
}

impl Resource for BucketGrant {
    const NAME: &'static str = "ArtifactBucketGrant";
    type Target = String;

    fn target(properties: &Map<String, Value>, _place: &ResourceContext) -> Result<String, Failure> {
        let name = properties.get("BucketName").and_then(Value::as_str).unwrap_or_default();
        bucket::check_bucket_name("BucketName", name).map_err(failures::property)?;
        Ok(name.to_owned())
    }

    fn target_name(target: &String) -> &str {
        target
    }

    fn target_arn(name: &str, place: &ResourceContext) -> String {
        format!("arn:{}:s3:::{name}", place.partition)
    }

    fn parse(properties: &Map<String, Value>, place: &ResourceContext) -> Result<Self, Failure> {
        let [a, b, c, d, e] = grantee_properties::NAMES;
        let known = ["BucketName", "DenyUnencryptedUploads", "DenyInsecureTransport", a, b, c, d, e];
        let read = Properties::new(properties, &known)?;
        let name = read.required("BucketName")?;
        bucket::check_bucket_name("BucketName", name).map_err(failures::property)?;
        let denials = Denials {
            unencrypted_uploads: read.boolean("DenyUnencryptedUploads", true)?,
            insecure_transport: read.boolean("DenyInsecureTransport", true)?,
        };
        let grantees = grantee_properties::read(&read)?;
        let statements = bucket::wanted(&place.owner, &place.partition, name, &grantees, denials);
        Ok(BucketGrant { bucket: name.to_owned(), statements })
    }
}
