//! Sends alerts, once to each destination: SNS topics for people and chats, a webhook, an event bus.

use std::time::SystemTime;

use crosspipe_aws::idempotency::{Claimed, IdempotencyClaim, REMEMBERED};
use crosspipe_aws::lease::Leases;
use crosspipe_aws::{Aws, AwsError};
use crosspipe_core::alerts::{Alert, chat, email, event, slack};
use crosspipe_core::arn::Arn;
use crosspipe_core::diagnosis::Report;
use crosspipe_core::watch::Notice;
use futures_util::future::join_all;
use serde_json::Value;

use crate::settings::{Destination, Settings};
use crate::webhook::{Webhook, WebhookError};

/// Source of the events that carry reports.
const SOURCE: &str = "crosspipe";

/// An alert, and the detail of the event that goes to the event bus.
#[derive(Debug)]
pub(crate) struct Message {
    alert: Alert,
    detail: Value,
}

impl From<&Report> for Message {
    fn from(report: &Report) -> Self {
        Message { alert: report.into(), detail: event::fit_detail(report) }
    }
}

impl From<&Notice> for Message {
    fn from(notice: &Notice) -> Self {
        Message { alert: notice.into(), detail: event::fit_detail(notice) }
    }
}

impl From<Alert> for Message {
    fn from(alert: Alert) -> Self {
        Message { detail: event::fit_detail(&alert), alert }
    }
}

/// Why a destination could not be notified.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum AlertError {
    /// AWS refused it.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The webhook refused it.
    #[error(transparent)]
    Webhook(#[from] WebhookError),
}

/// The Lambda invocation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Invocation<'a> {
    /// The function's ARN, which has its account and Region.
    pub(crate) function_arn: &'a str,
    /// Lambda's id of the request, the same for each attempt at one event.
    pub request_id: &'a str,
    /// When it is cut off.
    pub deadline: SystemTime,
    /// The `time` of its event, ISO 8601, if the event has one.
    pub happened: Option<&'a str>,
}

impl Invocation<'_> {
    /// The function's account, 12 digits.
    pub(crate) fn own_account(&self) -> String {
        Arn::parse(self.function_arn).map(|own| own.account().to_owned()).unwrap_or_default()
    }

    /// Whether this account and Region are the function's own.
    pub(crate) fn is_own_place(&self, (account, region): (&str, &str)) -> bool {
        Arn::parse(self.function_arn).is_ok_and(|own| own.account() == account && own.region() == region)
    }
}

/// The destinations that one alert has still to be sent to, claimed by this invocation.
#[derive(Debug)]
pub(crate) struct DeliveryClaim<'a> {
    /// One invocation at a time diagnoses, remediates and notifies. Of two that each had some of the destinations,
    /// the second would alert of what the first has just remediated. None where the alert was sent, or another
    /// invocation is sending it.
    claim: Option<IdempotencyClaim>,
    destinations: Vec<Destination<'a>>,
    /// An earlier attempt at this same event holds the claim, or died with it. Only this event's next attempt can
    /// finish it, so this one has to fail.
    pub unfinished: bool,
}

impl DeliveryClaim<'_> {
    /// Whether there is nothing to send.
    pub(crate) fn is_empty(&self) -> bool {
        self.claim.is_none()
    }

    /// Gives the claim back: nothing was sent.
    pub(crate) async fn abandon(self) {
        if let Some(claim) = self.claim {
            claim.abandon().await;
        }
    }
}

/// Sends alerts to the destinations of the settings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Alerts<'a> {
    aws: &'a Aws,
    leases: &'a Leases,
    settings: &'a Settings,
    webhook: Option<&'a Webhook>,
}

impl<'a> Alerts<'a> {
    /// A sender for the destinations of these settings.
    pub(crate) fn new(
        aws: &'a Aws,
        leases: &'a Leases,
        settings: &'a Settings,
        webhook: Option<&'a Webhook>,
    ) -> Self {
        Alerts { aws, leases, settings, webhook }
    }

