//! The Lambda function behind Crosspipe's custom resources.
//!
//! # Layout
//! - `main.rs`: wiring
//! - `provider.rs`: from a request to the resource type that serves it
//! - `lifecycle.rs`: what Create, Update and Delete mean for every type
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
mod scope;
mod service_role_grant;

use crosspipe_aws::Aws;
use crosspipe_aws::lease::Leases;
use crosspipe_custom_resource::{Deadline, Responder, serve};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use tracing_subscriber::EnvFilter;

use crate::provider::Provider;

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
        let provider = Provider::new(&aws, &leases, &event.context.invoked_function_arn);
        serve(event.payload, deadline, &provider, &responder).await.map(drop).map_err(Error::from)
    }))
    .await
}
