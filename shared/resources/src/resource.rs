//! The life of a custom resource: read, plan, write, whatever its type.

use std::collections::BTreeMap;

use crosspipe_aws::{Aws, AwsError};
use crosspipe_core::field_error::FieldError;
use crosspipe_core::remediation::ResourceType;
use crosspipe_custom_resource::{Failure, Success};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::reference::{Attribute, Property};
use crate::{
    BucketGrant, BuildProjectKey, KeyGrant, PipelinePatch, ResourceContext, ServiceRoleGrant, failures,
};

/// What a custom resource wants at one target.
///
/// Reading changes nothing, planning does no IO, and a write sends what was planned from what was read for it.
pub trait Resource: Sized + Send + Sync {
    /// The type.
    const TYPE: ResourceType;
    /// What it does, for the reference.
    const DOES: &'static str;
    /// Its properties, its own and those that it shares: what is read, and what the reference says of it.
    const PROPERTIES: &'static [&'static [Property]];
    /// Its attributes, beside those that all have.
    const ATTRIBUTES: &'static [Attribute];
    /// What is read of the target.
    type Live: Send + Sync;
    /// What is written to it.
    type Change: PartialEq + Send + Sync;
    /// What an owner has replaced, which has to be on record to be put back; `()` where owners find what they wrote.
    type Memory: Clone + Default + PartialEq + Serialize + DeserializeOwned + Send + Sync;

    /// Reads and checks all properties. One value for each target.
    ///
    /// # Errors
    /// Names the property, its fault and the next step.
    fn parse(properties: &Map<String, Value>, context: &ResourceContext) -> Result<Vec<Self>, FieldError>;

    /// The same targets with nothing wanted there. Reads no more than it has to, so that Delete works even if other
    /// properties can't be read any more.
    ///
    /// # Errors
    /// When the targets can't be read.
    fn parse_absent(
        properties: &Map<String, Value>,
        context: &ResourceContext,
    ) -> Result<Vec<Self>, FieldError>;

    /// The target by name: a key by ARN, a bucket, role, project or pipeline by its name.
    fn target(&self) -> &str;

    /// The ARN of a target by its name; a role's without its path, which nobody knows here. Writers take turns on it.
    fn target_arn(target: &str, context: &ResourceContext) -> String;

    /// What stands for the targets in the physical id.
    fn physical_name(&self) -> &str {
        self.target()
    }

    /// Reads the target.
    fn read(
        &self,
        aws: &Aws,
        context: &ResourceContext,
    ) -> impl Future<Output = Result<Self::Live, ResourceError>> + Send;

    /// What has to be written. `memories` are what all owners have on record of the target.
    ///
    /// # Errors
    /// When AWS would refuse it, or what is wanted does not fit what is there.
    fn plan(
        &self,
        live: &Self::Live,
        memories: &Memories<Self>,
        context: &ResourceContext,
    ) -> Result<Plan<Self>, Failure>;

    /// Writes once, without a retry of what was planned. A remark where AWS's answer shows that somebody else wrote
    /// since the target was read.
    fn write(
        &self,
        aws: &Aws,
        context: &ResourceContext,
        live: &Self::Live,
        change: &Self::Change,
    ) -> impl Future<Output = Result<Option<String>, AwsError>> + Send;

    /// What follows once everything is in place. `changed` says whether something had to be written.
    fn finish(
        &self,
        _aws: &Aws,
        _request_id: &str,
        _changed: bool,
    ) -> impl Future<Output = Result<(), AwsError>> + Send {
        async { Ok(()) }
    }

    /// The attributes of the resource where everything is in place.
    fn attributes(&self, live: &Self::Live, context: &ResourceContext) -> Success;

    /// What is to know about a target of this kind, one sentence each.
    fn notices(&self, _live: &Self::Live) -> Vec<String> {
        Vec::new()
    }

    /// The target as it is and as the change makes it.
    fn preview(&self, live: &Self::Live, change: Option<&Self::Change>, context: &ResourceContext)
    -> Preview;

    /// The answer to a failed call.
    fn explain(&self, error: AwsError, _context: &ResourceContext) -> Failure {
        failures::of_aws(error)
    }
}

