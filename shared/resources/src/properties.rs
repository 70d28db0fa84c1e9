//! A strict reader over `ResourceProperties`: what it does not know or can't read is an error that names the
//! field by its full path, such as `Actions[0].Stage`.
//!
//! Scalars arrive as strings, and conditions often give "" for "not set": that, `null` and `AWS::NoValue` are absent.

use serde_json::{Map, Value};

use crosspipe_core::field_error::FieldError;

use crate::nearest::nearest;
use crate::reference::Property;

/// What CloudFormation itself reads from every custom resource's properties.
const CLOUDFORMATION_OWN: [&str; 2] = ["ServiceToken", "ServiceTimeout"];

/// The properties of a resource, or of a structure within them.
#[derive(Debug, Clone)]
pub(crate) struct Properties<'a> {
    /// Empty for the resource's own.
    path: String,
    map: &'a Map<String, Value>,
}

/// A structure within the properties.
#[derive(Debug, Clone)]
pub(crate) struct Object<'a> {
    /// Where it is, such as `Actions[0]`.
    pub(crate) path: String,
    /// What it holds, unread.
    pub(crate) map: &'a Map<String, Value>,
}

impl<'a> Object<'a> {
    /// A strict reader over this structure, which has these fields and no others.
    ///
    /// # Errors
    /// Names an unknown field and the nearest known one.
    pub(crate) fn properties(&self, known: &[&'static str]) -> Result<Properties<'a>, FieldError> {
        let properties = Properties { path: self.path.clone(), map: self.map };
        properties.deny_unknown(known.iter().copied())?;
        Ok(properties)
    }
}

impl<'a> Properties<'a> {
    /// A reader over the properties of a resource, which has these and no others; `ServiceToken` and
    /// `ServiceTimeout` are always allowed.
    ///
    /// # Errors
    /// Names an unknown property and the nearest known one.
    pub(crate) fn new(map: &'a Map<String, Value>, known: &[&[Property]]) -> Result<Self, FieldError> {
        let properties = Self { path: String::new(), map };
        properties.deny_unknown(
            known.iter().copied().flatten().map(|property| property.name).chain(CLOUDFORMATION_OWN),
        )?;
        Ok(properties)
    }

    /// A text that has to be there.
    ///
    /// # Errors
    /// When it is absent or not a string.
    pub(crate) fn required(&self, name: &str) -> Result<&'a str, FieldError> {
        self.optional(name)?.ok_or_else(|| {
            self.error(name, "is missing or empty", format!("give `{}` a value", self.full_path(name)))
        })
    }

    /// A text that may be absent, trimmed.
    ///
    /// # Errors
    /// When it is not a string.
    pub(crate) fn optional(&self, name: &str) -> Result<Option<&'a str>, FieldError> {
        self.get(name)
            .map(|value| match value {
                Value::String(text) => Ok(text.trim()),
                other => Err(self.mistyped(name, other, "a string")),
            })
            .transpose()
    }

    /// A JSON list of strings, or one comma-delimited string; items are trimmed, empty ones dropped.
    ///
    /// # Errors
    /// When it, or one of its items, is of another type.
    pub(crate) fn list(&self, name: &str) -> Result<Vec<String>, FieldError> {
        let items = match self.get(name) {
            None => Vec::new(),
            Some(Value::String(text)) => text.split(',').collect(),
            Some(Value::Array(values)) => present_items(values)
                .map(|(index, value)| match value {
                    Value::String(text) => Ok(text.as_str()),
                    other => Err(self.mistyped(&format!("{name}[{index}]"), other, "a string")),
                })
                .collect::<Result<_, _>>()?,
            Some(other) => return Err(self.mistyped(name, other, "a list or a comma-delimited string")),
        };
        Ok(items.into_iter().map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect())
    }

