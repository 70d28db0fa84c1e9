//! The Lambda function behind Crosspipe's custom resources.
//!
//! # Layout
//! - `main.rs`: wiring
//! - `provider.rs`: from a request to the resource type that serves it
//! - `lifecycle.rs`: what Create, Update and Delete mean for every type
//! - `registry.rs`: what each resource has applied, on record
//! - `reapply.rs`: what is on record, applied again when something of it went missing
//! - `scope.rs`: on whose behalf, where and until when a request is served
//! - `merge.rs`: read, plan, write, verify of one policy document
//! - `key_grant.rs`, `bucket_grant.rs`, `service_role_grant.rs`, `pipeline_patch.rs`: the writes of each type
//!
//! What the properties mean and what is to be written is in `crosspipe-resources` and `crosspipe-core`.

mod bucket_grant;
mod key_grant;
mod lifecycle;
mod merge;
mod pipeline_patch;
mod provider;
mod reapply;
mod registry;
mod scope;
mod service_role_grant;

use crosspipe_aws::Aws;
use crosspipe_aws::lease::Leases;
use crosspipe_core::remediation::ReapplyRequest;
use crosspipe_custom_resource::{Deadline, Responder, serve};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use tracing_subscriber::EnvFilter;

use crate::provider::Provider;
use crate::reapply::ReapplyHandler;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().json().with_env_filter(filter).without_time().init();

    let lock_table = std::env::var("LOCK_TABLE").ok().filter(|table| !table.is_empty());
    let lock_table = lock_table.ok_or("the environment variable LOCK_TABLE is missing: set it to the name of the lock table of template.yaml")?;
    let aws = Aws::connect().await;
    let leases = Leases::new(&aws, lock_table);
    let responder = Responder::new()?;

    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        let deadline = Deadline::at_epoch_millis(event.context.deadline);
        let function_arn = &event.context.invoked_function_arn;
        if let Some(order) = ReapplyRequest::from_event(&event.payload) {
            let request_id = &event.context.request_id;
            let mender = ReapplyHandler { aws: &aws, leases: &leases, function_arn, request_id, deadline };
            return Ok(serde_json::to_value(mender.carry_out(&order?).await)?);
        }
        let provider = Provider::new(&aws, &leases, function_arn);
        serve(event.payload, deadline, &provider, &responder).await?;
        Ok::<Value, Error>(Value::Null)
    }))
    .await
}
