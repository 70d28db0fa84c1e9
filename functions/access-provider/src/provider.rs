//! A request of CloudFormation, served.

use crosspipe_core::remediation::ResourceType;
use crosspipe_custom_resource::{
    Deadline, Failure, Handler, Request, RequestType, Success, is_placeholder_id,
};
use crosspipe_resources::{Operation, Resource, dispatch, failures};

use crate::scope::{Installation, Scope};
use crate::{lifecycle, request_check};

/// Serves all custom resources.
pub(crate) struct Provider<'a>(pub Installation<'a>);

impl Handler for Provider<'_> {
    async fn handle(&self, request: &Request, deadline: Deadline) -> Result<Success, Failure> {
        // CloudFormation deletes what a failed Create answered, whatever the type or the properties were.
        if request.request_type() == RequestType::Delete
            && request.physical_id().is_none_or(is_placeholder_id)
        {
            return Ok(Success::new(request.physical_id().unwrap_or_default()));
        }
        let resource_type = ResourceType::of_cloudformation(request.resource_type())
            .ok_or_else(|| failures::unknown_type(request.resource_type()))?;
        let scope = self.0.scope_of(request, deadline)?;
        request_check::check(request, &scope).await?;
        dispatch(resource_type, Serve { request, scope: &scope }).await
    }
}

struct Serve<'a> {
    request: &'a Request,
    scope: &'a Scope<'a>,
}

impl Operation for Serve<'_> {
    type Output = Result<Success, Failure>;

    async fn run<R: Resource>(self) -> Self::Output {
        match self.request.request_type() {
            RequestType::Delete => lifecycle::delete_request::<R>(self.request, self.scope).await,
            RequestType::Create | RequestType::Update => {
                lifecycle::apply_request::<R>(self.request, self.scope).await
            }
        }
    }
}
