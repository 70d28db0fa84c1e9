//! The environment.

use std::time::SystemTime;

use crosspipe_aws::Aws;
use crosspipe_aws::gather::GatherOptions;
use crosspipe_core::diagnosis::Remediation;

/// The environment variables. An absent optional variable switches that part off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// `LOCK_TABLE`: required, since without it duplicate events would alert twice.
    pub lock_table: String,
    /// `ALERT_TOPIC_ARN`: where alerts go.
    pub alert_topic_arn: Option<String>,
    /// `CHAT_TOPIC_ARN`: where alerts go for Amazon Q Developer in chat applications.
    pub chat_topic_arn: Option<String>,
    /// `WEBHOOK_SECRET_ARN`: the secret with the address that alerts are posted to.
    pub webhook_secret_arn: Option<String>,
    /// `EVENT_BUS_NAME`: where reports go as events.
    pub event_bus_name: Option<String>,
    /// `DEAD_LETTER_QUEUE_URL`: where events are kept that can't be read; without it Lambda tries them again.
    pub dead_letter_queue_url: Option<String>,
    /// `DIAGNOSTICS_ROLE_NAME`: the role to assume in target accounts.
    pub diagnostics_role_name: Option<String>,
    /// `CONSOLE_ROLE_NAME`: the role that people assume in target accounts, for links to their pages.
    pub console_role_name: Option<String>,
    /// `SAME_ACCOUNT_FAILURES`: `ignore` (also when absent) or `note`.
    pub same_account_failures: SameAccount,
    /// `LOG_TAILS`: `omit` (also when absent), or `redact`: reports show what the scripts of a deployment printed last,
    /// without what looks like a secret.
    pub log_tails: bool,
    /// `REMEDIATION_MODE`: `off`, `propose` or `apply`.
    pub remediation: Remediation,
    /// `ACCESS_PROVIDER_NAME`: the function that applies grants again; required by, and read only for, `apply`.
    pub access_provider_name: Option<String>,
}

/// What is done about actions that fail in the pipeline's own account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SameAccount {
    /// Nothing.
    Ignore,
    /// A short note.
    Note,
}

/// Somewhere that reports go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Destination<'a> {
    /// An SNS topic, by ARN, for people.
    Topic(&'a str),
    /// An SNS topic, by ARN, that a chat channel is subscribed to.
    Chat(&'a str),
    /// A webhook, by the ARN of the secret with its address.
    Webhook(&'a str),
    /// An event bus, by name, for machines.
    Bus(&'a str),
}

impl Destination<'_> {
    /// The destination's name in records and logs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Destination::Topic(_) => "topic",
            Destination::Chat(_) => "chat",
            Destination::Webhook(_) => "webhook",
            Destination::Bus(_) => "bus",
        }
    }
}

/// A variable that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SettingsError {
    /// It is required and missing.
    #[error("the environment variable {0} is missing: set it as template.yaml does")]
    Missing(&'static str),
    /// It has a value that is not known.
    #[error("the environment variable REMEDIATION_MODE is `{0}`: set it to `off`, `propose` or `apply`")]
    RemediationMode(String),
    /// `apply` needs the access provider.
    #[error(
        "the environment variable REMEDIATION_MODE is `apply`, and ACCESS_PROVIDER_NAME is missing: set it to the name of the access provider's function, or REMEDIATION_MODE to `propose`"
    )]
    NoAccessProvider,
    /// It has a value that is not known.
    #[error("the environment variable SAME_ACCOUNT_FAILURES is `{0}`: set it to `ignore` or `note`")]
    SameAccountFailures(String),
    /// It has a value that is not known.
    #[error("the environment variable LOG_TAILS is `{0}`: set it to `omit` or `redact`")]
    LogTails(String),
    /// Reports would go nowhere.
    #[error(
        "the environment variables ALERT_TOPIC_ARN, CHAT_TOPIC_ARN, WEBHOOK_SECRET_ARN and EVENT_BUS_NAME are all missing, so reports would go nowhere: set at least one"
    )]
    NoReceiver,
}

