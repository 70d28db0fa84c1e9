//! What AWS would never have saved.
//!
//! A document that breaks the grammar is stored nowhere, so what it would allow or deny is not known: neither
//! its Allow nor its Deny counts. Only faults that could change a decision are looked for; a Sid that is
//! given twice, say, is not.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>.

use serde_json::{Map, Value};

use super::document::one_or_many;

/// What a document is attached to, which decides on the elements that it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyKind {
    /// Identity policies, and what is written like them: permissions boundaries and session policies.
    Identity,
    /// The policy of a resource. Whether it needs `Resource` depends on the service.
    /// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#access_policies-json>.
    Resource,
    /// The policy of an S3 bucket.
    /// See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-arn-format.html>.
    Bucket,
    /// A service control policy.
    /// See <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_syntax.html>.
    ServiceControl,
    /// A resource control policy.
    /// See <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html>.
    ResourceControl,
}

/// Why AWS would not have saved a document: one sentence with the statement's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GrammarFault {
    /// A version of the language that there is not.
    #[error("`Version` is neither \"2012-10-17\" nor \"2008-10-17\"")]
    Version,
    /// `Effect` is missing or not one of the two, which are case-sensitive.
    #[error("`Effect` of `Statement[{0}]` is neither \"Allow\" nor \"Deny\"")]
    Effect(usize),
    /// An element that there is not.
    #[error("`Statement[{0}]` has an element that is not of the policy language")]
    UnknownElement(usize),
    /// Both an element and its opposite.
    #[error("`Statement[{0}]` has both `{1}` and `Not{1}`")]
    Both(usize, &'static str),
    /// Neither an element that is needed nor its opposite.
    #[error("`Statement[{0}]` has no `{1}`")]
    Missing(usize, &'static str),
    /// An element that this kind of policy can't have.
    #[error("`Statement[{0}]` has a principal, which this kind of policy can't have")]
    Principal(usize),
    /// The value of an element is none that it can have.
    #[error("`{1}` of `Statement[{0}]` is malformed")]
    Malformed(usize, &'static str),
}

/// The faults of a document, found once when it is read: any kind's, and those that depend on the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Grammar {
    of_any_kind: Option<GrammarFault>,
    with_principal: Option<usize>,
    without_principal: Option<usize>,
    without_resource: Option<usize>,
}

impl Grammar {
    pub(super) fn of(root: &Map<String, Value>) -> Self {
        let mut grammar = Grammar::default();
        if root.get("Version").is_some_and(|it| !matches!(it.as_str(), Some("2012-10-17" | "2008-10-17"))) {
            grammar.of_any_kind = Some(GrammarFault::Version);
        }
        let statements = root.get("Statement").map(one_or_many).into_iter().flatten();
        for (index, statement) in statements.filter_map(Value::as_object).enumerate() {
            let elements = Elements::of(statement);
            grammar.of_any_kind = grammar.of_any_kind.or_else(|| elements.fault(index));
            let note = |place: &mut Option<usize>, is: bool| *place = place.or(is.then_some(index));
            note(&mut grammar.with_principal, elements.principal.is_some());
            note(&mut grammar.without_principal, elements.principal.is_none());
            note(&mut grammar.without_resource, elements.resource.is_none());
        }
        grammar
    }

    pub(super) fn fault(&self, kind: PolicyKind) -> Option<GrammarFault> {
        let principal = || self.without_principal.map(|at| GrammarFault::Missing(at, "Principal"));
        let resource = || self.without_resource.map(|at| GrammarFault::Missing(at, "Resource"));
        self.of_any_kind.or_else(|| match kind {
            PolicyKind::Identity | PolicyKind::ServiceControl => {
                self.with_principal.map(GrammarFault::Principal).or_else(resource)
            }
            PolicyKind::Resource => principal(),
            PolicyKind::Bucket | PolicyKind::ResourceControl => principal().or_else(resource),
        })
    }
}

/// The elements of one statement; of an element and its opposite, the one that is there.
#[derive(Default)]
struct Elements<'a> {
    effect: Option<&'a Value>,
    action: Option<&'a Value>,
    resource: Option<&'a Value>,
    principal: Option<&'a Value>,
    condition: Option<&'a Value>,
    both: Option<&'static str>,
    unknown: bool,
}

