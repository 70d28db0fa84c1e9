//! What is wrong with one field of what somebody gave: a property, a pipeline, a question.

/// A field whose value can't be used: which, what is wrong with it, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct FieldError {
    /// The field, with its path: `Actions[0].Stage`.
    pub field: String,
    /// The value that is wrong, where the problem is that of one value.
    pub value: Option<String>,
    /// What is wrong with the field or the value: `is missing`, `is not an ARN`.
    pub problem: String,
    /// What to do next: `give the bare name`.
    pub help: String,
}

impl FieldError {
    /// A problem of a field.
    pub fn new(field: impl Into<String>, problem: impl Into<String>, help: impl Into<String>) -> Self {
        FieldError { field: field.into(), value: None, problem: problem.into(), help: help.into() }
    }

    /// A problem of one value of a field.
    pub fn of_value(
        field: impl Into<String>,
        value: impl Into<String>,
        problem: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        FieldError { value: Some(value.into()), ..FieldError::new(field, problem, help) }
    }

    /// The same of a field within another one, whose path is `outer`.
    #[must_use]
    pub fn within(self, outer: &str) -> Self {
        FieldError { field: join_path(outer, &self.field), ..self }
    }

    /// The problem and what to do.
    pub fn with_help(&self) -> String {
        format!("{self}; {}", self.help)
    }

    fn sentence(&self) -> String {
        match &self.value {
            None if self.field.is_empty() => format!("it {}", self.problem),
            Some(value) => format!("`{}`: `{value}` {}", self.field, self.problem),
            None => format!("`{}` {}", self.field, self.problem),
        }
    }
}

/// The path of a field within what is at `outer`; either may be empty.
pub(crate) fn join_path(outer: &str, field: &str) -> String {
    match (outer, field) {
        ("", path) | (path, "") => path.to_owned(),
        _ => format!("{outer}.{field}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_names_field_problem_and_help() {
        let missing = FieldError::new("Stage", "is missing", "give it");
        assert_eq!(missing.with_help(), "`Stage` is missing; give it");
        assert_eq!(missing.clone().within("Actions[0]").to_string(), "`Actions[0].Stage` is missing");
        assert_eq!(
            FieldError::new("", "is no list", "").within("Actions").to_string(),
            "`Actions` is no list"
        );
        let wrong = FieldError::of_value("KeyArn", "x", "is not an ARN", "give an ARN");
        assert_eq!(wrong.to_string(), "`KeyArn`: `x` is not an ARN");
    }
}
