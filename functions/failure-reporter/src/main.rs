//! The Lambda function that explains failed cross-account actions.
//!
//! # Layout
//! - `main.rs`: wiring
//! - `settings.rs`: the environment
//! - `failed_action.rs`: a failed action: look, diagnose, tell
//! - `watch.rs`: a change or a schedule: look at the pipelines that it concerns
//! - `alerts.rs`: where reports go
//!
//! What the facts mean is judged in `crosspipe-core`; how they are read is in `crosspipe-aws`.

mod alerts;
mod failed_action;
mod settings;
mod watch;

use std::time::{Duration, UNIX_EPOCH};

use crosspipe_aws::Aws;
use crosspipe_aws::lease::Leases;
use crosspipe_core::watch::Occasion;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use tracing_subscriber::EnvFilter;

use crate::failed_action::Reporter;
use crate::settings::Settings;
use crate::watch::Watch;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().json().with_env_filter(filter).without_time().init();

    let settings = Settings::from_environment(|name| std::env::var(name).ok())?;
    let aws = Aws::connect().await;
    let leases = Leases::new(&aws, settings.lock_table.clone());
    let reporter = Reporter::new(&aws, &leases, &settings);
    let watch = Watch::new(&aws, &leases, &settings);

    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        let deadline = UNIX_EPOCH + Duration::from_millis(event.context.deadline);
        let request_id = &event.context.request_id;
        if Occasion::is_about(&event.payload) {
            return watch.handle(&event.payload, request_id, deadline).await.map_err(Error::from);
        }
        reporter.handle(&event.payload, request_id, deadline).await.map_err(Error::from)
    }))
    .await
}
