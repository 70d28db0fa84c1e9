//! An object of S3 as a source.

use super::{
    ActionPlace, ArtifactHandler, ParameterValue, Permission, ProviderFacts, passes_none, permissions_on,
};

pub(super) const FACTS: ProviderFacts = ProviderFacts {
    categories: &["Source"],
    name: "S3",
    page: "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3.html",
    artifacts: ArtifactHandler::ActionRole,
    permissions: Some(permissions),
    evidence: None,
    passed_roles: passes_none,
    parameters: &[("S3SourceBucketName", ParameterValue::Configuration("S3Bucket"))],
};

fn permissions(place: &ActionPlace<'_>) -> Vec<Permission> {
    let bucket = place.value("S3Bucket");
    let object = bucket
        .zip(place.value("S3ObjectKey"))
        .map(|(bucket, key)| vec![place.s3(&format!("{bucket}/{key}"))]);
    let mut permissions = permissions_on(object, &["s3:GetObject", "s3:GetObjectVersion"]);
    permissions
        .extend(permissions_on(bucket.map(|bucket| vec![place.s3(bucket)]), &["s3:GetBucketVersioning"]));
    permissions
}
