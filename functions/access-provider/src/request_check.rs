//! Whether a request is one that CloudFormation waits for.
//!
//! Whoever may invoke the function can send it anything. A request counts only while its stack is being changed and
//! has this resource; what is forged, repeated or late changes nothing.

use crosspipe_aws::AwsError;
use crosspipe_core::arn::Arn;
use crosspipe_custom_resource::{Failure, Request, RequestType};
use crosspipe_resources::failures;
use futures_util::future::try_join;
use std::time::Duration;

use crate::scope::{Scope, is_denied_to_fresh_role};

/// How long CloudFormation's answers may lag behind what it does.
const LAG: Duration = Duration::from_secs(5);

/// Refuses a request that CloudFormation does not wait for.
///
/// # Errors
/// Says what of stack or resource does not fit the request.
pub(crate) async fn check(request: &Request, scope: &Scope<'_>) -> Result<(), Failure> {
    let refuse = |problem: String| {
        let cause =
            format!("this is no request that CloudFormation waits for: {problem}; nothing was changed");
        Failure::new(cause, "have CloudFormation create, update or delete the resource")
    };
    let context = &scope.context;
    let stack = Arn::parse(request.stack_id()).map_err(|error| refuse(format!("`StackId`: {error}")))?;
    if (stack.service(), stack.account(), stack.region())
        != ("cloudformation", context.account.as_str(), context.region.as_str())
    {
        let (account, region) = (&context.account, &context.region);
        return Err(refuse(format!("`StackId` is not a stack of account {account} in {region}")));
    }
    let started = std::time::Instant::now();
    let mut pauses = crosspipe_aws::backoff(Duration::from_millis(200), Duration::from_secs(2));
    loop {
        let failure = match problem_of(request, scope).await {
            Ok(None) => return Ok(()),
            Ok(Some(problem)) if started.elapsed() > LAG => return Err(refuse(problem)),
            Ok(Some(problem)) => refuse(problem),
            Err(error) if is_denied_to_fresh_role(&error) => failures::of_aws(error),
            Err(error) => return Err(failures::of_aws(error)),
        };
        if !scope.pause(&mut pauses).await {
            return Err(failure);
        }
    }
}

/// What speaks against the request; none where nothing does.
async fn problem_of(request: &Request, scope: &Scope<'_>) -> Result<Option<String>, AwsError> {
    let cloudformation = scope.aws.cloudformation();
    let (stack_id, logical_id) = (request.stack_id(), request.logical_id());
    let (status, resource) =
        try_join(cloudformation.stack_status(stack_id), cloudformation.stack_resource(stack_id, logical_id))
            .await?;
    let Some(status) = status else { return Ok(Some("the stack does not exist".to_owned())) };
    if !status.ends_with("_IN_PROGRESS") || status == "REVIEW_IN_PROGRESS" {
        return Ok(Some(format!("the stack is {status}")));
    }
    let deletes = request.request_type() == RequestType::Delete;
    let Some(resource) = resource else {
        // The last that CloudFormation does with a resource may be to forget it.
        return Ok((!deletes).then(|| format!("the stack has no resource `{logical_id}`")));
    };
    if resource.resource_type != request.resource_type() {
        return Ok(Some(format!("`{logical_id}` is of type {}", resource.resource_type)));
    }
    let gone = !deletes && resource.status.starts_with("DELETE_");
    Ok(gone.then(|| format!("`{logical_id}` is {}", resource.status)))
}
