//! Applies again what is on record for a target, when something of it went missing.
//!
//! The same reading of properties, the same plans, writes and verification as for CloudFormation's requests. Whoever
//! asks names a target and nothing else.

use crosspipe_core::owner::Owner;
use crosspipe_core::remediation::{Reapplied, ReapplyRequest, ReapplyResponse, ResourceType};
use crosspipe_custom_resource::{Deadline, Failure};
use crosspipe_resources::{Operation, Resource, dispatch, failures};

use crate::converge::converge;
use crate::records::{Record, Records};
use crate::scope::Installation;

/// Carries out a request, until its own deadline or the invocation's.
pub(crate) async fn reapply(
    installation: Installation<'_>,
    request: &ReapplyRequest,
    request_id: &str,
    deadline: Deadline,
) -> ReapplyResponse {
    let deadline = deadline.min(Deadline::at_epoch_millis(request.deadline));
    let operation = Reapply { installation, target: &request.target.name, request_id, deadline };
    let work = dispatch(request.target.kind, operation);
    let (resources, error) = match tokio::time::timeout(deadline.remaining(), work).await {
        Ok(Ok(resources)) => (resources, None),
        Ok(Err(failure)) => (vec![], Some(failure_text(&failure))),
        Err(_) => (vec![], Some("it took too long and was stopped".to_owned())),
    };
    ReapplyResponse { resources, error }
}

struct Reapply<'a> {
    installation: Installation<'a>,
    target: &'a str,
    request_id: &'a str,
    deadline: Deadline,
}

impl Operation for Reapply<'_> {
    type Output = Result<Vec<Reapplied>, Failure>;

    async fn run<R: Resource>(self) -> Self::Output {
        // The request itself owns nothing.
        let nobody = Owner::new(self.installation.function_arn, self.request_id);
        let scope = self.installation.scope(nobody, self.request_id, self.deadline)?;
        let lease = scope.lease(&R::target_arn(self.target, &scope.context)).await?;
        let mut records = Records::open(lease, &scope.context.owner).await?;
        let mut done = Vec::new();
        for record in records.applied().cloned().collect::<Vec<_>>() {
            let (changed, error) = match self.one::<R>(&record, &mut records).await {
                Ok(changed) => (changed, None),
                Err(failure) => (false, Some(failure_text(&failure))),
            };
            let Record { stack_id, logical_resource_id: logical_id, .. } = record;
            tracing::info!(stack_id, logical_id, changed, error, "applied again");
            done.push(Reapplied { stack_id, logical_id, changed, error });
        }
        match records.close().await {
            Ok(()) => Ok(done),
            Err(error) => Err(Failure::new(
                format!("what was applied again is not on record: {error}"),
                "update the resources, which puts it on record",
            )),
        }
    }
}

impl Reapply<'_> {
    async fn one<R: Resource>(&self, record: &Record, records: &mut Records) -> Result<bool, Failure> {
        let request = record.to_request(self.request_id)?;
        let scope = self.installation.scope_of(&request, self.deadline)?;
        let resources = R::parse(request.properties(), &scope.context).map_err(failures::of_field)?;
        let resource = resources.into_iter().find(|resource| resource.target() == self.target);
        let is_type = ResourceType::of_cloudformation(request.resource_type()) == Some(R::TYPE);
        let Some(resource) = resource.filter(|_| is_type) else {
            let cause =
                format!("what is on record for {} `{}` is of something else", R::TYPE.name(), self.target);
            return Err(Failure::new(cause, "update the resource, which puts it on record again"));
        };
        records.set_owner(&scope.context.owner);
        let id = request.physical_id().unwrap_or_default();
        let converged = converge(&resource, records, (&request, id), &scope).await;
        let converged = converged.map_err(|error| error.failure)?;
        records.set_memories::<R>(&converged.memories);
        Ok(converged.changed)
    }
}

fn failure_text(failure: &Failure) -> String {
    format!("{}. Next: {}", failure.cause, failure.next_step)
}
