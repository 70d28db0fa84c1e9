//! The condition keys of a request.

use super::requester::Requester;

/// The condition keys of a request. Keys are case-insensitive.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Context {
    /// Each key once. A request has few, so that looking through them beats any index.
    keys: Vec<(String, Entry)>,
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
    /// The request carries the key with this one value.
    One(&'a str),
    /// The request carries the key with these values, none or several.
    Several(&'a [String]),
    /// The request does not carry the key.
    Absent,
    /// Whether it carries the key is not known.
    Unknown,
}

impl Context {
    /// Whether it is not certain what a request of this requester has for a key.
    pub fn is_unknown(&self, key: &str, requester: &Requester) -> bool {
        matches!(Keys { context: self, requester }.get(key), ContextValue::Unknown)
    }

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

    /// What is known here and what is known of another context of the same request; where both say something of a
    /// key, the other's.
    #[must_use]
    pub fn and(self, other: Context) -> Self {
        other.keys.into_iter().fold(self, |context, (key, entry)| context.with_entry(&key, entry))
    }

    fn with_entry(mut self, key: &str, entry: Entry) -> Self {
        match self.keys.iter_mut().find(|(it, _)| it.eq_ignore_ascii_case(key)) {
            Some((_, before)) => *before = entry,
            None => self.keys.push((key.to_owned(), entry)),
        }
        self
    }

    /// What is known of a key by what was set; nothing where it was not.
    fn set(&self, key: &str) -> Option<ContextValue<'_>> {
        let (_, entry) = self.keys.iter().find(|(it, _)| it.eq_ignore_ascii_case(key))?;
        Some(match entry {
            Entry::Values(values) => match values.as_slice() {
                [value] => ContextValue::One(value),
                values => ContextValue::Several(values),
            },
            Entry::Absent => ContextValue::Absent,
            Entry::Unknown => ContextValue::Unknown,
        })
    }
}

/// All condition keys of a request: those that were set, and those that follow from who asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys<'a> {
    pub context: &'a Context,
    pub requester: &'a Requester,
}

impl<'a> Keys<'a> {
    /// What is known of a key.
    pub(super) fn get(&self, key: &str) -> ContextValue<'a> {
        let open = if self.context.complete { ContextValue::Absent } else { ContextValue::Unknown };
        self.context.set(key).or_else(|| self.of_requester(key)).unwrap_or(open)
    }

    /// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-infotouse>.
    fn of_requester(&self, key: &str) -> Option<ContextValue<'a>> {
        let is = |name: &str| key.eq_ignore_ascii_case(name);
        if is("aws:PrincipalAccount") {
            self.requester.account().map(ContextValue::One)
        } else if is("aws:PrincipalType") {
            self.requester.principal_type().map(ContextValue::One)
        } else if is("aws:PrincipalArn") {
            match self.requester {
                // It is the role's ARN, of which a session's does not show the path.
                Requester::Session(_) => Some(ContextValue::Unknown),
                requester => requester.arn().map(|arn| ContextValue::One(arn.as_str())),
            }
        } else if is("aws:username") {
            Some(match self.requester {
                Requester::User(arn) => {
                    arn.resource().rsplit('/').next().map_or(ContextValue::Unknown, ContextValue::One)
                }
                _ => ContextValue::Absent,
            })
        } else if is("aws:PrincipalIsAWSService") {
            let is_service = matches!(self.requester, Requester::Service(_));
            Some(ContextValue::One(if is_service { "true" } else { "false" }))
        } else {
            None
        }
    }
}
