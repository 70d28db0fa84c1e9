//! The Lambda function that explains failed cross-account actions.
//!
//! # Layout
//! - `main.rs`: wiring
//! - `settings.rs`: the environment
//! - `incoming.rs`: finds out which actions failed, from each kind of event
//! - `failed_action.rs`: a failed action: read, diagnose, remediate, notify
//! - `remediation/`: the access provider is asked to apply its grants again
//! - `watch.rs`: a change or a schedule: checks the pipelines that it concerns
//! - `alerts.rs`: sends alerts, once to each destination
//! - `webhook.rs`: posts to an incoming webhook as Slack has them
//! - `dead_letters.rs`: events that can't be processed
//! - `metrics.rs`: CloudWatch metrics, as log lines
//!
//! What the facts mean is judged in `crosspipe-core`; how they are read is in `crosspipe-aws`.

mod alerts;
mod dead_letters;
mod failed_action;
mod incoming;
mod metrics;
mod remediation;
mod settings;
mod watch;
mod webhook;

use std::time::{Duration, UNIX_EPOCH};

use crosspipe_aws::Aws;
use crosspipe_aws::lease::Leases;
use crosspipe_core::watch::WatchEvent;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

use crate::alerts::{Alerts, Invocation};
use crate::failed_action::{ReportError, Reporter};
use crate::settings::Settings;
use crate::watch::{Watch, WatchError};
use crate::webhook::Webhook;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    crosspipe_logging::init();

    let settings = Settings::from_environment(|name| std::env::var(name).ok())?;
    let aws = Aws::connect().await;
    let leases = Leases::new(&aws, settings.lock_table.clone());
    let webhook = settings.webhook_secret_arn.as_ref().map(|_| Webhook::new()).transpose()?;
    let alerts = Alerts::new(&aws, &leases, &settings, webhook.as_ref());
    let reporter = Reporter::new(&aws, &leases, alerts, &settings);
    let watch = Watch::new(&aws, &leases, alerts, &settings);

    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        let deadline = UNIX_EPOCH + Duration::from_millis(event.context.deadline);
        let (function_arn, request_id) = (&*event.context.invoked_function_arn, &*event.context.request_id);
        let event = &event.payload;
        let happened = event.get("time").and_then(Value::as_str);
        let invocation = Invocation { function_arn, request_id, deadline, happened };
        let (outcome, is_final) = if WatchEvent::is_watch_event(event) {
            let outcome = watch.handle(event, invocation).await;
            let is_final = outcome.as_ref().is_err_and(WatchError::is_final);
            (outcome.map_err(Error::from), is_final)
        } else {
            let outcome = reporter.handle(event, invocation).await;
            let is_final = outcome.as_ref().is_err_and(ReportError::is_final);
            (outcome.map_err(Error::from), is_final)
        };
        match (outcome, &settings.dead_letter_queue_url) {
            // Lambda would try again, twice.
            (Err(error), Some(queue)) if is_final => {
                dead_letters::send_to_queue(&aws, queue, event, request_id, &error.to_string()).await?;
                Ok(())
            }
            (outcome, _) => outcome,
        }
    }))
    .await
}