    /// Claims the destinations that the alert with this id was not sent to, and is not being sent to.
    ///
    /// # Errors
    /// When the lock table can't be written.
    pub(crate) async fn claim_deliveries(
        &self,
        id: &str,
        invocation: Invocation<'_>,
    ) -> Result<DeliveryClaim<'a>, AwsError> {
        let mut claimed = DeliveryClaim { claim: None, destinations: vec![], unfinished: false };
        match self.leases.begin(&format!("report:{id}"), invocation.request_id, invocation.deadline).await? {
            Claimed::Ours(claim) => {
                let destinations = self.settings.destinations();
                claimed
                    .destinations
                    .extend(destinations.filter(|destination| !claim.has_done(destination.name())));
                claimed.claim = Some(claim);
            }
            Claimed::Done => {}
            Claimed::Busy(held) => claimed.unfinished = held.holder == invocation.request_id,
        }
        Ok(claimed)
    }

    /// Notifies all claimed destinations. One that can't be notified stops no other, and is tried again with the next
    /// attempt at the event. After a crash between sending and recording, an alert is sent twice rather than never.
    ///
    /// # Errors
    /// When a destination could not be notified, or the lock table can't be written.
    pub(crate) async fn notify(
        &self,
        deliveries: DeliveryClaim<'_>,
        message: &Message,
    ) -> Result<(), AlertError> {
        let sent = deliveries.destinations.iter().map(|destination| self.send(*destination, message));
        let outcomes = join_all(sent).await;
        let (mut notified, mut failed) = (vec![], Ok(()));
        for (destination, outcome) in deliveries.destinations.iter().zip(outcomes) {
            match outcome {
                Ok(()) => notified.push(destination.name()),
                Err(error) => {
                    tracing::warn!(destination = destination.name(), %error, "this destination was not notified");
                    failed = Err(error);
                }
            }
        }
        let Some(claim) = deliveries.claim else { return failed };
        let kept_until = SystemTime::now() + REMEMBERED;
        let recorded = match &failed {
            Ok(()) => claim.finish(kept_until).await,
            Err(_) => claim.leave(&notified, kept_until).await,
        };
        failed.and(recorded.map_err(AlertError::from))
    }

    /// Records that this failure needs no alert.
    ///
    /// # Errors
    /// When the lock table can't be written.
    pub(crate) async fn finish_without_alert(&self, deliveries: DeliveryClaim<'_>) -> Result<(), AlertError> {
        let Some(claim) = deliveries.claim else { return Ok(()) };
        Ok(claim.finish(SystemTime::now() + REMEMBERED).await?)
    }

    /// Notifies one destination, whatever was sent to it before.
    ///
    /// # Errors
    /// When it could not be notified.
    pub(crate) async fn send(
        &self,
        destination: Destination<'_>,
        message: &Message,
    ) -> Result<(), AlertError> {
        let Message { alert, detail } = message;
        match destination {
            Destination::Topic(arn) => self.publish(arn, alert, &email::body(alert)).await?,
            Destination::Chat(arn) => self.publish(arn, alert, &chat::message(alert).to_string()).await?,
            Destination::Webhook(secret_arn) => {
                let webhook = self.webhook.ok_or(WebhookError::NoClient)?;
                webhook.post(self.aws, secret_arn, &slack::message(alert)).await?;
            }
            Destination::Bus(name) => {
                let events = self.aws.eventbridge();
                events.put_event(name, SOURCE, alert.kind.detail_type(), detail, &alert.resources).await?;
            }
        }
        Ok(())
    }

    async fn publish(&self, topic_arn: &str, alert: &Alert, text: &str) -> Result<(), AwsError> {
        // For subscription filters.
        let attributes = alert.attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        self.aws.sns().publish(topic_arn, &email::subject(alert), text, &attributes.collect()).await?;
        Ok(())
    }
}