/// What each owner has replaced, by [`Owner::short`](crosspipe_core::owner::Owner::short).
pub type Memories<R> = BTreeMap<String, <R as Resource>::Memory>;

/// What has to be done, in this order: `during` is put on record, `change` is written, `after` is put on record.
pub struct Plan<R: Resource> {
    /// None where everything is in place.
    pub change: Option<R::Change>,
    /// What all owners have on record during the write.
    pub during: Memories<R>,
    /// What all owners have on record after it.
    pub after: Memories<R>,
    /// What was left alone and why, one sentence each.
    pub remarks: Vec<String>,
}

impl<R: Resource> Plan<R> {
    /// A change of which nothing has to be on record.
    pub fn without_memory(change: Option<R::Change>, memories: &Memories<R>) -> Self {
        Plan { change, during: memories.clone(), after: memories.clone(), remarks: Vec::new() }
    }
}

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

/// Why a target can't be read or changed.
#[derive(Debug)]
pub enum ResourceError {
    /// A call failed.
    Aws(AwsError),
    /// Anything else, ready to be answered.
    Failure(Failure),
}

impl From<AwsError> for ResourceError {
    fn from(error: AwsError) -> Self {
        ResourceError::Aws(error)
    }
}

impl From<Failure> for ResourceError {
    fn from(failure: Failure) -> Self {
        ResourceError::Failure(failure)
    }
}

/// What is done with custom resources of any type.
pub trait Operation: Send {
    /// What comes of it.
    type Output;

    /// Does it for resources of this type.
    fn run<R: Resource>(self) -> impl Future<Output = Self::Output> + Send;
}

/// Does it for resources of the type that is given. The only place that leads from a type to its code.
pub async fn dispatch<O: Operation>(resource_type: ResourceType, operation: O) -> O::Output {
    match resource_type {
        ResourceType::ArtifactKeyGrant => operation.run::<KeyGrant>().await,
        ResourceType::ArtifactBucketGrant => operation.run::<BucketGrant>().await,
        ResourceType::ServiceRoleGrant => operation.run::<ServiceRoleGrant>().await,
        ResourceType::BuildProjectKey => operation.run::<BuildProjectKey>().await,
        ResourceType::PipelinePatch => operation.run::<PipelinePatch>().await,
    }
}

/// What a custom resource would change if it were created, or updated to these properties: one preview for each
/// target.
///
/// # Errors
/// The failure that CloudFormation would be answered.
pub async fn preview(
    aws: &Aws,
    resource_type: ResourceType,
    properties: &Map<String, Value>,
    context: &ResourceContext,
) -> Result<Vec<Preview>, Failure> {
    struct Previews<'a>(&'a Aws, &'a Map<String, Value>, &'a ResourceContext);
    impl Operation for Previews<'_> {
        type Output = Result<Vec<Preview>, Failure>;

        async fn run<R: Resource>(self) -> Self::Output {
            let Previews(aws, properties, context) = self;
            let mut previews = Vec::new();
            for resource in R::parse(properties, context).map_err(failures::of_field)? {
                let live = resource.read(aws, context).await.map_err(|error| match error {
                    ResourceError::Aws(error) => resource.explain(error, context),
                    ResourceError::Failure(failure) => failure,
                })?;
                // What is on record is the function's to read; an owner that is new has nothing there.
                let plan = resource.plan(&live, &Memories::<R>::new(), context)?;
                previews.push(resource.preview(&live, plan.change.as_ref(), context));
            }
            Ok(previews)
        }
    }
    dispatch(resource_type, Previews(aws, properties, context)).await
}