impl Settings {
    /// Reads the variables through `get`; an empty one counts as absent.
    ///
    /// # Errors
    /// When a needed one is missing or a value is not known.
    pub(crate) fn from_environment(get: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let get = |name: &str| get(name).filter(|value| !value.is_empty());
        let remediation = match get("REMEDIATION_MODE").as_deref() {
            None | Some("off") => Remediation::off(),
            Some("propose") => Remediation::propose(),
            Some("apply") => Remediation::apply(),
            Some(other) => return Err(SettingsError::RemediationMode(other.to_owned())),
        };
        let access_provider_name = get("ACCESS_PROVIDER_NAME").filter(|_| remediation.mode == "apply");
        if remediation.mode == "apply" && access_provider_name.is_none() {
            return Err(SettingsError::NoAccessProvider);
        }
        let same_account_failures = match get("SAME_ACCOUNT_FAILURES").as_deref() {
            None | Some("ignore") => SameAccount::Ignore,
            Some("note") => SameAccount::Note,
            Some(other) => return Err(SettingsError::SameAccountFailures(other.to_owned())),
        };
        let log_tails = match get("LOG_TAILS").as_deref() {
            None | Some("omit") => false,
            Some("redact") => true,
            Some(other) => return Err(SettingsError::LogTails(other.to_owned())),
        };
        let settings = Settings {
            lock_table: get("LOCK_TABLE").ok_or(SettingsError::Missing("LOCK_TABLE"))?,
            alert_topic_arn: get("ALERT_TOPIC_ARN"),
            chat_topic_arn: get("CHAT_TOPIC_ARN"),
            webhook_secret_arn: get("WEBHOOK_SECRET_ARN"),
            event_bus_name: get("EVENT_BUS_NAME"),
            dead_letter_queue_url: get("DEAD_LETTER_QUEUE_URL"),
            diagnostics_role_name: get("DIAGNOSTICS_ROLE_NAME"),
            console_role_name: get("CONSOLE_ROLE_NAME"),
            same_account_failures,
            log_tails,
            remediation,
            access_provider_name,
        };
        if settings.destinations().next().is_none() {
            return Err(SettingsError::NoReceiver);
        }
        Ok(settings)
    }

    /// How a snapshot is gathered: through which role, until when.
    pub(crate) fn gather_options<'a>(&'a self, tools: &'a Aws, until: SystemTime) -> GatherOptions<'a> {
        GatherOptions {
            tools,
            diagnostics_role: self.diagnostics_role_name.as_deref(),
            session_name: "crosspipe-failure-reporter",
            log_tails: self.log_tails,
            until: Some(until),
            shared: None,
        }
    }

    /// Every destination, people first.
    pub(crate) fn destinations(&self) -> impl Iterator<Item = Destination<'_>> {
        let destinations = [
            self.alert_topic_arn.as_deref().map(Destination::Topic),
            self.chat_topic_arn.as_deref().map(Destination::Chat),
            self.webhook_secret_arn.as_deref().map(Destination::Webhook),
            self.event_bus_name.as_deref().map(Destination::Bus),
        ];
        destinations.into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
        Settings::from_environment(|name| find(name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn missing_and_wrong_variables_are_named() {
        let settings =
            read(&[("LOCK_TABLE", "locks"), ("ALERT_TOPIC_ARN", "topic"), ("EVENT_BUS_NAME", "")]).unwrap();
        assert_eq!((settings.event_bus_name, settings.remediation), (None, Remediation::off()));
        assert_eq!(read(&[]), Err(SettingsError::Missing("LOCK_TABLE")));
        assert_eq!(read(&[("LOCK_TABLE", "locks")]), Err(SettingsError::NoReceiver));
        let wrong = read(&[("LOCK_TABLE", "locks"), ("REMEDIATION_MODE", "now")]);
        assert_eq!(wrong, Err(SettingsError::RemediationMode("now".into())));
        let wrong = read(&[("LOCK_TABLE", "locks"), ("LOG_TAILS", "all")]);
        assert_eq!(wrong, Err(SettingsError::LogTails("all".to_owned())));
        let wrong = read(&[("LOCK_TABLE", "locks"), ("SAME_ACCOUNT_FAILURES", "tell")]);
        assert_eq!(wrong, Err(SettingsError::SameAccountFailures("tell".into())));
    }

    #[test]
    fn one_destination_is_enough() {
        let all = [
            ("EVENT_BUS_NAME", "bus"),
            ("WEBHOOK_SECRET_ARN", "webhook"),
            ("CHAT_TOPIC_ARN", "chat"),
            ("ALERT_TOPIC_ARN", "topic"),
        ];
        let names = |given: &[(&str, &str)]| {
            let settings = read(&[given, &[("LOCK_TABLE", "locks")]].concat()).unwrap();
            settings.destinations().map(Destination::name).collect::<Vec<_>>()
        };
        for (variable, name) in all {
            assert_eq!(names(&[(variable, name)]), [name]);
        }
        assert_eq!(names(&all), ["topic", "chat", "webhook", "bus"]);
    }

    #[test]
    fn applying_needs_somebody_who_does_it() {
        let common = [("LOCK_TABLE", "locks"), ("ALERT_TOPIC_ARN", "topic")];
        let with = |more: &[(&str, &str)]| read(&[&common[..], more].concat());
        assert_eq!(with(&[("REMEDIATION_MODE", "apply")]), Err(SettingsError::NoAccessProvider));
        let provider = ("ACCESS_PROVIDER_NAME", "provider");
        let settings = with(&[("REMEDIATION_MODE", "apply"), provider]).unwrap();
        assert_eq!(
            (settings.remediation.mode, settings.access_provider_name.as_deref()),
            ("apply", Some("provider"))
        );
        let settings = with(&[("REMEDIATION_MODE", "propose"), provider]).unwrap();
        assert_eq!(settings.access_provider_name, None, "nothing is applied");
    }
}
