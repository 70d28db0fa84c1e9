//! Policy variables: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`, and `${*}`, `${?}`, `${$}`
//! for the characters themselves.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>.

use super::context::{ContextValue, Keys};
use super::pattern::{Token, tokens_match};
use crate::policy::LanguageVersion;

/// A policy's text, ready to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text<'a> {
    /// It stands as it is.
    Plain(&'a str),
    /// Its variables are replaced. What came from a variable is never a wildcard.
    Expanded(Vec<Token>),
    /// A variable has no value in this request, so the text matches nothing.
    Void,
    /// Whether a variable has a value is not known.
    Unknown,
}

/// Replaces the variables of a text. Before 2012 there were none: `${…}` is plain text.
pub(super) fn expand_variables<'a>(text: &'a str, version: LanguageVersion, keys: Keys<'_>) -> Text<'a> {
    if version == LanguageVersion::V2008 || !has_variable(text) {
        return Text::Plain(text);
    }
    let mut tokens = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("${") {
        tokens.extend(before.chars().map(Token::of));
        let Some((variable, behind)) = behind.split_once('}') else {
            // Never closed: no variable.
            tokens.extend("${".chars().map(Token::of));
            rest = behind;
            continue;
        };
        rest = behind;
        match value_of(variable, keys) {
            Ok(value) => tokens.extend(value.chars().map(Token::Char)),
            Err(not_a_value) => return not_a_value,
        }
    }
    tokens.extend(rest.chars().map(Token::of));
    Text::Expanded(tokens)
}

/// Whether the text has what begins a variable.
pub(super) fn has_variable(text: &str) -> bool {
    // One byte is looked for much faster than two, and is rarely there.
    text.as_bytes().contains(&b'$') && text.contains("${")
}

fn value_of<'a>(variable: &'a str, keys: Keys<'a>) -> Result<&'a str, Text<'static>> {
    if matches!(variable, "*" | "?" | "$") {
        return Ok(variable);
    }
    let (key, default) = match variable.split_once(',') {
        None => (variable, None),
        Some((key, default)) => {
            let quoted = default.trim().strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
            (key, Some(quoted.ok_or(Text::Unknown)?))
        }
    };
    match (keys.get(key.trim()), default) {
        (ContextValue::Unknown, _) => Err(Text::Unknown),
        (ContextValue::One(value), _) if !value.is_empty() => Ok(value),
        // AWS: a default is for a key that is missing; a key with several values has no place here.
        (ContextValue::Absent, Some(default)) => Ok(default),
        (ContextValue::Absent, None) => Err(Text::Void),
        (ContextValue::One(_) | ContextValue::Several(_), _) => Err(Text::Unknown),
    }
}

impl Text<'_> {
    /// Whether a value matches the text, in which `*` and `?` are wildcards. None: it is compared with
    /// nothing, since a variable has no value.
    pub fn matches(&self, value: &str) -> Option<bool> {
        match self {
            Text::Plain(text) => Some(super::pattern::matches(text, value)),
            Text::Expanded(tokens) => Some(tokens_match(tokens.iter().copied(), value)),
            Text::Void | Text::Unknown => None,
        }
    }

    /// Whether a value equals the text, in which nothing is a wildcard.
    pub fn equals(&self, value: &str, ignore_case: bool) -> Option<bool> {
        let same =
            |a: char, b: char| if ignore_case { a.to_lowercase().eq(b.to_lowercase()) } else { a == b };
        match self {
            Text::Plain(text) if !ignore_case => Some(*text == value),
            Text::Plain(text) => Some(same_chars(text.chars(), value, same)),
            Text::Expanded(tokens) => {
                let characters = tokens.iter().map(|token| match token {
                    Token::AnyRun => '*',
                    Token::AnyOne => '?',
                    Token::Char(character) => *character,
                });
                Some(same_chars(characters, value, same))
            }
            Text::Void | Text::Unknown => None,
        }
    }
}

fn same_chars(text: impl Iterator<Item = char>, value: &str, same: impl Fn(char, char) -> bool) -> bool {
    let (mut text, mut value) = (text, value.chars());
    loop {
        match (text.next(), value.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if same(a, b) => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::{Context, Requester};

    fn check(text: &str, value: &str, expected: Option<bool>) {
        let context =
            Context::complete().with("aws:username", "a*b").with_values("k", vec!["1".into(), "2".into()]);
        let keys = Keys { context: &context, requester: &Requester::Anonymous };
        assert_eq!(
            expand_variables(text, LanguageVersion::V2012, keys).matches(value),
            expected,
            "{text} / {value}"
        );
    }

    #[test]
    fn variables_are_replaced() {
        check("x/${aws:username}/*", "x/a*b/c", Some(true));
        check("x/${AWS:UserName}/*", "x/aXb/c", Some(false));
        check("${aws:none, 'd*'}", "d*", Some(true));
        check("${aws:none, 'd*'}", "dx", Some(false));
        check("${*}${?}${$}", "*?$", Some(true));
        check("${*}", "x", Some(false));
        check("${aws:none}", "${aws:none}", None);
        check("${k}", "1", None);
        check("${", "${", Some(true));
    }

    #[test]
    fn before_2012_there_are_none() {
        let keys = Keys { context: &Context::partial(), requester: &Requester::Service("x".into()) };
        let text = expand_variables("${aws:userid}", LanguageVersion::V2008, keys);
        assert_eq!(text.equals("${aws:userid}", false), Some(true));
        let text = expand_variables("${aws:userid}", LanguageVersion::V2012, keys);
        assert_eq!(text, Text::Unknown);
    }
}
