//! The policy document and views of its statements.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::grammar::{Grammar, GrammarFault, PolicyKind};

/// A policy document that keeps every member it does not know, and the order of all of them.
///
/// The JSON is the model: reading extracts nothing, so printing loses nothing. The views
/// ([`Statement`] and its methods) accept every form that AWS accepts: one statement or a list, one
/// string or a list, booleans and numbers among condition values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct PolicyDocument {
    root: Map<String, Value>,
    grammar: Grammar,
}

impl PolicyDocument {
    /// A document in the current policy language without a statement.
    pub fn empty() -> Self {
        let mut root = Map::new();
        root.insert("Version".into(), json!("2012-10-17"));
        root.insert("Statement".into(), json!([]));
        PolicyDocument::of(root)
    }

    fn of(root: Map<String, Value>) -> Self {
        PolicyDocument { grammar: Grammar::of(&root), root }
    }

    /// Reads a document from its JSON text.
    ///
    /// # Errors
    /// When the text is not JSON, or as [`PolicyDocument::from_value`].
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let value = serde_json::from_str(text).map_err(|error| PolicyError::NotJson(error.to_string()))?;
        Self::from_value(value)
    }

    /// Takes a document that is JSON already.
    ///
    /// # Errors
    /// When it is not an object, or `Statement` is missing or holds something that is not an object.
    pub fn from_value(value: Value) -> Result<Self, PolicyError> {
        let Value::Object(root) = value else { return Err(PolicyError::NotAnObject) };
        match root.get("Statement") {
            None => return Err(PolicyError::NoStatement),
            Some(Value::Object(_)) => {}
            Some(Value::Array(statements)) => {
                if let Some(index) = statements.iter().position(|statement| !statement.is_object()) {
                    return Err(PolicyError::StatementNotAnObject(index));
                }
            }
            Some(_) => return Err(PolicyError::StatementNotAnObject(0)),
        }
        Ok(PolicyDocument::of(root))
    }

    /// The document as JSON.
    pub fn to_value(&self) -> Value {
        Value::Object(self.root.clone())
    }

    /// The document as JSON text without white space, as it is sent to AWS.
    pub fn to_json(&self) -> String {
        self.to_value().to_string()
    }

    /// The policy language of the document. Without `Version` that is the one of 2008, in which
    /// policy variables are plain text.
    pub fn version(&self) -> LanguageVersion {
        match find_member(&self.root, "Version").and_then(Value::as_str) {
            Some("2012-10-17") => LanguageVersion::V2012,
            _ => LanguageVersion::V2008,
        }
    }

    /// Why AWS would not have saved the document as a policy of this kind; None where it would.
    pub fn grammar_fault(&self, kind: PolicyKind) -> Option<GrammarFault> {
        self.grammar.fault(kind)
    }

    /// The statements in order.
    pub fn statements(&self) -> impl Iterator<Item = Statement<'_>> {
        let values = match find_member(&self.root, "Statement") {
            Some(Value::Array(list)) => list.as_slice(),
            Some(single) => std::slice::from_ref(single),
            None => &[],
        };
        let objects = values.iter().filter_map(Value::as_object);
        objects.enumerate().map(|(index, raw)| Statement { index, raw })
    }

    /// The members of the document other than its statements.
    pub(super) fn members(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.root.iter().filter(|(name, _)| *name != "Statement")
    }

    /// The same document with other statements.
    pub(super) fn with_statements(&self, statements: Vec<Value>) -> Self {
        let mut root = self.root.clone();
        root.insert("Statement".into(), Value::Array(statements));
        PolicyDocument::of(root)
    }
}

impl TryFrom<Value> for PolicyDocument {
    type Error = PolicyError;

    fn try_from(value: Value) -> Result<Self, PolicyError> {
        Self::from_value(value)
    }
}

impl From<PolicyDocument> for Value {
    fn from(document: PolicyDocument) -> Value {
        Value::Object(document.root)
    }
}

/// The version of the policy language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LanguageVersion {
    /// 2008-10-17, and every document without a `Version`.
    V2008,
    /// 2012-10-17.
    V2012,
}

/// What a statement does when it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// `Allow`
    Allow,
    /// `Deny`
    Deny,
}

/// A view of one statement.
#[derive(Debug, Clone, Copy)]
pub struct Statement<'a> {
    index: usize,
    raw: &'a Map<String, Value>,
}

impl<'a> Statement<'a> {
    /// The place in the document, from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The statement as it stands.
    pub fn raw(&self) -> &'a Map<String, Value> {
        self.raw
    }

    /// The Sid; an empty one counts as none.
    pub fn sid(&self) -> Option<&'a str> {
        self.get("Sid").and_then(Value::as_str).filter(|sid| !sid.is_empty())
    }

    /// How to speak of the statement: its Sid, else its place.
    pub fn label(&self) -> String {
        self.sid().map_or_else(|| format!("Statement[{}]", self.index), |sid| format!("statement `{sid}`"))
    }

    /// The effect, where it is one of the two that there are.
    pub fn effect(&self) -> Option<Effect> {
        match self.get("Effect").and_then(Value::as_str) {
            Some("Allow") => Some(Effect::Allow),
            Some("Deny") => Some(Effect::Deny),
            _ => None,
        }
    }

    /// An element that is one string or a list of them, such as `Action` or `NotResource`.
    /// None when the statement has no such element.
    pub fn strings(&self, element: &str) -> Option<impl Iterator<Item = &'a str> + use<'a>> {
        self.get(element).map(|value| one_or_many(value).filter_map(Value::as_str))
    }

    /// An element as it stands.
    pub fn get(&self, element: &str) -> Option<&'a Value> {
        find_member(self.raw, element)
    }

    /// The `Condition` block: operator, key and the values of each condition.
    pub fn conditions(&self) -> impl Iterator<Item = (&'a str, &'a str, Scalars<'a>)> + use<'a> {
        let operators = self.get("Condition").and_then(Value::as_object).into_iter().flatten();
        operators.flat_map(|(operator, keys)| {
            let keys = keys.as_object().into_iter().flatten();
            keys.map(move |(key, values)| (operator.as_str(), key.as_str(), Scalars(one_or_many(values))))
        })
    }
}

/// The values of one condition, as text.
#[derive(Debug, Clone)]
pub struct Scalars<'a>(std::slice::Iter<'a, Value>);

impl<'a> Iterator for Scalars<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Cow<'a, str>> {
        self.0.next().map(scalar_text)
    }
}

/// A member of an object that has few of them, as documents and statements do: comparing their names is
/// quicker than hashing the one that is looked for.
fn find_member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.iter().find(|(it, _)| *it == name).map(|(_, value)| value)
}

/// One value, or each of a list.
pub(super) fn one_or_many(value: &Value) -> std::slice::Iter<'_, Value> {
    match value {
        Value::Array(list) => list.iter(),
        single => std::slice::from_ref(single).iter(),
    }
}

/// A scalar as AWS reads it: `false` and `"false"`, `5` and `"5"` are the same.
pub(super) fn scalar_text(value: &Value) -> Cow<'_, str> {
    value.as_str().map_or_else(|| value.to_string().into(), Cow::Borrowed)
}

/// Why a text is not a policy document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The text is not JSON.
    #[error("the policy document is not JSON: {0}")]
    NotJson(String),
    /// The JSON is not an object.
    #[error("the policy document is not a JSON object")]
    NotAnObject,
    /// There is no `Statement`.
    #[error("the policy document has no `Statement`")]
    NoStatement,
    /// A statement is not an object.
    #[error("`Statement[{0}]` of the policy document is not a JSON object")]
    StatementNotAnObject(usize),
}
