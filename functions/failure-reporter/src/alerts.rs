//! Where reports go: an SNS topic for people, an event bus for machines.

use std::collections::BTreeMap;

use crosspipe_aws::{Aws, AwsError};
use crosspipe_core::alert::{Alert, email};
use crosspipe_core::diagnosis::Report;
use serde_json::Value;

use crate::settings::Receiver;

/// Source and type of the event that carries a report.
const SOURCE: &str = "crosspipe";
const DETAIL_TYPE: &str = "Crosspipe Failure Report";

/// Sends a report to one receiver.
pub async fn send(aws: &Aws, receiver: Receiver<'_>, report: &Report) -> Result<(), AwsError> {
    match receiver {
        Receiver::Topic(arn) => {
            // For subscription filters.
            let attributes = BTreeMap::from([
                ("pipeline".to_owned(), report.pipeline.clone()),
                ("targetAccount".to_owned(), report.target_account.clone()),
            ]);
            let alert = Alert::from(report);
            aws.sns().publish(arn, &email::subject(&alert), &email::body(&alert), &attributes).await?;
        }
        Receiver::Bus(name) => {
            let detail = serde_json::to_value(report).unwrap_or(Value::Null);
            aws.eventbridge().put_event(name, SOURCE, DETAIL_TYPE, &detail, &[]).await?;
        }
    }
    Ok(())
}
