//! Who asks for what, in which context.

use std::collections::BTreeMap;

use crate::arn::Arn;

/// A request as AWS authorizes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Request<'a> {
    /// Who asks.
    pub requester: Requester,
    /// The action, `s3:GetObject`.
    pub action: &'a str,
    /// The resource's ARN.
    pub resource: &'a str,
    /// The account that owns the resource. S3's ARNs do not say, so it is told apart.
    pub resource_account: Option<&'a str>,
    /// Condition keys.
    pub context: Context,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requester {
    /// A role, by the role's ARN: some session of it, whose name is not known.
    Role(Arn),
    /// A user, by ARN.
    User(Arn),
    /// An AWS service, `codepipeline.amazonaws.com`.
    Service(String),
}

impl Requester {
    /// The account that the requester belongs to; none for a service.
    pub fn account(&self) -> Option<&str> {
        match self {
            Requester::Role(arn) | Requester::User(arn) => Some(arn.account()),
            Requester::Service(_) => None,
        }
    }
}

/// The condition keys of a request. Keys are case-insensitive.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Context {
    values: BTreeMap<String, Vec<String>>,
    absent: Vec<String>,
    complete: bool,
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
    pub fn with_values(mut self, key: &str, values: Vec<String>) -> Self {
        self.values.insert(key.to_ascii_lowercase(), values);
        self
    }

    /// The request does not carry the key.
    #[must_use]
    pub fn without(mut self, key: &str) -> Self {
        self.absent.push(key.to_ascii_lowercase());
        self
    }

    /// What is known of a key.
    pub fn get(&self, key: &str) -> ContextValue<'_> {
        let key = key.to_ascii_lowercase();
        match self.values.get(&key) {
            Some(values) => ContextValue::Known(values),
            None if self.complete || self.absent.contains(&key) => ContextValue::Absent,
            None => ContextValue::Unknown,
        }
    }

    /// Adds what follows from who asks, unless it is set already.
    #[must_use]
    pub(super) fn with_requester(mut self, requester: &Requester) -> Self {
        let mut default = |key: &str, value: &str| {
            self.values.entry(key.to_owned()).or_insert_with(|| vec![value.to_owned()]);
        };
        match requester {
            Requester::Role(arn) | Requester::User(arn) => {
                default("aws:principalarn", arn.as_str());
                default("aws:principalaccount", arn.account());
                default("aws:principalisawsservice", "false");
            }
            Requester::Service(_) => default("aws:principalisawsservice", "true"),
        }
        self
    }
}
