//! Wildcards: `*` for any run of characters, `?` for one.

/// Whether the text matches the pattern, case-sensitively.
pub fn matches(pattern: &str, text: &str) -> bool {
    wildcard(pattern, text, |a, b| a == b)
}

/// Whether the text matches the pattern, whatever the case of ASCII letters.
pub fn matches_ignoring_case(pattern: &str, text: &str) -> bool {
    wildcard(pattern, text, |a, b| a.eq_ignore_ascii_case(&b))
}

/// Whether an `Action` pattern covers an action; action names are case-insensitive.
pub fn action_matches(pattern: &str, action: &str) -> bool {
    matches_ignoring_case(pattern, action)
}

/// Whether an ARN matches an ARN pattern part by part: a wildcard does not reach over a colon, except
/// in the last part. That is how `ArnLike` and `ArnEquals` compare.
pub fn arn_matches(pattern: &str, arn: &str) -> bool {
    let mut patterns = pattern.splitn(6, ':');
    let mut parts = arn.splitn(6, ':');
    loop {
        match (patterns.next(), parts.next()) {
            (None, None) => return true,
            (Some(pattern), Some(part)) if matches(pattern, part) => {}
            _ => return false,
        }
    }
}

/// Greedy matching that goes back to the last `*` on a mismatch: linear for one star, and never worse
/// than pattern × text.
fn wildcard(pattern: &str, text: &str, same: impl Fn(char, char) -> bool) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    let mut last_star: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        let mut ahead = pattern.clone();
        match (ahead.next(), text.clone().next()) {
            (Some('*'), _) => {
                last_star = Some((ahead.clone(), text.clone()));
                pattern = ahead;
                continue;
            }
            (None, None) => return true,
            (Some(wanted), Some(found)) if wanted == '?' || same(wanted, found) => {
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
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} / {text}");
        }
        assert!(action_matches("S3:get*", "s3:GetObject"));
        assert!(!matches("S3", "s3"));
    }

    #[test]
    fn an_arn_is_compared_part_by_part() {
        assert!(arn_matches("arn:aws:iam::*:role/x*", "arn:aws:iam::111122223333:role/x:y"));
        assert!(!arn_matches("arn:aws:*:role/x", "arn:aws:iam::111122223333:role/x"));
        assert!(!arn_matches("*", "arn:aws:iam::111122223333:role/x"));
    }
}
