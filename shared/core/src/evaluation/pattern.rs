//! Wildcards: `*` for any run of characters, `?` for one.

/// One element of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// `*`
    AnyRun,
    /// `?`
    AnyOne,
    /// This character.
    Char(char),
}

impl Token {
    /// A character of a pattern as it stands in a policy.
    pub fn of(character: char) -> Token {
        match character {
            '*' => Token::AnyRun,
            '?' => Token::AnyOne,
            other => Token::Char(other),
        }
    }
}

/// Whether the text matches the pattern, case-sensitively.
pub fn matches(pattern: &str, text: &str) -> bool {
    match behind_literals(pattern, text, |a, b| a == b) {
        Some(("*", _)) => true,
        Some((pattern, text)) => tokens_match(pattern.chars().map(Token::of), text),
        None => false,
    }
}

/// Whether the text matches the tokens of a pattern, case-sensitively.
pub fn tokens_match(pattern: impl Iterator<Item = Token> + Clone, text: &str) -> bool {
    matches_tokens(pattern, text, |a, b| a == b)
}

/// Whether an `Action` pattern covers an action; action names are case-insensitive.
pub fn action_matches(pattern: &str, action: &str) -> bool {
    match behind_literals(pattern, action, |a, b| a.eq_ignore_ascii_case(&b)) {
        Some(("*", _)) => true,
        Some((pattern, action)) => {
            matches_tokens(pattern.chars().map(Token::of), action, |a, b| a.eq_ignore_ascii_case(&b))
        }
        None => false,
    }
}

/// What is left of both from the pattern's first wildcard on, or None where they differ before it. Most
/// patterns are settled here, byte by byte.
fn behind_literals<'a>(
    pattern: &'a str,
    text: &'a str,
    same: impl Fn(u8, u8) -> bool,
) -> Option<(&'a str, &'a str)> {
    let mut pairs = pattern.bytes().zip(text.bytes()).enumerate();
    let differ = pairs.find(|(_, (wanted, found))| matches!(wanted, b'*' | b'?') || !same(*wanted, *found));
    // A byte of a longer character that differs is no place to part a text, and nothing can match there.
    let at = differ.map_or(pattern.len().min(text.len()), |(at, _)| at);
    let (pattern, text) = pattern.get(at..).zip(text.get(at..))?;
    match pattern.bytes().next() {
        None => text.is_empty().then_some((pattern, text)),
        Some(b'*' | b'?') => Some((pattern, text)),
        Some(_) => None,
    }
}

/// The parts of an ARN or of a pattern for one: six, of which the last keeps its colons. A colon within
/// a policy variable parts nothing.
pub fn arn_parts(text: &str) -> impl Iterator<Item = &str> {
    let (mut rest, mut parted) = (Some(text), 0);
    std::iter::from_fn(move || {
        let text = rest?;
        parted += 1;
        let colon = if parted == 6 { None } else { colon_outside_variables(text) };
        let (part, behind) = match colon.and_then(|at| text.split_at_checked(at)) {
            Some((part, behind)) => (part, behind.strip_prefix(':')),
            None => (text, None),
        };
        rest = behind;
        Some(part)
    })
}

fn colon_outside_variables(text: &str) -> Option<usize> {
    let (mut in_variable, mut before) = (false, ' ');
    for (at, character) in text.char_indices() {
        match (before, character) {
            ('$', '{') => in_variable = true,
            (_, '}') => in_variable = false,
            (_, ':') if !in_variable => return Some(at),
            _ => {}
        }
        before = character;
    }
    None
}

/// Greedy matching that goes back to the last `*` on a mismatch: linear for one star, and never worse
/// than pattern × text.
fn matches_tokens(
    pattern: impl Iterator<Item = Token> + Clone,
    text: &str,
    same: impl Fn(char, char) -> bool,
) -> bool {
    let (mut pattern, mut text) = (pattern, text.chars());
    let mut last_star = None;
    loop {
        let mut ahead = pattern.clone();
        match (ahead.next(), text.clone().next()) {
            (Some(Token::AnyRun), _) => {
                last_star = Some((ahead.clone(), text.clone()));
                pattern = ahead;
                continue;
            }
            (None, None) => return true,
            (Some(Token::AnyOne), Some(_)) => {
                text.next();
                pattern = ahead;
                continue;
            }
            (Some(Token::Char(wanted)), Some(found)) if same(wanted, found) => {
                text.next();
                pattern = ahead;
                continue;
            }
            _ => {}
        }
        // Mismatch: let the last star take one character more.
        let Some((behind_star, from)) = &mut last_star else { return false };
        if from.next().is_none() {
            return false;
        }
        pattern = behind_star.clone();
        text = from.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("a*b*c", "aXXbYYbZZc", true),
            ("a*b*c", "aXXbYY", false),
            ("?*", "", false),
            ("a?c", "abc", true),
            ("arn:aws:s3:::b/*", "arn:aws:s3:::b", false),
            ("*é?", "xxéy", true),
            ("**a", "bba", true),
            ("a*", "a\nb", true),
            ("é", "è", false),
            ("é?", "éè", true),
            ("éa", "é", false),
            ("é", "éa", false),
            ("é*", "é", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} / {text}");
        }
        assert!(action_matches("S3:get*", "s3:GetObject"));
        assert!(!matches("S3", "s3"));
    }

    #[test]
    fn an_arn_has_six_parts() {
        let parts = |text| arn_parts(text).collect::<Vec<_>>();
        assert_eq!(
            parts("arn:aws:logs:r:1:log-group:/a:*"),
            ["arn", "aws", "logs", "r", "1", "log-group:/a:*"]
        );
        assert_eq!(parts("arn:${aws:x}:s3"), ["arn", "${aws:x}", "s3"]);
        assert_eq!(parts(""), [""]);
        assert_eq!(parts("a:"), ["a", ""]);
    }
}
