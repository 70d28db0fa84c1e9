//! The condition keys of a request.

use std::collections::BTreeMap;

use super::requester::Requester;

/// The condition keys of a request. Keys are case-insensitive.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Context {
    /// By lower-case key.
    keys: BTreeMap<String, Entry>,
    complete: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Entry {
    Values(Vec<String>),
    Absent,
    Unknown,
}

/// What is known of one condition key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContextValue<'a> {
    /// The request carries the key with these values.
    Known(&'a [String]),
    /// The request does not carry the key.
    Absent,
    /// Whether it carries the key is not known.
    Unknown,
}

impl Context {
    /// A context in which only what is set is known.
    pub fn partial() -> Self {
        Context::default()
    }

    /// A context in which a key that is not set is absent from the request.
    pub fn complete() -> Self {
        Context { complete: true, ..Context::default() }
    }

    /// The request carries the key with this one value.
    #[must_use]
    pub fn with(self, key: &str, value: impl Into<String>) -> Self {
        self.with_values(key, vec![value.into()])
    }

    /// The request carries the key with these values.
    #[must_use]
    pub fn with_values(self, key: &str, values: Vec<String>) -> Self {
        self.with_entry(key, Entry::Values(values))
    }

    /// The request does not carry the key.
    #[must_use]
    pub fn without(self, key: &str) -> Self {
        self.with_entry(key, Entry::Absent)
    }

    /// Whether the request carries the key is not known, even where the rest is complete.
    #[must_use]
    pub fn with_unknown(self, key: &str) -> Self {
        self.with_entry(key, Entry::Unknown)
    }

    fn with_entry(mut self, key: &str, entry: Entry) -> Self {
        self.keys.insert(key.to_ascii_lowercase(), entry);
        self
    }

    /// What is known of a key.
    pub fn get(&self, key: &str) -> ContextValue<'_> {
        let entry = match self.keys.get(key) {
            None if key.bytes().any(|b| b.is_ascii_uppercase()) => self.keys.get(&key.to_ascii_lowercase()),
            found => found,
        };
        match entry {
            Some(Entry::Values(values)) => ContextValue::Known(values),
            Some(Entry::Absent) => ContextValue::Absent,
            None if self.complete => ContextValue::Absent,
            Some(Entry::Unknown) | None => ContextValue::Unknown,
        }
    }

    /// Adds what follows from who asks, unless it is set already.
    /// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-infotouse>.
    #[must_use]
    pub(super) fn with_requester(mut self, requester: &Requester) -> Self {
        let mut default = |key: &str, entry: Entry| {
            self.keys.entry(key.to_owned()).or_insert(entry);
        };
        let known = |value: &str| Entry::Values(vec![value.to_owned()]);
        if let Some(account) = requester.account() {
            default("aws:principalaccount", known(account));
        }
        if let Some(kind) = requester.principal_type() {
            default("aws:principaltype", known(kind));
        }
        match requester {
            Requester::Role(arn) | Requester::User(arn) | Requester::Root(arn) => {
                default("aws:principalarn", known(arn.as_str()));
            }
            Requester::FederatedUser(arn) => default("aws:principalarn", known(arn.as_str())),
            // It is the role's ARN, of which a session's does not show the path.
            Requester::Session(_) => default("aws:principalarn", Entry::Unknown),
            Requester::Federated(_) | Requester::Service(_) | Requester::Anonymous => {}
        }
        match requester {
            Requester::User(arn) => match arn.resource().rsplit('/').next() {
                Some(name) => default("aws:username", known(name)),
                None => default("aws:username", Entry::Unknown),
            },
            _ => default("aws:username", Entry::Absent),
        }
        let is_service = matches!(requester, Requester::Service(_));
        default("aws:principalisawsservice", known(if is_service { "true" } else { "false" }));
        self
    }
}
