//! What a custom resource would change, without changing it.

use crosspipe_aws::Aws;
use crosspipe_core::grants::{PutError, Quota};
use crosspipe_core::grants::{bucket, service_role};
use crosspipe_core::policy::{Change, PolicyDocument};
use crosspipe_custom_resource::Failure;
use serde_json::{Map, Value, json};

use crate::document::{BucketPolicy, Document, KeyPolicy};
use crate::pipeline_patch::{Live, ReadError, pipeline_arn};
use crate::service_role_grant::inline_policies;
use crate::{
    BucketGrant, KeyGrant, PipelinePatch, Resource, ResourceContext, ServiceRoleGrant, failures, key_grant,
};

/// One document, as it is and as it would be.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// What would be changed: `key policy of arn:…`.
    pub what: String,
    /// As it is; null where there is none.
    pub before: Value,
    /// As it would be; null where it would go. The same as `before` where nothing would change.
    pub after: Value,
    /// Bytes used and allowed, for policies.
    pub size: Option<(usize, usize)>,
}

/// What a resource of this type (`Custom::…`) would change if it were created, or updated to these properties.
///
/// # Errors
/// The failure that CloudFormation would be answered.
pub async fn preview(
    aws: &Aws,
    resource_type: &str,
    properties: &Map<String, Value>,
    place: &ResourceContext,
) -> Result<Preview, Failure> {
    match resource_type {
        "Custom::ArtifactKeyGrant" => {
            let grant = KeyGrant::parse(properties, place)?;
            let policy = KeyPolicy::new(aws, grant.key.as_str());
            let plan = |current: Option<&PolicyDocument>| key_grant::plan(current, &grant.statements);
            of_document(&policy, format!("key policy of {}", grant.key), Quota::KeyPolicy, plan).await
        }
        "Custom::ArtifactBucketGrant" => {
            let grant = BucketGrant::parse(properties, place)?;
            let policy = BucketPolicy::new(aws, &grant.bucket, place);
            let plan = |current: Option<&PolicyDocument>| bucket::plan(current, &grant.statements);
            of_document(&policy, format!("bucket policy of {}", grant.bucket), Quota::BucketPolicy, plan)
                .await
        }
        "Custom::ServiceRoleGrant" => of_role(aws, ServiceRoleGrant::parse(properties, place)?, place).await,
        "Custom::PipelinePatch" => of_pipeline(aws, PipelinePatch::parse(properties, place)?, place).await,
        other => Err(failures::unknown_type(other)),
    }
}

async fn of_document(
    document: &impl Document,
    what: String,
    quota: Quota,
    plan: impl Fn(Option<&PolicyDocument>) -> Result<Change, PutError>,
) -> Result<Preview, Failure> {
    let text = document.read().await.map_err(failures::aws)?;
    let before = text.as_deref().map(PolicyDocument::parse).transpose();
    let before = before.map_err(|error| failures::unreadable(&document.arn(), &error))?;
    let change = plan(before.as_ref()).map_err(|error| failures::put(&error))?;
    let after = after(change, before.as_ref());
    let size = Some((quota.used(&after), quota.limit()));
    Ok(Preview { what, before: value(before.as_ref()), after: value(after.as_ref()), size })
}

async fn of_role(aws: &Aws, grant: ServiceRoleGrant, place: &ResourceContext) -> Result<Preview, Failure> {
    let name = place.owner.policy_name();
    let mut policies = inline_policies(aws, &grant.role).await?;
    let change =
        service_role::plan(&policies, &name, &grant.statements).map_err(|error| failures::put(&error))?;
    let before = policies.remove(&name);
    let after = after(change, before.as_ref());
    let quota = Quota::RoleInlinePolicies;
    let size = Some((quota.used(policies.values().chain(&after)), quota.limit()));
    let what = format!("inline policy {name} of role {}", grant.role);
    Ok(Preview { what, before: value(before.as_ref()), after: value(after.as_ref()), size })
}

async fn of_pipeline(aws: &Aws, patch: PipelinePatch, place: &ResourceContext) -> Result<Preview, Failure> {
    let live = Live::read(&aws.codepipeline(), &patch.name, &pipeline_arn(&patch.name, place)).await;
    let live = live.map_err(|error| match error {
        ReadError::Aws(error) => failures::aws(error),
        ReadError::Unreadable(failure) => failure,
    })?;
    let change = live.plan(&place.owner, &patch.desired, None)?;
    let pipeline = live.pipeline.as_value();
    let mut tags = live.tags.clone();
    tags.extend(change.tags_to_add);
    tags.retain(|key, _| !change.tags_to_remove.contains(key));
    Ok(Preview {
        what: format!("pipeline {}", patch.name),
        before: json!({"pipeline": pipeline, "tags": live.tags}),
        after: json!({"pipeline": change.pipeline.as_ref().unwrap_or(pipeline), "tags": tags}),
        size: None,
    })
}

fn after(change: Change, before: Option<&PolicyDocument>) -> Option<PolicyDocument> {
    match change {
        Change::None => before.cloned(),
        Change::Put(document) => Some(document),
        Change::Delete => None,
    }
}

fn value(document: Option<&PolicyDocument>) -> Value {
    document.map_or(Value::Null, PolicyDocument::to_value)
}
