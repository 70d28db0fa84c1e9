use std::collections::BTreeMap;

use serde_json::Value;

/// What a handler returns when the resource is as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Success {
    /// What CloudFormation knows the resource by: at most 1,024 bytes, not empty. A changed one on Update
    /// means replacement: CloudFormation then sends a Delete for the old id. On Delete the request's own
    /// id is answered, whatever this says.
    pub physical_id: String,
    /// The attributes for `Fn::GetAtt`. Not sent on Delete, when nothing can read them.
    pub data: BTreeMap<String, Value>,
    /// Whether CloudFormation hides the attributes in its outputs and events.
    pub no_echo: bool,
    /// A remark for the stack's events; cut when it is too long.
    pub reason: Option<String>,
}

impl Success {
    /// A success without attributes.
    pub fn new(physical_id: impl Into<String>) -> Self {
        Self { physical_id: physical_id.into(), ..Self::default() }
    }

    /// The same with an attribute more.
    #[must_use]
    pub fn with(mut self, attribute: impl Into<String>, value: impl Into<Value>) -> Self {
        self.data.insert(attribute.into(), value.into());
        self
    }
}

/// What a handler returns when it could not do what it was asked for.
///
/// Shown in the stack's events as `<cause>. Next: <next step> [<reference>]`. The cause is cut when the answer
/// would be too long, the rest is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// On Create: the id of what was made all the same, so that the Delete that follows can find it. None means
    /// that nothing was made; see [`is_placeholder_id`](crate::is_placeholder_id). On Update and Delete the
    /// request's own id is answered, whatever this says.
    pub physical_id: Option<String>,
    /// What went wrong, naming the field or resource.
    pub cause: String,
    /// What the reader should do now.
    pub next_step: String,
    /// A rule id or a link to documentation.
    pub reference: Option<String>,
}

impl Failure {
    /// A failure that made nothing and refers to nothing.
    pub fn new(cause: impl Into<String>, next_step: impl Into<String>) -> Self {
        Self { physical_id: None, cause: cause.into(), next_step: next_step.into(), reference: None }
    }

    /// The same, answered with this physical id because something was made.
    #[must_use]
    pub fn made(self, physical_id: impl Into<String>) -> Self {
        Self { physical_id: Some(physical_id.into()), ..self }
    }

    /// The same with a rule id or a link.
    #[must_use]
    pub fn see(self, reference: impl Into<String>) -> Self {
        Self { reference: Some(reference.into()), ..self }
    }
}
