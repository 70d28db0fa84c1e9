//! Artifact keys and buckets, and the buckets that an S3 action deploys to.

use crosspipe_core::arn::Arn;
use crosspipe_core::snapshot::{BucketFacts, Fact, GrantFacts, KeyFacts};
use futures_util::future::{join, join3};
use serde_json::Value;

use super::fact_reader::FactReader;
use crate::Aws;

/// An artifact key, in its own Region.
pub(super) async fn read_key(tools: &Aws, arn: &str, reader: &FactReader) -> Fact<KeyFacts> {
    let region = Arn::parse(arn).map(|arn| arn.region().to_owned()).unwrap_or_default();
    let kms = tools.in_region(&region).kms();
    let (metadata, policy, grants) = join3(
        reader.known(arn, kms.describe_key(arn)),
        reader.document(arn, async { kms.key_policy(arn).await.map(Some) }),
        reader.known(arn, kms.grants(arn)),
    )
    .await;
    if matches!(metadata, Fact::Absent) {
        return Fact::Absent;
    }
    let grants = grants.known().map(|grants: &Vec<Value>| {
        let read = grants.iter().filter_map(|grant| serde_json::from_value::<GrantFacts>(grant.clone()).ok());
        read.collect()
    });
    Fact::Known(KeyFacts {
        key_metadata: metadata,
        policy,
        grants: grants.map_or(Fact::Unknown, Fact::Known),
    })
}

/// An artifact bucket of an account.
pub(super) async fn read_bucket(
    tools: &Aws,
    name: &str,
    account: &str,
    reader: &FactReader,
) -> Fact<BucketFacts> {
    let region = match read_region(tools, name, account, reader).await {
        Fact::Absent => return Fact::Absent,
        region => region,
    };
    let s3 = region.known().map_or_else(|| tools.clone(), |region| tools.in_region(region)).s3();
    let (policy, ownership, encryption) = join3(
        reader.ask(name, s3.bucket_policy(name, account)),
        reader.fact(name, s3.object_ownership(name, account)),
        reader.fact(name, s3.default_encryption(name, account)),
    )
    .await;
    // Only the owner's answer passes the expected owner of the call.
    let owned = region.known().is_some() || policy.is_ok();
    let policy = match reader.settle(policy) {
        Fact::Known(text) => reader.parse(name, &text),
        Fact::Absent => Fact::Absent,
        Fact::Unknown => Fact::Unknown,
    };
    Fact::Known(BucketFacts {
        account: if owned { Fact::Known(account.to_owned()) } else { Fact::Unknown },
        region,
        policy,
        object_ownership: ownership,
        encryption,
    })
}

/// A bucket that is deployed to: whether it is there, where, and who owns its objects.
pub(super) async fn deploy_bucket(
    aws: &Aws,
    name: &str,
    account: &str,
    reader: &FactReader,
) -> Fact<BucketFacts> {
    let s3 = aws.s3();
    let (region, object_ownership) =
        join(read_region(aws, name, account, reader), reader.fact(name, s3.object_ownership(name, account)))
            .await;
    match region {
        Fact::Absent => Fact::Absent,
        Fact::Unknown if object_ownership.is_unknown() => Fact::Unknown,
        region => Fact::Known(BucketFacts {
            account: Fact::Known(account.to_owned()),
            region,
            object_ownership,
            ..BucketFacts::default()
        }),
    }
}

async fn read_region(aws: &Aws, name: &str, account: &str, reader: &FactReader) -> Fact<String> {
    let s3 = aws.s3();
    reader.known(name, s3.bucket_region(name, account)).await
}
