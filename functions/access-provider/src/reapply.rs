//! Applies again what is on record for a target, when something of it went missing.
//!
//! The same reading of properties, the same plans, writes and verification as for CloudFormation's requests. Whoever
//! asks names a target and nothing else.

use crosspipe_aws::Aws;
use crosspipe_aws::lease::Leases;
use crosspipe_core::arn::Arn;
use crosspipe_core::owner::Owner;
use crosspipe_core::remediation::{Reapplied, ReapplyRequest, ReapplyResponse, ResourceType};
use crosspipe_custom_resource::{Deadline, Failure, Request};
use crosspipe_resources::{BucketGrant, KeyGrant, PipelinePatch, ResourceContext, ServiceRoleGrant};

use crate::lifecycle::Write;
use crate::registry;
use crate::scope::{self, Scope};

/// Carries out orders in one invocation.
pub struct ReapplyHandler<'a> {
    /// The clients.
    pub aws: &'a Aws,
    /// The leases, with what is on record.
    pub leases: &'a Leases,
    /// The function's ARN, which tells the account and Region it works in.
    pub function_arn: &'a str,
    /// The invocation's id.
    pub request_id: &'a str,
    /// The invocation's end.
    pub deadline: Deadline,
}

impl ReapplyHandler<'_> {
    /// Carries out an order, until its own deadline or the invocation's.
    pub async fn carry_out(&self, order: &ReapplyRequest) -> ReapplyResponse {
        let deadline = self.deadline.min(Deadline::at_epoch_millis(order.deadline));
        let name = &order.target.name;
        let work = async {
            match order.target.kind {
                ResourceType::ArtifactKeyGrant => self.reapply::<KeyGrant>(name, deadline).await,
                ResourceType::ArtifactBucketGrant => self.reapply::<BucketGrant>(name, deadline).await,
                ResourceType::ServiceRoleGrant => self.reapply::<ServiceRoleGrant>(name, deadline).await,
                ResourceType::PipelinePatch => self.reapply::<PipelinePatch>(name, deadline).await,
            }
        };
        match tokio::time::timeout(deadline.remaining(), work).await {
            Ok(Ok(resources)) => ReapplyResponse { resources, error: None },
            Ok(Err(failure)) => ReapplyResponse { resources: vec![], error: Some(text(&failure)) },
            Err(_) => ReapplyResponse {
                resources: vec![],
                error: Some("it took too long and was stopped".to_owned()),
            },
        }
    }

    async fn reapply<R: Write>(&self, name: &str, deadline: Deadline) -> Result<Vec<Reapplied>, Failure> {
        let unusable = |error| {
            Failure::new(format!("`{name}` is no {} target: {error}", R::NAME), "name a target that exists")
        };
        let function = Arn::parse(self.function_arn).map_err(unusable)?;
        // The order itself owns nothing.
        let place = ResourceContext::of(&function, Owner::new(self.function_arn, self.request_id));
        let target = Arn::parse(&R::target_arn(name, &place)).map_err(unusable)?;
        let lease = scope::lease(self.leases, target.as_str(), self.function_arn, deadline).await?;
        let mut done = Vec::new();
        for request in registry::requests(&lease, self.request_id) {
            let reapplied = match request {
                Ok(request) => self.one::<R>(name, &request, &function, deadline).await,
                Err(failure) => Reapplied {
                    stack_id: String::new(),
                    logical_id: String::new(),
                    changed: false,
                    error: Some(text(&failure)),
                },
            };
            done.push(reapplied);
        }
        lease.release().await;
        Ok(done)
    }

    async fn one<R: Write>(
        &self,
        name: &str,
        request: &Request,
        function: &Arn,
        deadline: Deadline,
    ) -> Reapplied {
        let scope = Scope::new(self.aws, self.leases, function, request, deadline);
        let outcome = apply::<R>(name, request, &scope).await;
        let (changed, error) = match outcome {
            Ok(changed) => (changed, None),
            Err(failure) => (false, Some(text(&failure))),
        };
        let (stack_id, logical_id) = (request.stack_id().to_owned(), request.logical_id().to_owned());
        tracing::info!(stack_id, logical_id, changed, error, "applied again");
        Reapplied { stack_id, logical_id, changed, error }
    }
}

async fn apply<R: Write>(name: &str, request: &Request, scope: &Scope<'_>) -> Result<bool, Failure> {
    let target = R::target(request.properties(), &scope.place)?;
    if request.resource_type().strip_prefix("Custom::") != Some(R::NAME) || R::target_name(&target) != name {
        let cause = format!("what is on record for {} `{name}` is of something else", R::NAME);
        return Err(Failure::new(cause, "update the resource, which puts it on record again"));
    }
    let resource = R::parse(request.properties(), &scope.place)?;
    let applied = resource.apply(None, scope).await.map_err(|stopped| stopped.failure)?;
    Ok(applied.changed)
}

fn text(failure: &Failure) -> String {
    format!("{}. Next: {}", failure.cause, failure.next_step)
}
