//! The Lambda function that explains failed cross-account actions.
//!
//! # Layout
//! - `main.rs`: wiring
//! - `settings.rs`: the environment
//! - `failed_action.rs`: a failed action: look, diagnose, tell
//! - `remedy/`: what is ours is put back
//! - `alerts.rs`: where reports go
//! - `dead_letters.rs`: events that can't be read
//! - `metrics.rs`: what is measured
//!
//! What the facts mean is judged in `crosspipe-core`; how they are read is in `crosspipe-aws`.

mod alerts;
mod dead_letters;
mod failed_action;
mod metrics;
mod remedy;
mod settings;

use std::time::{Duration, UNIX_EPOCH};

use crosspipe_aws::Aws;
use crosspipe_aws::lease::Leases;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use tracing_subscriber::EnvFilter;

use crate::failed_action::Reporter;
use crate::settings::Settings;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().json().with_env_filter(filter).without_time().init();

    let settings = Settings::from_environment(|name| std::env::var(name).ok())?;
    let aws = Aws::connect().await;
    let leases = Leases::new(&aws, settings.lock_table.clone());
    let reporter = Reporter::new(&aws, &leases, &settings);

    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        let deadline = UNIX_EPOCH + Duration::from_millis(event.context.deadline);
        let (event, request_id) = (&event.payload, event.context.request_id.as_str());
        match (reporter.handle(event, request_id, deadline).await, &settings.dead_letter_queue_url) {
            // Lambda would try again, twice.
            (Err(error), Some(queue)) if error.is_final() => {
                dead_letters::keep(&aws, queue, event, request_id, &error.to_string()).await?;
                Ok(())
            }
            (outcome, _) => outcome.map_err(Error::from),
        }
    }))
    .await
}
