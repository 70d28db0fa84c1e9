//! The Lambda function behind Crosspipe's custom resources.
//!
//! # Layout
//! - `main.rs`: wiring
//! - `provider.rs`: a request of CloudFormation, served
//! - `request_check.rs`: whether a request is one that CloudFormation waits for
//! - `lifecycle.rs`: what Create, Update and Delete mean for every type
//! - `converge.rs`: read, plan, write, until there is nothing left to write
//! - `records.rs`: what each resource has applied and replaced, on record
//! - `reapply.rs`: what is on record, applied again when something of it went missing
//! - `scope.rs`: on whose behalf, where and until when a request is served
//!
//! What each type reads, plans and writes is in `crosspipe-resources` and `crosspipe-core`.

mod converge;
mod lifecycle;
mod provider;
mod reapply;
mod records;
mod request_check;
mod scope;

use crosspipe_aws::Aws;
use crosspipe_aws::lease::Leases;
use crosspipe_core::remediation::ReapplyRequest;
use crosspipe_custom_resource::{Deadline, Responder, serve};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

use crate::provider::Provider;
use crate::scope::{Installation, read_allowed};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    crosspipe_logging::init();

    let lock_table = std::env::var("LOCK_TABLE").ok().filter(|table| !table.is_empty());
    let lock_table = lock_table.ok_or("the environment variable LOCK_TABLE is missing: set it to the name of the lock table of template.yaml")?;
    let aws = Aws::connect().await;
    let leases = Leases::new(&aws, lock_table);
    let allowed = read_allowed(|name| std::env::var(name).ok());
    let responder = Responder::new()?;

    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        let deadline = Deadline::at_epoch_millis(event.context.deadline);
        let function_arn = &event.context.invoked_function_arn;
        let installation = Installation { aws: &aws, leases: &leases, allowed: &allowed, function_arn };
        if let Some(request) = ReapplyRequest::from_event(&event.payload) {
            let response =
                reapply::reapply(installation, &request?, &event.context.request_id, deadline).await;
            return Ok(serde_json::to_value(response)?);
        }
        serve(event.payload, deadline, &Provider(installation), &responder).await?;
        Ok::<Value, Error>(Value::Null)
    }))
    .await
}
