//! Who is told, once each: SNS topics for people and chats, a webhook, an event bus for machines.

use std::time::SystemTime;

use crosspipe_aws::idempotency::{Claimed, IdempotencyClaim, REMEMBERED};
use crosspipe_aws::lease::Leases;
use crosspipe_aws::{Aws, AwsError};
use crosspipe_core::alerts::{Alert, chat, email, event, slack};
use crosspipe_core::diagnosis::Report;
use crosspipe_core::watch::Notice;
use futures_util::future::join_all;
use serde_json::Value;

use crate::settings::{Destination, Settings};
use crate::webhook::{Webhook, WebhookError};

/// Source of the events that carry reports.
const SOURCE: &str = "crosspipe";

/// What is told: the same to everybody, but machines get it with every detail.
#[derive(Debug)]
pub struct Message {
    alert: Alert,
    detail: Value,
}

impl From<&Report> for Message {
    fn from(report: &Report) -> Self {
        Message { alert: report.into(), detail: event::detail(report) }
    }
}

impl From<&Notice> for Message {
    fn from(notice: &Notice) -> Self {
        Message { alert: notice.into(), detail: event::detail(notice) }
    }
}

impl From<Alert> for Message {
    fn from(alert: Alert) -> Self {
        Message { detail: event::detail(&alert), alert }
    }
}

/// Why somebody could not be told.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AlertError {
    /// AWS did not take it.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The webhook did not take it.
    #[error(transparent)]
    Webhook(#[from] WebhookError),
}

/// The invocation that tells.
#[derive(Debug, Clone, Copy)]
pub struct Invocation<'a> {
    /// Lambda's id of the request, the same for each attempt at one event.
    pub request_id: &'a str,
    /// When it ends.
    pub deadline: SystemTime,
    /// When what its event tells of happened, if the event says so: ISO 8601.
    pub happened: Option<&'a str>,
}

/// Those who are still to be told of one thing.
#[derive(Debug)]
pub struct DeliveryClaim<'a> {
    /// One invocation at a time looks, mends and tells: of two that each had some of the receivers, the second
    /// would tell its own of a fault that the first has just mended. None where it is told, or being told.
    claim: Option<IdempotencyClaim>,
    receivers: Vec<Destination<'a>>,
    /// An earlier attempt at this same event is at it, or died over it. Nobody else will try again for it, while
    /// any other event that is at it is tried again by itself.
    pub unfinished: bool,
}

impl DeliveryClaim<'_> {
    /// Whether there is nobody to tell.
    pub fn is_empty(&self) -> bool {
        self.claim.is_none()
    }

    /// Nobody was told.
    pub async fn abandon(self) {
        if let Some(claim) = self.claim {
            claim.abandon().await;
        }
    }
}

/// The receivers of alerts.
#[derive(Debug, Clone, Copy)]
pub struct Alerts<'a> {
    aws: &'a Aws,
    leases: &'a Leases,
    settings: &'a Settings,
    webhook: Option<&'a Webhook>,
}

impl<'a> Alerts<'a> {
    /// The receivers of these settings.
    pub fn new(
        aws: &'a Aws,
        leases: &'a Leases,
        settings: &'a Settings,
        webhook: Option<&'a Webhook>,
    ) -> Self {
        Alerts { aws, leases, settings, webhook }
    }

    /// Those who neither have been told of what has this id nor are just being told.
    ///
    /// # Errors
    /// When the lock table can't be written.
    pub async fn audience(
        &self,
        id: &str,
        invocation: Invocation<'_>,
    ) -> Result<DeliveryClaim<'a>, AwsError> {
        let mut audience = DeliveryClaim { claim: None, receivers: vec![], unfinished: false };
        match self.leases.begin(&format!("report:{id}"), invocation.request_id, invocation.deadline).await? {
            Claimed::Ours(claim) => {
                let receivers = self.settings.receivers();
                audience.receivers.extend(receivers.filter(|receiver| !claim.has_done(receiver.name())));
                audience.claim = Some(claim);
            }
            Claimed::Done => {}
            Claimed::Busy(held) => audience.unfinished = held.holder == invocation.request_id,
        }
        Ok(audience)
    }

    /// Tells all of them. One who can't be told keeps nobody else from being told, and is tried again with the
    /// next attempt at the event. A crash between telling and remembering tells twice rather than never.
    ///
    /// # Errors
    /// When one of them could not be told, or that all were can't be remembered.
    pub async fn tell(&self, audience: DeliveryClaim<'_>, message: &Message) -> Result<(), AlertError> {
        let sent = audience.receivers.iter().map(|receiver| self.send(*receiver, message));
        let outcomes = join_all(sent).await;
        let (mut told, mut failed) = (vec![], Ok(()));
        for (receiver, outcome) in audience.receivers.iter().zip(outcomes) {
            match outcome {
                Ok(()) => told.push(receiver.name()),
                Err(error) => {
                    tracing::warn!(receiver = receiver.name(), %error, "this receiver was not told");
                    failed = Err(error);
                }
            }
        }
        let Some(claim) = audience.claim else { return failed };
        let keep_until = SystemTime::now() + REMEMBERED;
        let remembered = match &failed {
            Ok(()) => claim.finish(keep_until).await,
            Err(_) => claim.leave(&told, keep_until).await,
        };
        failed.and(remembered.map_err(AlertError::from))
    }

    /// There is nothing to tell, and there will not be.
    ///
    /// # Errors
    /// When the lock table can't be written.
    pub async fn nothing_to_tell(&self, audience: DeliveryClaim<'_>) -> Result<(), AlertError> {
        let Some(claim) = audience.claim else { return Ok(()) };
        Ok(claim.finish(SystemTime::now() + REMEMBERED).await?)
    }

    /// Tells one receiver, whatever it has been told before.
    ///
    /// # Errors
    /// When it could not be told.
    pub async fn send(&self, receiver: Destination<'_>, message: &Message) -> Result<(), AlertError> {
        let Message { alert, detail } = message;
        match receiver {
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
