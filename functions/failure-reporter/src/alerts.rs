//! Who is told, once each: SNS topics for people and chats, a webhook, an event bus for machines.

use std::time::{Duration, SystemTime};

use crosspipe_aws::claim::{Claim, Claimed};
use crosspipe_aws::lease::Leases;
use crosspipe_aws::{Aws, AwsError};
use crosspipe_core::alert::{Alert, chat, email, event, slack};
use crosspipe_core::diagnosis::Report;
use crosspipe_core::watch::Notice;
use serde_json::Value;

use crate::settings::{Receiver, Settings};
use crate::webhook::{Webhook, WebhookError};

/// Source of the events that carry reports.
const SOURCE: &str = "crosspipe";

/// For how long what was told is not told again. EventBridge delivers for up to a day.
const REMEMBERED: Duration = Duration::from_secs(14 * 24 * 60 * 60);

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
pub struct Audience<'a> {
    /// One invocation at a time looks, mends and tells: of two that each had some of the receivers, the second
    /// would tell its own of a fault that the first has just mended.
    lead: Option<Claim>,
    claims: Vec<(Receiver<'a>, Claim)>,
    /// An earlier attempt at this same event is at it, or died over it. Nobody else will try again for it, while
    /// any other event that is at it is tried again by itself.
    pub unfinished: bool,
}

impl Audience<'_> {
    /// Whether there is nobody to tell.
    pub fn is_empty(&self) -> bool {
        self.claims.is_empty()
    }

    /// Nobody was told.
    pub async fn abandon(self) {
        for claim in self.claims.into_iter().map(|(_, claim)| claim).chain(self.lead) {
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
    pub async fn audience(&self, id: &str, invocation: Invocation<'_>) -> Result<Audience<'a>, AwsError> {
        let mut audience = Audience { lead: None, claims: vec![], unfinished: false };
        let begin =
            async |key: String| self.leases.begin(&key, invocation.request_id, invocation.deadline).await;
        match begin(format!("report:{id}")).await? {
            Claimed::Ours(lead) => audience.lead = Some(lead),
            Claimed::Done => return Ok(audience),
            Claimed::Busy(held) => {
                audience.unfinished = held.holder == invocation.request_id;
                return Ok(audience);
            }
        }
        for receiver in self.settings.receivers() {
            match begin(format!("report:{}:{id}", receiver.name())).await {
                Ok(Claimed::Ours(claim)) => audience.claims.push((receiver, claim)),
                Ok(Claimed::Done) => {}
                Ok(Claimed::Busy(held)) => audience.unfinished |= held.holder == invocation.request_id,
                Err(error) => {
                    audience.abandon().await;
                    return Err(error);
                }
            }
        }
        Ok(audience)
    }

    /// Tells all of them. One who can't be told keeps nobody else from being told, and is tried again with the
    /// next attempt at the event.
    ///
    /// # Errors
    /// When one of them could not be told.
    pub async fn tell(&self, audience: Audience<'_>, message: &Message) -> Result<(), AlertError> {
        // One that is still held by an attempt that died is told by the next.
        let mut all = !audience.unfinished;
        let mut outcome = Ok(());
        for (receiver, claim) in audience.claims {
            match self.send(receiver, message).await {
                Ok(()) => claim.finish(SystemTime::now() + REMEMBERED).await?,
                Err(error) => {
                    tracing::warn!(receiver = receiver.name(), %error, "this receiver was not told");
                    claim.abandon().await;
                    (all, outcome) = (false, Err(error));
                }
            }
        }
        match audience.lead {
            Some(lead) if all => lead.finish(SystemTime::now() + REMEMBERED).await?,
            Some(lead) => lead.abandon().await,
            None => {}
        }
        outcome
    }

    /// There is nothing to tell, and there will not be.
    ///
    /// # Errors
    /// When the lock table can't be written.
    pub async fn nothing_to_tell(&self, audience: Audience<'_>) -> Result<(), AlertError> {
        for claim in audience.claims.into_iter().map(|(_, claim)| claim).chain(audience.lead) {
            claim.finish(SystemTime::now() + REMEMBERED).await?;
        }
        Ok(())
    }

    /// Tells one receiver, whatever it has been told before.
    ///
    /// # Errors
    /// When it could not be told.
    pub async fn send(&self, receiver: Receiver<'_>, message: &Message) -> Result<(), AlertError> {
        let Message { alert, detail } = message;
        match receiver {
            Receiver::Topic(arn) => self.publish(arn, alert, &email::body(alert)).await?,
            Receiver::Chat(arn) => self.publish(arn, alert, &chat::message(alert).to_string()).await?,
            Receiver::Webhook(secret_arn) => {
                let webhook = self.webhook.ok_or(WebhookError::NoClient)?;
                webhook.post(self.aws, secret_arn, &slack::message(alert)).await?;
            }
            Receiver::Bus(name) => {
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