impl<'a> Elements<'a> {
    fn of(statement: &'a Map<String, Value>) -> Self {
        let mut elements = Elements::default();
        for (name, value) in statement {
            let (element, base) = match name.as_str() {
                "Sid" => continue,
                "Effect" => (&mut elements.effect, "Effect"),
                "Condition" => (&mut elements.condition, "Condition"),
                "Action" | "NotAction" => (&mut elements.action, "Action"),
                "Resource" | "NotResource" => (&mut elements.resource, "Resource"),
                "Principal" | "NotPrincipal" => (&mut elements.principal, "Principal"),
                _ => {
                    elements.unknown = true;
                    continue;
                }
            };
            if element.replace(value).is_some() {
                elements.both = Some(base);
            }
        }
        elements
    }

    fn fault(&self, index: usize) -> Option<GrammarFault> {
        if !matches!(self.effect.and_then(Value::as_str), Some("Allow" | "Deny")) {
            return Some(GrammarFault::Effect(index));
        }
        if self.unknown {
            return Some(GrammarFault::UnknownElement(index));
        }
        if let Some(base) = self.both {
            return Some(GrammarFault::Both(index, base));
        }
        let Some(action) = self.action else { return Some(GrammarFault::Missing(index, "Action")) };
        let is = |value: Option<&Value>, well_formed: &dyn Fn(&Value) -> bool| value.is_none_or(well_formed);
        let malformed = if !are_texts(action, is_action) {
            "Action"
        } else if !is(self.resource, &|it| are_texts(it, is_resource)) {
            "Resource"
        } else if !is(self.principal, &is_principal) {
            "Principal"
        } else if !is(self.condition, &is_condition) {
            "Condition"
        } else {
            return None;
        };
        Some(GrammarFault::Malformed(index, malformed))
    }
}

/// One text or a list of at least one, each of this form.
fn are_texts(value: &Value, is: impl Fn(&str) -> bool) -> bool {
    let mut texts = one_or_many(value).peekable();
    texts.peek().is_some() && texts.all(|text| text.as_str().is_some_and(&is))
}

/// `*`, or a service and one of its actions.
fn is_action(text: &str) -> bool {
    text.contains(':') || !text.is_empty() && text.bytes().all(|byte| byte == b'*')
}

/// An ARN, complete or not, or something with a wildcard or a variable in front.
fn is_resource(text: &str) -> bool {
    let begins_as_arn = text.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("arn"));
    begins_as_arn || text.contains(['*', '?', '$'])
}

/// `*`, or values of the kinds that there are.
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>.
fn is_principal(value: &Value) -> bool {
    match value {
        Value::String(text) => text == "*",
        Value::Object(kinds) => {
            let is_kind = |name: &str| matches!(name, "AWS" | "Service" | "Federated" | "CanonicalUser");
            !kinds.is_empty()
                && kinds.iter().all(|(kind, values)| is_kind(kind) && are_texts(values, |it| !it.is_empty()))
        }
        _ => false,
    }
}

/// An operator for each block, in it a scalar or a list of them for each key.
fn is_condition(value: &Value) -> bool {
    let is_scalar = |value: &Value| matches!(value, Value::String(_) | Value::Bool(_) | Value::Number(_));
    let are_keys = |keys: &Value| {
        keys.as_object().is_some_and(|keys| keys.values().all(|it| one_or_many(it).all(is_scalar)))
    };
    value
        .as_object()
        .is_some_and(|block| block.iter().all(|(name, keys)| is_operator(name) && are_keys(keys)))
}

/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>.
fn is_operator(name: &str) -> bool {
    if name == "Null" {
        return true;
    }
    let set = name.strip_prefix("ForAnyValue:").or_else(|| name.strip_prefix("ForAllValues:"));
    let name = set.unwrap_or(name);
    let name = name.strip_suffix("IfExists").unwrap_or(name);
    OPERATORS.contains(&name)
}

/// Every operator but `Null`, which stands alone.
pub(crate) const OPERATORS: [&str; 26] = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "ArnEquals",
    "ArnNotEquals",
    "ArnLike",
    "ArnNotLike",
];
