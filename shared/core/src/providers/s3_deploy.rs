//! Objects of S3 that are written.

use super::{
    ActionPlace, ArtifactHandler, EvidenceSource, ParameterValue, Permission, ProviderFacts, passes_none,
    permissions_on,
};

pub(super) const FACTS: ProviderFacts = ProviderFacts {
    categories: &["Deploy"],
    name: "S3",
    page: "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3Deploy.html",
    artifacts: ArtifactHandler::ActionRole,
    permissions: Some(permissions),
    evidence: Some(EvidenceSource::Bucket),
    passed_roles: passes_none,
    parameters: &[
        ("S3DeployBucketName", ParameterValue::Configuration("BucketName")),
        ("S3DeployKeyArn", ParameterValue::Configuration("KMSEncryptionKeyARN")),
    ],
};

fn permissions(place: &ActionPlace<'_>) -> Vec<Permission> {
    permissions_on(place.value("BucketName").map(|it| vec![place.s3(&format!("{it}/*"))]), &["s3:PutObject"])
}
