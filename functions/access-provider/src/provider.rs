//! From a request to the resource type that serves it.

use crosspipe_aws::Aws;
use crosspipe_aws::lease::Leases;
use crosspipe_core::arn::Arn;
use crosspipe_custom_resource::{
    Deadline, Failure, Handler, Request, RequestType, Success, is_placeholder_id,
};

use crosspipe_resources::{BucketGrant, KeyGrant, PipelinePatch, ServiceRoleGrant, failures};

use crate::lifecycle;
use crate::scope::Scope;

/// Serves all four custom resources.
pub struct Provider<'a> {
    aws: &'a Aws,
    leases: &'a Leases,
    function_arn: &'a str,
}

impl<'a> Provider<'a> {
    /// `function_arn` tells the account and Region that the function works in.
    pub fn new(aws: &'a Aws, leases: &'a Leases, function_arn: &'a str) -> Self {
        Provider { aws, leases, function_arn }
    }
}

impl Handler for Provider<'_> {
    async fn handle(&self, request: &Request, deadline: Deadline) -> Result<Success, Failure> {
        // CloudFormation deletes what a failed Create answered, whatever the type or the properties were.
        if request.request_type() == RequestType::Delete
            && request.physical_id().is_none_or(is_placeholder_id)
        {
            return Ok(Success::new(request.physical_id().unwrap_or_default()));
        }
        let function = Arn::parse(self.function_arn).map_err(|error| {
            Failure::new(
                format!("the function's own ARN can't be read: {error}"),
                "deploy the function again",
            )
        })?;
        let scope = Scope::new(self.aws, self.leases, &function, request, deadline);
        match request.resource_type() {
            "Custom::ArtifactKeyGrant" => lifecycle::serve::<KeyGrant>(request, &scope).await,
            "Custom::ArtifactBucketGrant" => lifecycle::serve::<BucketGrant>(request, &scope).await,
            "Custom::ServiceRoleGrant" => lifecycle::serve::<ServiceRoleGrant>(request, &scope).await,
            "Custom::PipelinePatch" => lifecycle::serve::<PipelinePatch>(request, &scope).await,
            other => Err(failures::unknown_type(other)),
        }
    }
}
