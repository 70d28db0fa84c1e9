//! A subscriber to SNS topics, and a webhook, over HTTP on 127.0.0.1.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Account, CallError};
use crate::{SetupError, http, loopback};

/// Confirms its subscriptions and keeps what it is notified of.
///
/// What is posted to it directly, as to a webhook, it keeps as a notification.
///
/// Messages are in the form that SNS posts: <https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>
#[derive(Debug)]
pub struct Subscriber {
    port: u16,
    inbox: Arc<Inbox>,
}

#[derive(Debug, Default)]
struct Inbox {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    notifications: Vec<Value>,
    confirmations: usize,
}

impl Subscriber {
    /// Listens on a free port until the process ends.
    ///
    /// # Errors
    ///
    /// When there is no port to listen on.
    pub fn start() -> Result<Self, SetupError> {
        let doing = "listening on 127.0.0.1";
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(SetupError::while_doing(doing))?;
        let port = listener.local_addr().map_err(SetupError::while_doing(doing))?.port();
        let inbox = Arc::new(Inbox::default());
        let accepting = Arc::clone(&inbox);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let inbox = Arc::clone(&accepting);
                thread::spawn(move || receive(&stream, &inbox));
            }
        });
        Ok(Self { port, inbox })
    }

    /// The endpoint to subscribe.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Subscribes to the topic and waits, at most `patience`, until the subscription is confirmed.
    ///
    /// # Errors
    ///
    /// When SNS refuses, or nothing was confirmed in that time.
    pub fn subscribe(
        &self,
        account: &Account<'_>,
        topic_arn: &str,
        patience: Duration,
    ) -> Result<(), CallError> {
        let before = self.inbox.locked().confirmations;
        let request = json!({"TopicArn": topic_arn, "Protocol": "http", "Endpoint": self.url()});
        account.call("sns", "subscribe", request)?;
        let confirmed = self.inbox.wait(patience, |state| (state.confirmations > before).then_some(()));
        confirmed.ok_or_else(|| CallError {
            code: "NotConfirmed".to_owned(),
            message: format!("no confirmation of `{topic_arn}` within {patience:?}"),
            status: 0,
        })
    }

    /// Takes the first notification that fits, waiting for it at most `patience`; the others stay.
    #[must_use]
    pub fn wait_for(&self, patience: Duration, fits: impl Fn(&Value) -> bool) -> Option<Value> {
        self.inbox.wait(patience, |state| {
            let at = state.notifications.iter().position(&fits)?;
            Some(state.notifications.remove(at))
        })
    }

    /// The notifications that nobody has taken.
    #[must_use]
    pub fn notifications(&self) -> Vec<Value> {
        self.inbox.locked().notifications.clone()
    }
}

impl Inbox {
    fn locked(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<T>(&self, patience: Duration, mut take: impl FnMut(&mut State) -> Option<T>) -> Option<T> {
        let mut taken = None;
        let guard = self.locked();
        let waited = self.changed.wait_timeout_while(guard, patience, |state| {
            taken = take(state);
            taken.is_none()
        });
        drop(waited);
        taken
    }
}

fn receive(stream: &TcpStream, inbox: &Inbox) {
    let message = http::Message::read(stream).ok();
    let message = message.and_then(|request| serde_json::from_slice::<Value>(&request.body).ok());
    http::answer(stream, &http::Message::response(200, &[], ""));
    let Some(message) = message else { return };
    match message.get("Type").and_then(Value::as_str) {
        Some("SubscriptionConfirmation") if confirm(&message) => inbox.locked().confirmations += 1,
        Some("Notification") | None => inbox.locked().notifications.push(message),
        _ => {}
    }
    inbox.changed.notify_all();
}

/// Visits the link that SNS sent, which on local AWS is on 127.0.0.1 too.
fn confirm(message: &Value) -> bool {
    let link = message.get("SubscribeURL").and_then(Value::as_str).unwrap_or_default();
    loopback::split_url(link)
        .and_then(|(port, path)| loopback::request(port, "GET", &path, "").ok())
        .is_some_and(|response| response.status == 200)
}