    /// `true` or `false`, as a string or a JSON boolean.
    ///
    /// # Errors
    /// When it is anything else.
    pub(crate) fn boolean(&self, name: &str, default: bool) -> Result<bool, FieldError> {
        match self.get(name) {
            None => Ok(default),
            Some(Value::Bool(value)) => Ok(*value),
            Some(Value::String(text)) if text.trim().eq_ignore_ascii_case("true") => Ok(true),
            Some(Value::String(text)) if text.trim().eq_ignore_ascii_case("false") => Ok(false),
            Some(other) => Err(self.mistyped(name, other, "`true` or `false`")),
        }
    }

    /// One structure.
    ///
    /// # Errors
    /// When it is of another type.
    pub(crate) fn object(&self, name: &str) -> Result<Option<Object<'a>>, FieldError> {
        self.get(name).map(|value| self.as_object(name, value)).transpose()
    }

    /// A list of structures.
    ///
    /// # Errors
    /// When it, or one of its items, is of another type.
    pub(crate) fn objects(&self, name: &str) -> Result<Vec<Object<'a>>, FieldError> {
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(values)) => present_items(values)
                .map(|(index, value)| self.as_object(&format!("{name}[{index}]"), value))
                .collect(),
            Some(other) => Err(self.mistyped(name, other, "a list of structures")),
        }
    }

    /// An error about one of these properties, under its full path; see [`FieldError`] for the parts.
    pub(crate) fn error(
        &self,
        name: &str,
        fault: impl Into<String>,
        next_step: impl Into<String>,
    ) -> FieldError {
        FieldError::new(self.full_path(name), fault, next_step)
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !is_absent(value))
    }

    fn as_object(&self, name: &str, value: &'a Value) -> Result<Object<'a>, FieldError> {
        match value {
            Value::Object(map) => Ok(Object { path: self.full_path(name), map }),
            other => Err(self.mistyped(name, other, "a structure")),
        }
    }

    fn deny_unknown(&self, known: impl Iterator<Item = &'static str> + Clone) -> Result<(), FieldError> {
        let Some(unknown) = self.map.keys().find(|name| known.clone().all(|known| known != name.as_str()))
        else {
            return Ok(());
        };
        let next_step = match nearest(unknown, known.clone()) {
            Some(near) => format!("use `{}`, the nearest known property", self.full_path(near)),
            None => {
                let known: Vec<_> = known.filter(|name| !CLOUDFORMATION_OWN.contains(name)).collect();
                format!("remove it; known properties are {}", known.join(", "))
            }
        };
        let shown: String = unknown.chars().take(LONGEST_ECHO).collect();
        Err(self.error(&shown, "is unknown", next_step))
    }

    fn mistyped(&self, name: &str, found: &Value, expected: &str) -> FieldError {
        self.error(
            name,
            format!("is {}, expected {expected}", describe_value(found)),
            format!("make `{}` {expected}", self.full_path(name)),
        )
    }

    fn full_path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

/// No more than this of what a template says is echoed.
const LONGEST_ECHO: usize = 60;

/// The items that count, under the index that they have in the template.
fn present_items(values: &[Value]) -> impl Iterator<Item = (usize, &Value)> {
    values.iter().enumerate().filter(|(_, value)| !is_absent(value))
}

fn is_absent(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => matches!(text.trim(), "" | "AWS::NoValue"),
        // How a template that CloudFormation has not resolved yet spells it.
        Value::Object(map) => {
            map.len() == 1 && map.get("Ref").and_then(Value::as_str) == Some("AWS::NoValue")
        }
        _ => false,
    }
}

/// A structure is never echoed: it may hold anything, and would push the next step out of sight.
fn describe_value(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => format!("the boolean `{value}`"),
        Value::Number(number) => format!("the number `{number}`"),
        Value::String(text) => {
            let start: String = text.chars().take(LONGEST_ECHO).collect();
            format!("the string `{start}{}`", if start.len() < text.len() { "…" } else { "" })
        }
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a structure".to_owned(),
    }
}

#[cfg(test)]
mod tests;
